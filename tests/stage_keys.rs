//! What of a pipeline goes into the keys of its stages: every setting, in the stage that it changes, and nothing else.

mod pinned;
mod settings;
mod spelling;

use std::{collections::BTreeMap, fs, path::Path};

use kfood::{
    config,
    stage::{Source, Stage},
};
use serde_json::{Value, json};

/// Every kind of stage, and most settings away from their defaults. The names of stages are words found nowhere else in it.
const PIPELINE: &str = r#"seed = 7

[dataset.dishes]
train = "data/train"
test = "data/test"

[preprocess.pixels]
dataset = "dishes"
resize = { width = 64, height = 48 }

[split.holdout]
dataset = "dishes"
validation = 0.25

[split.five]
dataset = "dishes"
folds = 5

[train.deep]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 3
batch_size = 16
optimizer.sgd = { lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.0005 }
norm_weight_decay = 0
bias_weight_decay = 0.001
layer_decay = 0.75
clip_grad_norm = 2
clip_grad_value = 0.5
accumulation_steps = 2
ema = { decay = 0.99, warmup = true }
zero_init_residual = true
schedule.step = { step_size = 2, gamma = 0.5, warmup_epochs = 1 }
label_smoothing = 0.1
augment = [{ random_rotation = 15 }, { center_crop = 40 }, { random_resized_crop = { size = 32 } }, { random_horizontal_flip = 0.5 }, { random_vertical_flip = 0.25 }]
progressive_resizing = { from = 16, epochs = 2 }
normalize = "dataset"
test_resolution = 48
keep_last = 2
early_stopping = { patience = 2 }

[train.folded]
data = "pixels"
split = "five"
fold = 1
arch = "resnet34"
epochs = 2
optimizer.adamw = { lr = 0.002 }
schedule.cosine = {}
normalize = { mean = [0.5, 0.5, 0.5], std = [0.25, 0.25, 0.25] }
precision = "f32"

[select.chosen]
from = ["deep", "folded"]
by = "validation.loss"

[transfer.partial]
model = "chosen"
data = "pixels"
split = "holdout"
train_layers = { from = "layer3" }
gradual_unfreezing = { epochs = 2 }
epochs = 9
optimizer.adam = { lr = 0.001 }

[average.soup]
from = ["deep", "partial"]
rule = "greedy"
batch_size = 8

[ensemble.both]
from = ["deep", "partial"]
checkpoint = "last"

[evaluate.result]
model = "partial"
on = ["test"]

[evaluate.together]
model = "both"
tta = ["horizontal_flip"]

[audit.suspects]
from = "together"
on = "test"

[calibrate.certain]
from = "together"
precision = 0.95
"#;

const NAMES: [&str; 14] = [
    "dishes", "pixels", "holdout", "five", "deep", "folded", "chosen", "partial", "soup", "both",
    "result", "together", "suspects", "certain",
];

/// The stages of a pipeline in a folder.
#[track_caller]
fn stages(text: &str, folder: &Path) -> Vec<Box<dyn Stage>> {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join("p.toml");
    fs::write(&file, text).unwrap();
    let pipeline = config::load_with(&file, &|_| None);
    let pipeline = pipeline.unwrap_or_else(|m| panic!("{}\n{text}", m.render()));
    let stages = kfood::stages::of(&pipeline);
    assert_eq!(stages.len(), pipeline.instances.len());
    stages
}

#[track_caller]
fn stages_of(text: &str) -> Vec<Box<dyn Stage>> {
    stages(text, tempfile::tempdir().unwrap().path())
}

/// Where each input comes from, by role.
fn inputs(stage: &dyn Stage) -> Value {
    let inputs = stage.inputs();
    let roles: BTreeMap<_, _> = inputs
        .iter()
        .map(|input| {
            let source = match &input.source {
                Source::Stage { id, output } => format!("{id}/{output}"),
                Source::Files => "files".to_owned(),
            };
            (input.role.clone(), source)
        })
        .collect();
    assert_eq!(roles.len(), inputs.len(), "a role twice in {inputs:?}");
    json!(roles)
}

/// The settings in the order of the file.
fn settings(stages: &[Box<dyn Stage>]) -> Vec<Value> {
    stages.iter().map(|stage| stage.settings()).collect()
}

/// The settings and inputs by id.
fn by_id(stages: &[Box<dyn Stage>]) -> BTreeMap<String, (Value, Value)> {
    let rows = stages.iter().map(|stage| {
        let content = (stage.settings(), inputs(stage.as_ref()));
        (stage.id().to_owned(), content)
    });
    rows.collect()
}

/// The pipeline with one text replaced, which must be in it once.
#[track_caller]
fn edited(from: &str, to: &str) -> String {
    assert_eq!(PIPELINE.matches(from).count(), 1, "`{from}`");
    PIPELINE.replace(from, to)
}
