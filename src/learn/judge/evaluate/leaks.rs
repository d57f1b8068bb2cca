//! Look-alikes of training images in the evaluated parts.

use super::{inputs::Inputs, write::Judged};
use crate::{
    error::{Error, Result},
    record::{EvaluatePart, Labels, Leaked, LeakedPart, Leaks, Likeness, LookAlikes, Split},
};

/// Conflicts that are named.
const NAMED: usize = 20;

/// Which images of validation and test look like training images, by the audit of the pack.
pub(super) struct Leaking {
    alike: LookAlikes,
    like_train: Vec<Option<(u32, Likeness)>>,
    like_validation: Vec<Option<(u32, Likeness)>>,
}

impl Leaking {
    /// `None` where nothing was compared.
    ///
    /// # Errors
    /// When the audit is of another number of images.
    pub(super) fn new(
        alike: LookAlikes,
        labels: &Labels,
        split: &Split,
        fold: Option<u32>,
    ) -> Result<Option<Self>> {
        if alike.images == 0 {
            return Ok(None);
        }
        if alike.images as usize != labels.labels.len() {
            return Err(Error::failed(format!(
                "{} images were compared, and the data set has {}: they are not of one data set",
                alike.images,
                labels.labels.len()
            )));
        }
        let like = |part| {
            let mut is = vec![false; labels.labels.len()];
            for row in split.members(part, fold) {
                is[row] = true;
            }
            alike.nearest(|image| is[image])
        };
        let (like_train, like_validation) =
            (like(EvaluatePart::Train), like(EvaluatePart::Validation));
        Ok(Some(Self {
            alike,
            like_train,
            like_validation,
        }))
    }

    /// The training image that an image looks like.
    pub(super) fn like_train(&self, row: usize) -> Option<(u32, Likeness)> {
        self.like_train.get(row).copied().flatten()
    }

    /// What to write down.
    pub(super) fn leaks(&self, inputs: &Inputs, judged: &[Judged<'_>]) -> Leaks {
        let parts = judged
            .iter()
            .filter(|part| part.members.part != EvaluatePart::Train)
            .map(|part| self.part(inputs, part))
            .collect();
        let differ = self
            .alike
            .pairs
            .iter()
            .map(|pair| [pair.a as usize, pair.b as usize])
            .filter(|[a, b]| inputs.labels.get(*a) != inputs.labels.get(*b));
        let named =
            |pair: [usize; 2]| pair.map(|i| inputs.paths.get(i).cloned().unwrap_or_default());
        Leaks {
            parts,
            conflicts: differ.clone().count() as u64,
            conflicting: differ.take(NAMED).map(named).collect(),
        }
    }

    fn part(&self, inputs: &Inputs, judged: &Judged<'_>) -> LeakedPart {
        let part = judged.members.part;
        let (mut right, mut clean, mut right_clean) = (0_u64, 0_u64, 0_u64);
        let (mut leaked, mut like_validation) = (Vec::new(), 0);
        for (row, score) in judged.members.rows.iter().zip(&judged.scores) {
            right += u64::from(score.correct);
            if part == EvaluatePart::Test && self.like_validation[*row].is_some() {
                like_validation += 1;
            }
            match self.like_train[*row] {
                Some((like, likeness)) => leaked.push(Leaked {
                    path: inputs.paths[*row].clone(),
                    like: inputs.paths[like as usize].clone(),
                    likeness,
                }),
                None => {
                    clean += 1;
                    right_clean += u64::from(score.correct);
                }
            }
        }
        let images = judged.scores.len() as u64;
        LeakedPart {
            part,
            images,
            like_train: leaked.len() as u64,
            like_validation,
            top1: right as f64 / (images as f64).max(1.0),
            top1_without: (clean > 0).then(|| right_clean as f64 / clean as f64),
            leaked,
        }
    }
}

/// Sentences for the reading: parts that hold copies of training images, and pairs in two classes.
pub(super) fn sentences(leaks: &Leaks) -> Vec<String> {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let mut said = Vec::new();
    for part in leaks.parts.iter().filter(|part| part.like_train > 0) {
        let name = part.part.name();
        let (n, all) = (part.like_train, part.images);
        let are = if n == 1 { "is a copy" } else { "are copies" };
        let images = if all == 1 { "image" } else { "images" };
        let with = format!(
            "{n} of {all} {name} {images} {are} of training images: top-1 {}",
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
        let (pairs, are) = if leaks.conflicts == 1 {
            ("pair", "is")
        } else {
            ("pairs", "are")
        };
        let first = leaks.conflicting.first();
        let such = first.map_or(String::new(), |[a, b]| format!(", such as `{a}` and `{b}`"));
        said.push(format!(
            "{} {pairs} of look-alikes {are} in two classes{such}: one of the labels is wrong, or the picture shows both.",
            leaks.conflicts
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_conflicts_are_said_in_plain_words() {
        let part = LeakedPart {
            part: EvaluatePart::Test,
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
            sentences(&leaks),
            [
                "12 of 120 test images are copies of training images: top-1 70.8% with, 66.1% without them.",
                "1 pair of look-alikes is in two classes, such as `train/a/1.jpg` and `train/b/2.jpg`: one of the labels is \
                 wrong, or the picture shows both.",
            ]
        );
        leaks.parts[0].top1_without = None;
        assert!(sentences(&leaks)[0].contains("no image is left without them"));
        leaks.parts[0].like_train = 0;
        leaks.conflicts = 0;
        assert!(sentences(&leaks).is_empty());
    }
}
