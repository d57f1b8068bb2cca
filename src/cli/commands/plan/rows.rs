//! The rows of a plan: one for each instance, or one for all instances of a stage that has many.

use std::collections::BTreeMap;

use super::{estimate, why};
use crate::{
    exec::{Estimate, StageStatus, Status},
    report::bytes,
    text::{first_items, number, shortened, shown},
};

/// Instances of a stage that are told one by one.
pub(super) const APART: usize = 8;
/// Reasons of a row, or stages that are waited for.
const NAMED: usize = 3;

/// A row without its figures formatted.
pub(super) struct Row {
    /// `run`, or `3 cached, 21 run`.
    pub plan: String,
    /// An instance, or a stage with the number of its instances.
    pub stage: String,
    pub why: String,
    /// Of those that are to run and of which an earlier run tells.
    pub estimate: Option<Estimate>,
}

/// In the order of the plan; `stage_of` names the stage of an instance, and a name among other words has so much `room`.
pub(super) fn rows<'a>(
    all: &'a [StageStatus],
    stage_of: &dyn Fn(&'a str) -> &'a str,
    one_by_one: bool,
    room: usize,
) -> Vec<Row> {
    let mut stages: Vec<(&str, Vec<&StageStatus>)> = Vec::new();
    let mut places = BTreeMap::new();
    for status in all {
        let stage = stage_of(&status.id);
        let place = *places.entry(stage).or_insert_with(|| {
            stages.push((stage, Vec::new()));
            stages.len() - 1
        });
        stages[place].1.push(status);
    }
    let apart = |n: usize| one_by_one || n <= APART;
    if stages.iter().all(|(_, instances)| apart(instances.len())) {
        return all.iter().map(|status| one(status, room)).collect();
    }
    let rows = stages
        .into_iter()
        .flat_map(|(stage, instances)| match apart(instances.len()) {
            true => instances
                .into_iter()
                .map(|status| one(status, room))
                .collect::<Vec<_>>(),
            false => vec![together(stage, &instances, stage_of)],
        });
    rows.collect()
}

fn one(status: &StageStatus, room: usize) -> Row {
    let (word, why) = match &status.status {
        Status::Cached { .. } => ("cached", String::new()),
        Status::Afar { record } => {
            let size = bytes(record.bytes());
            ("fetch", format!("in the remote cache, {size}"))
        }
        Status::Run { reasons, .. } => ("run", why(reasons)),
        Status::Waits { on, .. } => {
            let names = on.iter().map(|id| shortened(&shown(id), room));
            ("waits", format!("waits on {}", first_items(names, NAMED)))
        }
    };
    Row {
        plan: word.to_owned(),
        stage: status.id.clone(),
        why,
        estimate: estimate(&status.status),
    }
}

fn together<'a>(
    stage: &str,
    instances: &[&'a StageStatus],
    stage_of: &dyn Fn(&'a str) -> &'a str,
) -> Row {
    let (mut words, mut reasons) = (Vec::new(), Vec::new());
    for instance in instances {
        let (word, why) = match &instance.status {
            Status::Cached { .. } => ("cached", None),
            Status::Afar { .. } => ("fetch", Some("in the remote cache".to_owned())),
            Status::Run { reasons, .. } => ("run", Some(why(reasons))),
            Status::Waits { on, .. } => ("waits", Some(waits(on, stage_of))),
        };
        add(&mut words, word.to_owned());
        if let Some(why) = why {
            add(&mut reasons, why);
        }
    }
    // What most of them have comes first.
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let told = reasons.iter().map(|(why, n)| match reasons.len() {
        1 => why.clone(),
        _ => format!("{}: {why}", number(*n as u64)),
    });
    Row {
        plan: match words.as_slice() {
            [(word, _)] => word.clone(),
            words => {
                let words = words.iter();
                let words: Vec<_> = words.map(|(word, n)| format!("{n} {word}")).collect();
                words.join(", ")
            }
        },
        stage: format!("{stage} ({})", number(instances.len() as u64)),
        why: first_items(told, NAMED),
        estimate: sum(instances),
    }
}

/// The stages that are waited for, each once.
fn waits<'a>(on: &'a [String], stage_of: &dyn Fn(&'a str) -> &'a str) -> String {
    let mut stages: Vec<&str> = on.iter().map(|id| stage_of(id)).collect();
    stages.dedup();
    format!("waits on {}", first_items(stages, NAMED))
}

/// Counts a word, in the order of first sight.
fn add(counts: &mut Vec<(String, usize)>, word: String) {
    match counts.iter_mut().find(|(found, _)| *found == word) {
        Some((_, n)) => *n += 1,
        None => counts.push((word, 1)),
    }
}

fn sum(instances: &[&StageStatus]) -> Option<Estimate> {
    let known = instances.iter().filter_map(|i| estimate(&i.status));
    known.reduce(|a, b| Estimate {
        seconds: a.seconds + b.seconds,
        bytes: a.bytes + b.bytes,
    })
}
