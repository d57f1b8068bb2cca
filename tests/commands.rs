//! The commands, run as a person runs them.

mod cache;
mod looks;
mod mistakes;
mod new;
#[cfg(feature = "tensors")]
mod outputs;
mod programs;
#[cfg(feature = "tensors")]
mod results;
mod run;
#[cfg(feature = "tensors")]
mod runs;

use crate::support::Project;

/// A pipeline with every kind of stage that trains in a few seconds.
const SMALL: &str = r#"
seed = 7

[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 2
batch_size = 8
optimizer.adam = { lr = 0.001 }
normalize = "dataset"

[select.best]
from = ["net"]
by = "validation.top1"

[transfer.head]
model = "best"
data = "pixels"
split = "holdout"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }
train_layers = "head"

[evaluate.result]
model = "best"

[evaluate.transferred]
model = "head"
on = ["test"]
"#;

pub(super) const FILE: &str = "pipelines/small.toml";

pub(super) fn small() -> Project {
    let project = Project::with_dishes();
    project.write(FILE, SMALL);
    project
}

/// The outcome of each stage in the JSON of a run: id to `ran` or `cached`.
fn outcomes(run: &serde_json::Value) -> Vec<(String, String)> {
    run["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (
                s["id"].as_str().unwrap().to_owned(),
                s["outcome"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn having(run: &serde_json::Value, outcome: &str) -> Vec<String> {
    outcomes(run)
        .into_iter()
        .filter(|(_, o)| o == outcome)
        .map(|(id, _)| id)
        .collect()
}
