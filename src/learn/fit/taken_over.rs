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
