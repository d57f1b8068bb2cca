//! What is told of a source that a transfer starts from.

use crate::{
    record::{ModelFile, SourceMatch},
    text::{count, first_few, number, plural},
};

/// So many names are told.
const TOLD: usize = 5;

/// What was taken of it, a line each.
pub(super) fn lines(found: &SourceMatch) -> Vec<String> {
    let head = match found.source_classes {
        Some(source) => format!(
            "its head of {} is replaced by one of {}",
            count(source, "class"),
            number(found.classes as u64)
        ),
        None => format!("its head is a new one of {}", count(found.classes, "class")),
    };
    let mut lines = vec![format!(
        "{} of {} are taken over; {head}",
        count(found.taken, "tensor"),
        found.arch.told(),
    )];
    if !found.carried.is_empty() {
        lines.push(format!(
            "the rows of {} of the same name are carried over: {}",
            count(found.carried.len(), "class"),
            first_few(found.carried.iter().map(String::as_str), TOLD)
        ));
    }
    if !found.reshaped.is_empty() {
        lines.push(format!(
            "{} in another shape: {}",
            count(found.reshaped.len(), "tensor"),
            first_few(found.reshaped.iter().map(String::as_str), TOLD)
        ));
    }
    if found.halves > 0 {
        lines.push(format!(
            "{} stored in half precision {} read as 32-bit floats, with the same values",
            count(found.halves, "tensor"),
            plural(found.halves, "is")
        ));
    }
    lines
}

/// A word on images that are much smaller or larger than those that published weights were trained for.
pub(super) fn of_size(file: &ModelFile, side: u32) -> Option<String> {
    let weights = file.published()?;
    let apart = side * 4 < weights.side * 3 || side * 3 > weights.side * 4;
    apart.then(|| {
        format!(
            "`{}` were trained for images of {} px, and these have {side}: nearer sizes mostly give more",
            weights.name, weights.side
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_far_from_the_size_that_weights_were_trained_for_are_told() {
        let told = |name: Option<&str>, side| {
            let file = ModelFile {
                path: "weights.pth".into(),
                normalize: None,
                classes: None,
                weights: None,
                pretrained: name.map(str::to_owned),
            };
            of_size(&file, side)
        };
        let v1 = Some("torchvision/resnet50.IMAGENET1K_V1");
        // 224 px: three quarters of it are near, and so is what 224 are three quarters of.
        for (side, near) in [
            (64, false),
            (160, false),
            (168, true),
            (224, true),
            (298, true),
            (300, false),
        ] {
            assert_eq!(told(v1, side).is_none(), near, "{side}");
        }
        assert_eq!(
            told(v1, 64).unwrap(),
            "`torchvision/resnet50.IMAGENET1K_V1` were trained for images of 224 px, and these have 64: nearer sizes mostly give more"
        );
        let a3 = Some("timm/resnet50.a3_in1k");
        assert_eq!(
            [160, 224].map(|side| told(a3, side).is_none()),
            [true, false]
        );
        assert_eq!(told(None, 64), None);
    }
}
