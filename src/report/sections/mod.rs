//! The report of a pipeline, section by section. A new one is a file here, its `mod` and a line of [`SECTIONS`].

mod calibration;
mod classes;
mod comparisons;
mod evaluations;
mod head;
mod label_issues;
mod machines;
mod result_table;
#[cfg(test)]
mod tests;
mod times;
mod trainings;
mod unused;

pub use comparisons::{compared, comparison_blocks};

use super::{Block, Document, Results};
use crate::{error::Result, record::EvaluatePart};

/// What a section is made of.
struct Asked<'a> {
    results: &'a Results,
    /// The part on which recipes are compared and classes are told.
    part: Option<EvaluatePart>,
}

/// The blocks of one section; none where there is nothing to tell.
type Section = fn(&Asked<'_>) -> Result<Vec<Block>>;

/// From top to bottom.
const SECTIONS: &[Section] = &[
    head::blocks,
    result_table::blocks,
    comparisons::blocks,
    evaluations::blocks,
    label_issues::blocks,
    calibration::blocks,
    unused::blocks,
    trainings::blocks,
    machines::blocks,
    times::blocks,
];

/// The report of a pipeline: table, comparisons on `part`, each evaluation with its reading, gaps, classes and confusions on
/// `part`, the course of each training, and the machines. `part` is the best known one (test, else validation, else train)
/// unless given. The same results give the same document: no dates, and no times but those recorded beside the results.
///
/// # Errors
/// When the predictions of an evaluation do not fit its metrics.
pub fn report(results: &Results, part: Option<EvaluatePart>) -> Result<Document> {
    let asked = Asked { results, part };
    let mut document = Document::default();
    for section in SECTIONS {
        document.blocks.extend(section(&asked)?);
    }
    Ok(document)
}
