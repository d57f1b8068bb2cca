//! The report of a pipeline, section by section. A new one is a file here, its `mod` and a line of [`SECTIONS`].

mod at_a_glance;
mod calibration;
mod classes;
mod comparisons;
mod data;
mod drift;
mod evaluations;
mod head;
mod label_issues;
mod machines;
mod mistakes;
mod not_of_now;
mod reproduce;
mod result_table;
mod selections;
mod slices;
mod sweeps;
#[cfg(test)]
mod tests;
mod times;
mod training_sweeps;
mod trainings;
mod unused;

pub use comparisons::{compared, comparison_blocks};
pub use not_of_now::not_of_now;

use super::{Block, Document, Results};
use crate::{error::Result, record::Part};

/// What a section is made of.
struct Asked<'a> {
    results: &'a Results,
    /// The part on which recipes are compared and classes are told.
    part: Option<Part>,
    /// Of which images photographs are shown.
    images: Images,
    /// How many photographs of an evaluation there is room for.
    most: usize,
    /// Whether there is room for everything.
    page: bool,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Of which images photographs are shown.
    pub images: Images,
    /// How many photographs of evaluations are shown at most; those beyond are left out of the cells of matrices.
    pub most: usize,
    /// Everything, as a page in a browser has room for; else what is read from top to bottom.
    pub page: bool,
}

/// Of which images photographs are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Images {
    /// Of none.
    #[default]
    None,
    /// Of those that a model takes for something else, and of what else looks wrong.
    Errors,
    /// Of all.
    All,
}

/// The blocks of one section; none where there is nothing to tell.
type Section = fn(&Asked<'_>) -> Result<Vec<Block>>;

/// From top to bottom.
const SECTIONS: &[Section] = &[
    head::blocks,
    not_of_now::blocks,
    at_a_glance::blocks,
    result_table::blocks,
    comparisons::blocks,
    sweeps::blocks,
    training_sweeps::blocks,
    selections::blocks,
    evaluations::blocks,
    label_issues::blocks,
    calibration::blocks,
    data::blocks,
    unused::blocks,
    trainings::blocks,
    machines::blocks,
    times::blocks,
    reproduce::blocks,
];

/// What a model card tells of one model's results: figures with intervals, gaps, look-alikes, classes, and how sure it is.
///
/// # Errors
/// As [`report`].
pub(super) fn of_model(results: &Results) -> Result<Vec<Block>> {
    let asked = Asked {
        results,
        part: None,
        images: Images::None,
        most: 0,
        page: false,
    };
    let sections: [Section; 4] = [
        result_table::blocks,
        evaluations::blocks,
        calibration::blocks,
        machines::blocks,
    ];
    let blocks = sections.into_iter().map(|section| section(&asked));
    Ok(blocks.collect::<Result<Vec<_>>>()?.concat())
}

/// The report of a pipeline: table, comparisons on `part`, each evaluation with its reading, gaps, classes and confusions on
/// `part`, the course of each training, and the machines. `part` is the best known one (test, else validation, else train)
/// unless given. The same results give the same document: no dates, and no times but those recorded beside the results.
///
/// # Errors
/// When the predictions of an evaluation do not fit its metrics.
pub fn report(results: &Results, part: Option<Part>, detail: Detail) -> Result<Document> {
    let asked = Asked {
        results,
        part,
        images: detail.images,
        most: detail.most,
        page: detail.page,
    };
    let mut document = Document::default();
    for section in SECTIONS {
        document.blocks.extend(section(&asked)?);
    }
    Ok(document)
}
