//! The list of corrected labels of a dataset stage.

use super::dataset::missing;
use crate::{
    config::{self, DataPath},
    data::{Corrected, Corrections, Listing},
    error::Result,
    record::{CorrectedLabel, Labels},
};

/// What the list of corrections changes, which is told with the listing.
pub(super) fn corrected(
    settings: &config::Dataset,
    listing: &mut Listing,
    classes: &[String],
) -> Result<Corrected> {
    let Some(list) = &settings.corrections else {
        return Ok(Corrected::default());
    };
    let list = present_corrections(list)?;
    let corrections = Corrections::read(&list.path, &list.root)?;
    let mut found = corrections.of(listing, classes, settings.correct_test)?;
    listing.notes.append(&mut found.notes);
    Ok(found)
}

/// What the list asks for, before it is used; nothing where there is none.
pub(super) fn asked(settings: &config::Dataset) -> Option<String> {
    let list = settings.corrections.as_ref()?;
    let list = match present_corrections(list)
        .and_then(|list| Corrections::read(&list.path, &list.root))
    {
        Ok(list) => list,
        // The run tells all of it.
        Err(error) => {
            return error
                .message()
                .lines()
                .next()
                .map(|line| line.trim_end_matches(':').to_owned());
        }
    };
    Some(list.in_words())
}

/// Changes labels, and keeps what was given for splits to be drawn by.
pub(super) fn correct(labels: &mut Labels, corrected: &Corrected, correct_test: bool) {
    for (image, class) in &corrected.images {
        match class {
            Some(class) => {
                let label = &mut labels.labels[*image];
                labels.corrected.push(CorrectedLabel {
                    image: *image as u32,
                    given: label.class,
                });
                label.class = *class as u32;
            }
            None => labels.left_out.push(*image as u32),
        }
    }
    labels.correct_test = correct_test;
}

/// The list, which must be there.
pub(super) fn present_corrections(list: &DataPath) -> Result<&DataPath> {
    if list.path.is_file() {
        return Ok(list);
    }
    let help = "put a list with the columns `path` and `suggested` there; an `audit` stage proposes one, `corrections.csv`";
    Err(missing(list, "file", help))
}
