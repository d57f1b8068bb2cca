//! Images that are in no part, and why.

use super::Asked;
use crate::{
    error::Result,
    report::{Block, Unused, words},
    text::{number, shown},
};

/// Images that are listed.
const LISTED: usize = 100;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let unused = &asked.results.unused;
    if unused.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::heading(2, "Images that are not used")];
    blocks.extend(unused.iter().flat_map(of_stage));
    Ok(blocks)
}

fn of_stage(unused: &Unused) -> [Block; 2] {
    let summary = format!(
        "`{}` {} {} of {} images:",
        unused.id,
        words::leaves_out(unused.why),
        number(unused.images.len() as u64),
        number(unused.of as u64)
    );
    let image = |(path, told): &(String, String)| {
        format!("`{}`: {}", shown(path), words::why_unused(unused.why, told))
    };
    [
        Block::paragraph(summary),
        Block::first_of(unused.images.iter().map(image), LISTED, ""),
    ]
}
