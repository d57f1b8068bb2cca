//! What a page tells beyond the results: data sets, every stage, and the files.

use std::{fs, path::Path};

use super::{
    behind::{behind, resolved, sources},
    open::Opened,
    packed::Packed,
    results::{find, in_project},
};
use crate::{
    config::{Instance, Settings},
    exec::{Newest, Summary},
    report::{DataSeen, Results, Source, StageMade, StageTold, Uncalibrated},
    stage::Stage,
    stages::sureness,
};

/// Images of a part whose pixels are looked at for a page.
const LOOKED_AT: usize = 500;

/// What a page tells beyond: data sets, every stage, and the files; of the stages that are asked for, all where none is.
pub(super) fn complete(results: &mut Results, opened: &Opened, newest: &Newest, asked: &[String]) {
    let is_asked = |i: &&Instance| match asked.is_empty() {
        true => !i.is_used(),
        false => asked.iter().any(|name| [&i.id, &i.stage].contains(&name)),
    };
    let ids = opened.pipeline.instances.iter().filter(is_asked);
    let needed = behind(opened, ids.map(|i| i.id.clone()).collect());
    let told_of = |i: &&Instance| asked.is_empty() || needed.contains(i.id.as_str());
    for instance in opened.pipeline.instances.iter().filter(told_of) {
        if let Settings::Preprocess(settings) = &instance.settings {
            // What cannot be read is told of as a stage whose result is not that of now.
            let found = data(opened, &newest.summary, &instance.id, &settings.dataset);
            results.data.extend(found);
        }
    }
    results.sure = results.to_calibrate().and_then(|of| {
        let parts = sureness(|output| newest.summary.output(&of.id, output)).ok()?;
        Some(Uncalibrated {
            of: of.id.clone(),
            stage: of.stage.clone(),
            parts,
        })
    });
    let stages = opened
        .stages
        .iter()
        .filter(|stage| needed.contains(stage.id()));
    results.stages = stages.map(|stage| told(opened, &**stage, newest)).collect();
    let mut files: Vec<&Path> = Vec::new();
    for file in opened.pipeline.instances.iter().map(|i| &*i.location.file) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    // The file that was asked for comes first, behind it those that it uses.
    files.reverse();
    let text = |file: &Path| Some((in_project(opened, file), fs::read_to_string(file).ok()?));
    results.files = files.into_iter().filter_map(text).collect();
}

fn data(opened: &Opened, summary: &Summary, id: &str, dataset: &str) -> Option<DataSeen> {
    let set = Packed::read(summary, id, dataset).ok()?;
    Some(DataSeen {
        source: Source {
            dataset: dataset.to_owned(),
            data: id.to_owned(),
        },
        overview: set.overview(&opened.pipeline, summary, LOOKED_AT).ok()?,
        looks: set.looks(LOOKED_AT).ok()?,
    })
}

fn told(opened: &Opened, stage: &dyn Stage, newest: &Newest) -> StageTold {
    let id = stage.id();
    let made = newest.summary.record(id).map(|record| StageMade {
        earlier: newest.older.iter().any(|older| older.id == id),
        key: record.key.to_string(),
        started: record.started,
        seconds: record.seconds,
        kfood: record.kfood.clone(),
        outputs: (record.outputs.iter())
            .map(|(name, output)| (name.clone(), output.digest.to_string(), output.bytes))
            .collect(),
    });
    StageTold {
        id: id.to_owned(),
        stage: find(opened, id).map_or(id, |i| &i.stage).to_owned(),
        kind: stage.kind(),
        reads: sources(stage).collect(),
        settings: resolved(stage),
        made,
    }
}
