//! What a page tells beyond the results: data sets, every stage, and the files.

use std::{fs, path::Path};

use super::{
    behind::{behind, resolved, sources},
    open::Opened,
    packed::Packed,
    results::{find, in_project},
};
use crate::{
    config::{Instance, Preprocess, Settings},
    exec::{Newest, Summary},
    files,
    record::Split,
    report::{DataSeen, Results, Source, SplitSeen, StageMade, StageTold, Uncalibrated},
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
            let splits = opened.pipeline.instances.iter().filter(told_of);
            let splits = splits.filter(|i| draws_from(i, &settings.dataset));
            let splits: Vec<&str> = splits.map(|i| i.id.as_str()).collect();
            let found = data(opened, &newest.summary, instance, settings, &splits);
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

fn draws_from(instance: &Instance, dataset: &str) -> bool {
    matches!(&instance.settings, Settings::Split(split) if split.dataset == dataset)
}

/// A data set with the parts of the first split of it that has a result.
fn data(
    opened: &Opened,
    summary: &Summary,
    instance: &Instance,
    settings: &Preprocess,
    splits: &[&str],
) -> Option<DataSeen> {
    let (id, dataset) = (&instance.id, &settings.dataset);
    let set = Packed::read(summary, id, dataset).ok()?;
    let read = |id: &&str| -> Option<(String, Split)> {
        let split: Split = files::read_json(&summary.output(id, Split::FILE).ok()?).ok()?;
        // An earlier result may be of other images.
        let fits = split.assignments.len() == set.labels.labels.len();
        fits.then(|| ((*id).to_owned(), split))
    };
    let split = splits.iter().find_map(read);
    let looks = set.looks(split.as_ref().map(|(_, split)| split), LOOKED_AT);
    Some(DataSeen {
        source: Source {
            dataset: dataset.clone(),
            data: id.clone(),
        },
        overview: set.overview(&opened.pipeline, summary, LOOKED_AT).ok()?,
        looks: looks.ok()?,
        split: split.map(|(id, split)| SplitSeen {
            id,
            of: splits.len(),
            folds: split.folds.is_some(),
        }),
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
