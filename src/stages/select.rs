//! `[select.x]`: the best of several models.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::ToStage;
use crate::{
    config,
    error::{Error, Result},
    files,
    record::{Candidate, History, Selection, model_files},
    settings::{Checkpoint, Metric},
    stage::{Context, Input, Stage},
};

/// What a training hands on, and a selection after it.
const HANDED_ON: [(&str, &str); 3] = [
    ("history", History::FILE),
    ("best", model_files::BEST),
    ("last", model_files::LAST),
];

/// One `[select.x]` instance.
pub(super) struct SelectStage {
    id: String,
    settings: config::Select,
}

impl SelectStage {
    /// From its settings.
    #[must_use]
    pub(super) fn new(id: &str, settings: &config::Select) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
        }
    }

    fn handed_on(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let last_too = self.settings.last_too;
        let all = HANDED_ON.into_iter();
        all.filter(move |(_, output)| last_too || *output != model_files::LAST)
    }

    /// The epoch with which a candidate counts, and its value there.
    fn value(&self, candidate: usize, history: &History) -> Result<(u32, f64)> {
        let named = || format!("candidate `{}`", self.settings.from[candidate]);
        let epoch = match self.settings.checkpoint {
            Checkpoint::Best => history
                .epochs
                .iter()
                .find(|e| e.epoch == history.best_epoch),
            Checkpoint::Last => history.epochs.last(),
        };
        let epoch = epoch.ok_or_else(|| Error::failed(format!("{} finished no epoch", named())))?;
        let validation = epoch.validation.ok_or_else(|| {
            Error::failed(format!(
                "{} has no validation part, so it has no `{}`",
                named(),
                self.settings.by.name()
            ))
            .help("give its split a larger `validation` share or more images, or `folds`")
        })?;
        Ok((epoch.epoch, validation.of(self.settings.by)))
    }
}

impl ToStage for config::Select {
    fn to_stage(&self, id: &str, _: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(SelectStage::new(id, self)))
    }
}

impl Stage for SelectStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "select"
    }

    fn version(&self) -> u32 {
        1
    }

    fn settings(&self) -> Value {
        let config::Select {
            groups,
            by,
            checkpoint,
            // Inputs, which are in the key by their content, and which of them there are.
            from: _,
            last_too: _,
        } = &self.settings;
        json!({ "groups": groups, "by": by, "checkpoint": checkpoint })
    }

    fn inputs(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        for (i, id) in self.settings.from.iter().enumerate() {
            let handed_on = self.handed_on();
            inputs.extend(handed_on.map(|(what, output)| Input::stage(role(i, what), id, output)));
        }
        inputs
    }

    fn outputs(&self) -> &'static [&'static str] {
        const ALL: &[&str] = &[
            model_files::BEST,
            model_files::LAST,
            History::FILE,
            Selection::FILE,
        ];
        const BEST: &[&str] = &[model_files::BEST, History::FILE, Selection::FILE];
        match self.settings.last_too {
            true => ALL,
            false => BEST,
        }
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let mut values = Vec::new();
        for candidate in 0..self.settings.from.len() {
            let history = files::read_json(&context.input(&role(candidate, "history"))?)?;
            values.push(self.value(candidate, &history)?);
        }
        let selection =
            choose(self.settings.by, &self.settings.groups, &values).ok_or_else(|| {
                Error::failed(format!(
                    "no candidate has a finite `{}`",
                    self.settings.by.name()
                ))
            })?;
        for (what, output) in self.handed_on() {
            let from = context.input(&role(selection.chosen, what))?;
            copy(&from, &context.out.join(output))?;
        }
        files::write_json(&context.out.join(Selection::FILE), &selection)
    }
}

fn role(candidate: usize, what: &str) -> String {
    format!("candidate.{candidate:04}.{what}")
}

/// The group with the best mean, then its best member; of equals the first. A value that is not finite never wins, and neither
/// does its group.
fn choose(by: Metric, groups: &[usize], values: &[(u32, f64)]) -> Option<Selection> {
    let mean = |group: usize| {
        let of_group = || groups.iter().zip(values).filter(|(g, _)| **g == group);
        of_group().map(|(_, (_, value))| value).sum::<f64>() / of_group().count() as f64
    };
    let candidates: Vec<_> = groups
        .iter()
        .zip(values)
        .map(|(&group, &(epoch, value))| Candidate {
            group,
            value,
            group_mean: mean(group),
            epoch,
        })
        .collect();
    let better = |a: f64, b: f64| if by.higher_is_better() { a > b } else { a < b };
    let beats = |a: &Candidate, b: &Candidate| {
        if a.group == b.group {
            better(a.value, b.value)
        } else {
            better(a.group_mean, b.group_mean)
        }
    };
    let mut chosen: Option<usize> = None;
    for (i, candidate) in candidates.iter().enumerate() {
        if candidate.group_mean.is_finite()
            && chosen.is_none_or(|best| beats(candidate, &candidates[best]))
        {
            chosen = Some(i);
        }
    }
    Some(Selection {
        by: by.name().to_owned(),
        candidates,
        chosen: chosen?,
    })
}

/// A copy of a file of the cache. Not a link: damage to one name must not reach the other, and the remembered stat of the
/// original must stay true.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .map(drop)
        .map_err(|e| Error::io("copy", from, e))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use super::*;
    use crate::{
        digest::Digest,
        error::Result,
        record::{Epoch, Measure},
        stage::Desk,
        stop::Stop,
    };

    fn history(best_epoch: u32, top1: &[f64]) -> History {
        let epoch = |(i, top1): (usize, &f64)| Epoch {
            epoch: i as u32 + 1,
            of: 3,
            lr: 0.001,
            train: Measure {
                loss: 1.0,
                top1: 0.5,
            },
            validation: Some(Measure {
                loss: 1.0 - top1,
                top1: *top1,
            }),
        };
        History {
            epochs: top1.iter().enumerate().map(epoch).collect(),
            best_epoch,
            stopped_early: None,
        }
    }

    fn select(
        groups: &[usize],
        checkpoint: Checkpoint,
        histories: &[History],
    ) -> Result<(Selection, String)> {
        let settings = config::Select {
            last_too: true,
            from: (0..groups.len()).map(|i| format!("deeper[{i}]")).collect(),
            groups: groups.to_vec(),
            by: Metric::ValidationTop1,
            checkpoint,
        };
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        files::create_folder(&out).unwrap();
        let mut inputs = BTreeMap::<String, PathBuf>::new();
        for (i, history) in histories.iter().enumerate() {
            for (what, output) in HANDED_ON {
                let path = folder.path().join(format!("{i}.{output}"));
                files::write(&path, format!("{what} of {i}").as_bytes())?;
                if what == "history" {
                    files::write_json(&path, history)?;
                }
                inputs.insert(role(i, what), path);
            }
        }
        SelectStage::new("best", &settings).run(&Context {
            desk: Desk {
                out: &out,
                state: folder.path(),
                key: Digest::of(b"key"),
                kin: Digest::of(b"kin"),
                inputs: &inputs,
                earlier: &[],
                device: "cpu",
                threads: 1,
            },
            files: &BTreeMap::new(),
            unfinished: &[],
            tell: &|_| (),
            stop: &Stop::default(),
        })?;
        let model = files::read_text(&out.join(model_files::BEST))?;
        Ok((files::read_json(&out.join(Selection::FILE))?, model))
    }

    #[test]
    fn the_group_with_the_best_mean_wins_and_then_its_best_member() {
        // The single best run stands in the group with the lower mean.
        let histories = [0.90, 0.40, 0.70, 0.72].map(|v| history(1, &[v]));
        let (selection, model) = select(&[0, 0, 1, 1], Checkpoint::Best, &histories).unwrap();
        assert_eq!(selection.chosen, 3);
        assert_eq!(selection.candidates[2].group_mean, 0.71);
        assert_eq!(selection.by, "validation.top1");
        assert_eq!(model, "best of 3");
    }

    #[test]
    fn best_and_last_count_their_own_epoch() {
        let histories = [history(2, &[0.1, 0.9, 0.2]), history(3, &[0.1, 0.2, 0.5])];
        let (best, _) = select(&[0, 1], Checkpoint::Best, &histories).unwrap();
        assert_eq!((best.chosen, best.candidates[0].epoch), (0, 2));
        let (last, _) = select(&[0, 1], Checkpoint::Last, &histories).unwrap();
        assert_eq!((last.chosen, last.candidates[0].epoch), (1, 3));
    }

    #[test]
    fn of_equals_the_first_is_handed_on() {
        let histories = [0.5, 0.5, 0.5].map(|v| history(1, &[v]));
        assert_eq!(
            select(&[0, 1, 1], Checkpoint::Best, &histories)
                .unwrap()
                .0
                .chosen,
            0
        );
    }

    #[test]
    fn a_lower_loss_is_better() {
        let found = choose(Metric::ValidationLoss, &[0, 1], &[(1, 0.9), (1, 0.3)]).unwrap();
        assert_eq!(found.chosen, 1);
    }

    #[test]
    fn a_value_that_is_not_finite_never_wins() {
        let found = choose(
            Metric::ValidationLoss,
            &[0, 0, 1],
            &[(1, f64::NAN), (1, 0.1), (1, 5.0)],
        )
        .unwrap();
        assert_eq!(found.chosen, 2);
        assert!(choose(Metric::ValidationTop1, &[0], &[(1, f64::NAN)]).is_none());
    }

    #[test]
    fn a_candidate_without_validation_is_an_error_that_names_it() {
        let mut without = history(1, &[0.5]);
        without.epochs[0].validation = None;
        let error = select(&[0, 1], Checkpoint::Best, &[history(1, &[0.5]), without]).unwrap_err();
        assert_eq!(
            error.message(),
            "candidate `deeper[1]` has no validation part, so it has no `validation.top1`"
        );
    }
}
