//! The machine of each result, one row for neighbours with equal fingerprints, and the jobs of a cluster that made results.

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
    let mut blocks = jobs(asked);
    if found.is_empty() {
        return Ok(blocks);
    }
    let mut grid = Grid::of([
        Column::left("device").heading(),
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
    blocks.splice(0..0, [Block::heading(2, "Fingerprint"), Block::table(grid)]);
    Ok(blocks)
}

/// What became of the jobs of each stage; no part of a result.
fn jobs(asked: &Asked<'_>) -> Vec<Block> {
    let jobs = &asked.results.jobs;
    if jobs.is_empty() {
        return Vec::new();
    }
    let mut grid = Grid::of([
        Column::left("stage"),
        Column::left("job").meaning("the last one, as Slurm calls it"),
        Column::left("node"),
        Column::left("state"),
        Column::right("sent").meaning("how many jobs the stage had"),
        Column::left("why another"),
        Column::left("log").meaning("in the folder of the cache; removed where all went well"),
    ]);
    for job in jobs {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let again = (!job.again.is_empty()).then(|| job.again.join("; "));
        grid.rows.push(vec![
            format!("`{}`", job.stage),
            job.job.clone(),
            or_none(job.node.clone()),
            job.state.clone(),
            job.sent.to_string(),
            or_none(again),
            or_none(job.log.as_ref().map(|log| format!("`{log}`"))),
        ]);
    }
    vec![
        Block::heading(2, "Jobs of the cluster"),
        Block::paragraph("Of the run that made a result; no part of it."),
        Block::table(grid),
    ]
}
