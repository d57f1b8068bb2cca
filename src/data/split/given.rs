//! The data set's own validation part.

use super::plain::as_given;
use crate::record::{Assignment, Labels, Part, Split};

/// Takes the validation part that the data set gives; `None` where it gives none.
#[must_use]
pub fn given(labels: &Labels) -> Option<Split> {
    let mut assignments = as_given(&labels.labels);
    let mut any = false;
    for image in &labels.validation {
        let image = *image as usize;
        if labels
            .labels
            .get(image)
            .is_some_and(|l| l.part == Part::Train)
        {
            assignments[image] = Assignment::Validation;
            any = true;
        }
    }
    any.then_some(Split {
        folds: None,
        assignments,
        left_out: Vec::new(),
    })
}
