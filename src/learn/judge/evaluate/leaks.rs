//! Look-alikes of training images in the evaluated parts.

use super::{inputs::EvaluationInputs, write::Judged};
use crate::{
    error::{Error, Result},
    record::{Labels, Leaked, LeakedPart, Leaks, Likeness, LookAlikes, Part, Split},
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
        let (like_train, like_validation) = (like(Part::Train), like(Part::Validation));
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
    pub(super) fn leaks(&self, inputs: &EvaluationInputs, judged: &[Judged<'_>]) -> Leaks {
        let parts = judged
            .iter()
            .filter(|part| part.members.part != Part::Train)
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

    fn part(&self, inputs: &EvaluationInputs, judged: &Judged<'_>) -> LeakedPart {
        let part = judged.members.part;
        let (mut right, mut clean, mut right_clean) = (0_u64, 0_u64, 0_u64);
        let (mut leaked, mut like_validation) = (Vec::new(), 0);
        for (row, score) in judged.members.rows.iter().zip(&judged.scores) {
            right += u64::from(score.correct);
            if part == Part::Test && self.like_validation[*row].is_some() {
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
