//! What a run gave, in the form of a lock file.

use std::collections::{BTreeMap, BTreeSet};

use super::open::Opened;
use crate::{
    digest::Parts,
    error::Result,
    exec::Summary,
    files,
    record::{Evaluation, Headline, LockedStage},
    stage::{Resource, Source},
};

/// Every finished stage of a run.
pub(super) fn finished(
    opened: &Opened,
    summary: &Summary,
) -> Result<BTreeMap<String, LockedStage>> {
    let mut all = BTreeMap::new();
    let mut tensors = BTreeSet::new();
    // Upstream stages come first in a summary, so that one pass knows what lies behind a tensor stage.
    for finished in summary.stages() {
        let Some(stage) = opened.stages.iter().find(|s| s.id() == finished.id) else {
            continue;
        };
        let after_tensors = stage
            .inputs()
            .iter()
            .any(|input| matches!(&input.source, Source::Stage { id, .. } if tensors.contains(id)));
        if after_tensors || stage.resource() == Resource::Tensor {
            tensors.insert(finished.id.clone());
        }
        let Some(record) = &finished.record else {
            continue;
        };
        let metrics = match record.outputs.contains_key(Evaluation::FILE) {
            true => {
                let path = summary.output(&finished.id, Evaluation::FILE)?;
                Headline::of(&files::read_json::<Evaluation>(&path)?)
            }
            false => BTreeMap::new(),
        };
        let document = &record.document;
        let mut asked = Parts::new("kfood 2026 asked of a stage");
        asked
            .part(&document.kind)
            .part(document.version.to_le_bytes())
            .part(document.settings.to_string());
        // Which output of which stage it reads is asked of it too: `best` or `last`, this model or that.
        for input in stage.inputs() {
            asked.part(&input.role);
            match &input.source {
                Source::Stage { id, output } => asked.part(id).part(output),
                Source::Files => asked.part("files"),
            };
        }
        all.insert(
            finished.id.clone(),
            LockedStage {
                key: record.key,
                asked: asked.finish(),
                after_tensors,
                outputs: record
                    .outputs
                    .iter()
                    .map(|(name, o)| (name.clone(), o.digest))
                    .collect(),
                fingerprint: record.fingerprint.clone(),
                metrics,
            },
        );
    }
    Ok(all)
}
