//! What a person wants to know first, a line for each recipe.

use super::{Asked, comparisons};
use crate::{
    error::Result,
    report::{Block, Group, pooled::Pooled, words},
};

/// Comparisons that are told in words.
const COMPARED: usize = 3;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let groups = asked.results.groups();
    let mut lines: Vec<String> = groups.iter().filter_map(line).collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let compared = comparisons::in_short(asked.results)?;
    // Of many recipes the tables tell.
    if compared.len() <= COMPARED {
        lines.extend(compared);
    }
    Ok(vec![Block::heading(2, "At a glance"), Block::list(lines)])
}

fn line(group: &Group<'_>) -> Option<String> {
    let told = words::glance(&Pooled::of(group))?;
    Some(format!("`{}`: {told}", group.name))
}
