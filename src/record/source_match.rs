//! What a transfer took of its source, `source.json`: beside the result and no part of it.

use serde::{Deserialize, Serialize};

use super::ModelFile;
use crate::{
    settings::Arch,
    text::{count, first_few, number, plural},
};

/// `source.json` of a transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceMatch {
    /// The published weights that the file is, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<String>,
    /// The network that was found in it.
    pub arch: Arch,
    /// Tensors that were taken as they are.
    pub taken: usize,
    /// Tensors of the head, which are new.
    pub new: Vec<String>,
    /// Names in the file that belong to no part of the network.
    pub left_over: Vec<String>,
    /// Tensors that have another shape here, such as a count written as a list of one.
    pub reshaped: Vec<String>,
    /// Tensors that the file holds in half precision.
    #[serde(default, skip_serializing_if = "is_none")]
    pub halves: usize,
    /// Outputs of the head in the file; `None` where it has none that is known.
    pub source_classes: Option<usize>,
    /// Outputs of the new head.
    pub classes: usize,
    /// Classes whose rows of the head were carried over by name.
    pub carried: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// So many names are told.
const TOLD: usize = 5;

impl SourceMatch {
    /// What is to be told of it while running.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let head = match self.source_classes {
            Some(source) => format!(
                "its head of {} is replaced by one of {}",
                count(source, "class"),
                number(self.classes as u64)
            ),
            None => format!("its head is a new one of {}", count(self.classes, "class")),
        };
        let mut lines = vec![format!(
            "{} of {} are taken over; {head}",
            count(self.taken, "tensor"),
            self.arch.told(),
        )];
        if !self.carried.is_empty() {
            lines.push(format!(
                "the rows of {} of the same name are carried over: {}",
                count(self.carried.len(), "class"),
                first_few(self.carried.iter().map(String::as_str), TOLD)
            ));
        }
        if !self.reshaped.is_empty() {
            lines.push(format!(
                "{} in another shape: {}",
                count(self.reshaped.len(), "tensor"),
                first_few(self.reshaped.iter().map(String::as_str), TOLD)
            ));
        }
        if self.halves > 0 {
            lines.push(format!(
                "{} stored in half precision {} read as 32-bit floats, with the same values",
                count(self.halves, "tensor"),
                plural(self.halves, "is")
            ));
        }
        lines
    }

    /// A word on images that are much smaller or larger than those that published weights were trained for.
    #[must_use]
    pub fn of_size(file: &ModelFile, side: u32) -> Option<String> {
        let weights = file.published()?;
        let apart = side * 4 < weights.side * 3 || side * 3 > weights.side * 4;
        apart.then(|| {
            format!(
                "`{}` were trained for images of {} px, and these have {side}: nearer sizes mostly give more",
                weights.name, weights.side
            )
        })
    }
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
            SourceMatch::of_size(&file, side)
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
