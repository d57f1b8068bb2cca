//! What look-alikes do to the numbers of an evaluation.

use crate::{
    record::{FeatureLeaks, Leaks},
    report::units::percent,
    text::{either, plural},
};

/// By the audit of pixels: parts that hold copies of training images, and pairs in two classes.
pub(in crate::report) fn by_pixels(leaks: &Leaks) -> Vec<String> {
    let mut said = Vec::new();
    for part in leaks.parts.iter().filter(|part| part.like_train > 0) {
        let with = format!(
            "{} of {} {} {} {}: top-1 {}",
            part.like_train,
            part.images,
            part.part.name(),
            plural(part.images, "image"),
            either(
                part.like_train,
                "is a copy of a training image",
                "are copies of training images"
            ),
            percent(part.top1)
        );
        said.push(match part.top1_without {
            Some(without) => format!("{with} with, {} without them.", percent(without)),
            None => format!(
                "{with}, and no image is left without them, so it says nothing about new images."
            ),
        });
    }
    if leaks.conflicts > 0 {
        let first = leaks.conflicting.first();
        let such = first.map_or(String::new(), |[a, b]| format!(", such as `{a}` and `{b}`"));
        said.push(format!(
            "{} {} of look-alikes {} in two classes{such}: one of the labels is wrong, or the picture shows both.",
            leaks.conflicts,
            plural(leaks.conflicts, "pair"),
            plural(leaks.conflicts, "is"),
        ));
    }
    said
}

/// By the model's features: the parts in which they show more than the pixels.
pub(in crate::report) fn by_features(found: &FeatureLeaks) -> Vec<String> {
    let more = found.parts.iter().filter(|part| part.further > 0);
    more.map(|part| {
        let without = part.top1_without.map_or(String::new(), |share| {
            format!(" Without all look-alikes top-1 is {}.", percent(share))
        });
        format!(
            "By the model's features (cosine of at least {}) {} further {} {} like training images; `leaks.json` names \
             them.{without}",
            found.cosine,
            part.further,
            part.part.name(),
            either(part.further, "image looks", "images look"),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ByFeatures, LeakedPart, Part};

    #[test]
    fn copies_and_conflicts_are_said_in_plain_words() {
        let part = LeakedPart {
            part: Part::Test,
            images: 120,
            like_train: 12,
            like_validation: 0,
            top1: 0.708,
            top1_without: Some(0.661),
            leaked: Vec::new(),
        };
        let mut leaks = Leaks {
            parts: vec![part],
            conflicts: 1,
            conflicting: vec![["train/a/1.jpg".to_owned(), "train/b/2.jpg".to_owned()]],
        };
        assert_eq!(
            by_pixels(&leaks),
            [
                "12 of 120 test images are copies of training images: top-1 70.8% with, 66.1% without them.",
                "1 pair of look-alikes is in two classes, such as `train/a/1.jpg` and `train/b/2.jpg`: one of the labels is \
                 wrong, or the picture shows both.",
            ]
        );
        leaks.parts[0].top1_without = None;
        assert!(by_pixels(&leaks)[0].contains("no image is left without them"));
        leaks.parts[0].like_train = 1;
        assert!(by_pixels(&leaks)[0].starts_with("1 of 120 test images is a copy of"));
        leaks.parts[0].like_train = 0;
        leaks.conflicts = 0;
        assert!(by_pixels(&leaks).is_empty());
    }

    #[test]
    fn what_only_the_features_show_is_said_with_what_is_left_without_it() {
        let part = |further| ByFeatures {
            part: Part::Test,
            confirmed: 3,
            further,
            top1_without: Some(0.5),
        };
        let found = |further| FeatureLeaks {
            cosine: 0.98,
            parts: vec![part(further)],
            pairs: Vec::new(),
        };
        assert_eq!(
            by_features(&found(2)),
            [
                "By the model's features (cosine of at least 0.98) 2 further test images look like training images; `leaks.json` \
                 names them. Without all look-alikes top-1 is 50.0%."
            ]
        );
        assert!(by_features(&found(0)).is_empty());
    }
}
