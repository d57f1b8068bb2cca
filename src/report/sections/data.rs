//! What the data look like, whether they drift from part to part, and on which of them a model is worse.

use super::{Asked, Images, drift::drift, slices::slices};
use crate::{
    error::Result,
    report::{Block, DataSeen, LeakPair, Shot},
    text::count,
};

/// Pairs that are shown as pictures.
const PAIRS: usize = 20;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    if !asked.page {
        return Ok(Vec::new());
    }
    let groups = asked.results.groups();
    let mut blocks = Vec::new();
    for seen in &asked.results.data {
        blocks.push(Block::heading(2, format!("Data `{}`", seen.source.data)));
        blocks.push(Block::paragraph(
            "Parts are those that the data set gives, before a split draws others from them.",
        ));
        blocks.extend(seen.overview.document().blocks);
        if asked.images != Images::None {
            blocks.extend(pairs(seen));
        }
        blocks.extend(drift(seen));
        blocks.extend(slices(seen, &groups));
    }
    Ok(blocks)
}

/// Pictures that look alike, each beside the other, numbered as they are listed.
fn pairs(seen: &DataSeen) -> Vec<Block> {
    let pairs = &seen.overview.leaks.pairs;
    if pairs.is_empty() {
        return Vec::new();
    }
    let shot = |(i, pair): (usize, &LeakPair)| Shot {
        photograph: seen.source.photograph(&pair.first),
        beside: Some(seen.source.photograph(&pair.second)),
        caption: vec![format!("{}: {}", i + 1, pair.in_words()).into()],
        guess: None,
    };
    let shots = pairs.iter().enumerate().take(PAIRS).map(shot);
    let mut blocks = vec![Block::heading(3, "Look-alikes")];
    if pairs.len() > PAIRS {
        let told = format!("The first {PAIRS} of {}.", count(pairs.len(), "pair"));
        blocks.push(Block::paragraph(told));
    }
    blocks.push(Block::Gallery(shots.collect()));
    blocks
}
