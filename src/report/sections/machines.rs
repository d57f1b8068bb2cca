//! The machine of each result; one row for neighbours with equal fingerprints.

use super::Asked;
use crate::{
    error::Result,
    record::Fingerprint,
    report::{Block, Column, Grid},
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let results = asked.results;
    let trained = results.trainings.iter().map(|t| (&t.id, &t.fingerprint));
    let evaluated = results.evaluations.iter().map(|e| (&e.id, &e.fingerprint));
    let mut found: Vec<(&Fingerprint, Vec<String>)> = Vec::new();
    for (id, fingerprint) in trained.chain(evaluated) {
        let Some(fingerprint) = fingerprint else {
            continue;
        };
        match found.iter_mut().find(|(known, _)| *known == fingerprint) {
            Some((_, ids)) => ids.push(format!("`{id}`")),
            None => found.push((fingerprint, vec![format!("`{id}`")])),
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut grid = Grid::of([
        Column::left("device"),
        Column::left("precision").meaning("the arithmetic of the training"),
        Column::left("CPU capability").meaning("vector instructions, and the kind of processor"),
        Column::right("threads").meaning("of one tensor operation"),
        Column::left("libtorch"),
        Column::left("stages"),
    ]);
    for (f, ids) in found {
        grid.rows.push(vec![
            f.device.clone(),
            f.precision.clone(),
            f.cpu_capability.clone(),
            f.threads.to_string(),
            f.libtorch.clone(),
            ids.join(", "),
        ]);
    }
    Ok(vec![Block::heading(2, "Fingerprint"), Block::table(grid)])
}
