//! What the report is of.

use super::Asked;
use crate::{error::Result, report::Block};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let made_by = format!(
        "Made by kfood {} from this file alone: the same file, data, seed and fingerprint (at the end) give the same numbers.",
        env!("CARGO_PKG_VERSION")
    );
    Ok(vec![
        Block::heading(1, format!("Results of `{}`", asked.results.pipeline)),
        Block::paragraph(made_by),
    ])
}
