//! What of a pipeline goes into the keys of its stages: every setting, in the stage that it changes, and nothing else.

use std::{collections::BTreeMap, fs, path::Path};

use kfood::{
    config,
    data::{JPEG_BY_COMPONENTS, JPEG_DECODER},
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
"#;

const NAMES: [&str; 12] = [
    "dishes", "pixels", "holdout", "five", "deep", "folded", "chosen", "partial", "soup", "both",
    "result", "together",
];

/// Everything that a key is made of, in the order of the file. The names of keys in the settings and the roles are in every
/// cache: to rename one, or to leave one out, makes all results of that kind of stage a miss.
const GOLDEN: &str = r#"[
{
    "id": "dishes", "kind": "dataset", "version": 5,
    "settings": {},
    "inputs": { "train": "files", "test": "files" },
    "outputs": ["images.json", "labels.json"]
},
{
    "id": "pixels", "kind": "preprocess", "version": 6,
    "settings": {
        "pixels": { "resize": { "width": 64, "height": 48, "fit": "squash" }, "filter": "bilinear", "quality": "fast" },
        "unreadable": "fail",
        "storage": "raw",
        "fast": "components"
    },
    "inputs": { "images": "dishes/images.json" },
    "outputs": ["pixels.pack", "photographs.json", "look_alikes.json"]
},
{
    "id": "holdout", "kind": "split", "version": 1,
    "settings": { "validation": 0.25, "seed": 7 },
    "inputs": { "labels": "dishes/labels.json" },
    "outputs": ["membership.json"]
},
{
    "id": "five", "kind": "split", "version": 1,
    "settings": { "folds": 5, "seed": 7 },
    "inputs": { "labels": "dishes/labels.json" },
    "outputs": ["membership.json"]
},
{
    "id": "deep", "kind": "train", "version": 2,
    "settings": {
        "arch": "resnet18",
        "zero_init_residual": true,
        "fold": null,
        "pixels": { "resize": { "width": 64, "height": 48, "fit": "squash" }, "filter": "bilinear", "quality": "fast" },
        "training": {
            "epochs": 3,
            "batch_size": 16,
            "optimizer": { "sgd": { "lr": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": 0.0005 } },
            "norm_weight_decay": 0.0,
            "bias_weight_decay": 0.001,
            "layer_decay": 0.75,
            "clip_grad_norm": 2.0,
            "clip_grad_value": 0.5,
            "accumulation_steps": 2,
            "ema": { "decay": 0.99, "warmup": true },
            "schedule": { "step": { "step_size": 2, "gamma": 0.5, "warmup_epochs": 1, "interval": "epoch" } },
            "loss": "cross_entropy",
            "label_smoothing": 0.1,
            "class_weights": null,
            "sampling": "shuffle",
            "repeated_augmentation": 1,
            "augment": [
                { "random_rotation": 15.0 },
                { "center_crop": 40 },
                { "random_resized_crop": { "size": 32, "scale": [0.08, 1.0], "ratio": [0.75, 1.3333333333333333] } },
                { "random_horizontal_flip": 0.5 },
                { "random_vertical_flip": 0.25 }
            ],
            "mix": null,
            "progressive_resizing": { "from": 16, "epochs": 2, "hold_epochs": 0, "multiple_of": 32 },
            "normalize": "dataset",
            "test_resolution": 48,
            "precision": "auto",
            "keep_last": 2,
            "early_stopping": { "patience": 2, "min_delta": 0.0, "monitor": "validation.top1" },
            "seed": 7
        }
    },
    "inputs": { "pack": "pixels/pixels.pack", "labels": "dishes/labels.json", "split": "holdout/membership.json" },
    "outputs": ["best.safetensors", "last.safetensors", "history.json", "kept.safetensors"]
},
{
    "id": "folded", "kind": "train", "version": 2,
    "settings": {
        "arch": "resnet34",
        "zero_init_residual": false,
        "fold": 1,
        "pixels": { "resize": { "width": 64, "height": 48, "fit": "squash" }, "filter": "bilinear", "quality": "fast" },
        "training": {
            "epochs": 2,
            "batch_size": 32,
            "optimizer": { "adamw": { "lr": 0.002, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01 } },
            "norm_weight_decay": null,
            "bias_weight_decay": null,
            "layer_decay": 1.0,
            "clip_grad_norm": null,
            "clip_grad_value": null,
            "accumulation_steps": 1,
            "ema": null,
            "schedule": { "cosine": { "min_lr": 0.0, "warmup_epochs": 0, "interval": "epoch" } },
            "loss": "cross_entropy",
            "label_smoothing": 0.0,
            "class_weights": null,
            "sampling": "shuffle",
            "repeated_augmentation": 1,
            "augment": [],
            "mix": null,
            "normalize": { "given": { "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25] } },
            "precision": "f32",
            "early_stopping": null,
            "seed": 7
        }
    },
    "inputs": { "pack": "pixels/pixels.pack", "labels": "dishes/labels.json", "split": "five/membership.json" },
    "outputs": ["best.safetensors", "last.safetensors", "history.json"]
},
{
    "id": "chosen", "kind": "select", "version": 1,
    "settings": { "groups": [0, 1], "by": "validation.loss", "checkpoint": "best" },
    "inputs": {
        "candidate.0000.history": "deep/history.json",
        "candidate.0000.best": "deep/best.safetensors",
        "candidate.0000.last": "deep/last.safetensors",
        "candidate.0001.history": "folded/history.json",
        "candidate.0001.best": "folded/best.safetensors",
        "candidate.0001.last": "folded/last.safetensors"
    },
    "outputs": ["best.safetensors", "last.safetensors", "history.json", "selection.json"]
},
{
    "id": "partial", "kind": "transfer", "version": 2,
    "settings": {
        "fold": null,
        "train_layers": { "from": "layer3" },
        "gradual_unfreezing": { "epochs": 2 },
        "keep_normalize": true,
        "source_normalize": null,
        "pixels": { "resize": { "width": 64, "height": 48, "fit": "squash" }, "filter": "bilinear", "quality": "fast" },
        "training": {
            "epochs": 9,
            "batch_size": 32,
            "optimizer": { "adam": { "lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0 } },
            "norm_weight_decay": null,
            "bias_weight_decay": null,
            "layer_decay": 1.0,
            "clip_grad_norm": null,
            "clip_grad_value": null,
            "accumulation_steps": 1,
            "ema": null,
            "schedule": { "constant": { "warmup_epochs": 0, "interval": "epoch" } },
            "loss": "cross_entropy",
            "label_smoothing": 0.0,
            "class_weights": null,
            "sampling": "shuffle",
            "repeated_augmentation": 1,
            "augment": [],
            "mix": null,
            "normalize": "none",
            "precision": "auto",
            "early_stopping": null,
            "seed": 7
        }
    },
    "inputs": {
        "pack": "pixels/pixels.pack",
        "labels": "dishes/labels.json",
        "split": "holdout/membership.json",
        "model": "chosen/best.safetensors"
    },
    "outputs": ["best.safetensors", "last.safetensors", "history.json"]
},
{
    "id": "soup", "kind": "average", "version": 1,
    "settings": {
        "rule": "greedy",
        "by": "validation.top1",
        "batch_norm": "recompute",
        "fold": null,
        "batch_size": 8,
        "seed": 7
    },
    "inputs": {
        "pack": "pixels/pixels.pack",
        "labels": "dishes/labels.json",
        "split": "holdout/membership.json",
        "member.0000": "deep/best.safetensors",
        "member.0001": "partial/best.safetensors"
    },
    "outputs": ["best.safetensors", "last.safetensors", "history.json", "averaging.json"]
},
{
    "id": "both", "kind": "ensemble", "version": 1,
    "settings": {},
    "inputs": { "member.0000": "deep/last.safetensors", "member.0001": "partial/last.safetensors" },
    "outputs": ["ensemble.safetensors"]
},
{
    "id": "result", "kind": "evaluate", "version": 4,
    "settings": {
        "on": ["test"],
        "batch_size": 32,
        "fold": null,
        "pixels": { "resize": { "width": 64, "height": 48, "fit": "squash" }, "filter": "bilinear", "quality": "fast" },
        "normalize": null,
        "classes": null
    },
    "inputs": {
        "model": "partial/best.safetensors",
        "pack": "pixels/pixels.pack",
        "look_alikes": "pixels/look_alikes.json",
        "images": "dishes/images.json",
        "labels": "dishes/labels.json",
        "split": "holdout/membership.json"
    },
    "outputs": ["metrics.json", "predictions.csv", "log_probabilities.f32"]
},
{
    "id": "together", "kind": "evaluate", "version": 4,
    "settings": {
        "on": ["train", "validation", "test"],
        "tta": ["horizontal_flip"],
        "batch_size": 32,
        "fold": null,
        "pixels": { "resize": { "width": 64, "height": 48, "fit": "squash" }, "filter": "bilinear", "quality": "fast" },
        "normalize": null,
        "classes": null
    },
    "inputs": {
        "model": "both/ensemble.safetensors",
        "pack": "pixels/pixels.pack",
        "look_alikes": "pixels/look_alikes.json",
        "images": "dishes/images.json",
        "labels": "dishes/labels.json",
        "split": "holdout/membership.json"
    },
    "outputs": ["metrics.json", "predictions.csv", "log_probabilities.f32"]
}
]"#;

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

#[test]
fn what_goes_into_the_keys_is_pinned() {
    let mut expected: Vec<Value> = serde_json::from_str(GOLDEN).unwrap();
    // Built in another way than usual, the decoder is a setting too.
    let preprocess = expected.iter_mut().find(|s| s["kind"] == "preprocess");
    let settings = &mut preprocess.unwrap()["settings"];
    if !JPEG_BY_COMPONENTS {
        settings.as_object_mut().unwrap().remove("fast");
    }
    if JPEG_DECODER != "libjpeg-turbo" {
        settings["jpeg_decoder"] = JPEG_DECODER.into();
    }
    let found: Vec<Value> = stages_of(PIPELINE)
        .iter()
        .map(|stage| {
            json!({
                "id": stage.id(),
                "kind": stage.kind(),
                "version": stage.version(),
                "settings": stage.settings(),
                "inputs": inputs(stage.as_ref()),
                "outputs": stage.outputs(),
            })
        })
        .collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            found == expected,
            "`{}` is now\n{found:#}\nand was\n{expected:#}\nIf that is meant, change this text; where only the result \
             changes and not the settings, raise the stage's version.",
            found["id"].as_str().unwrap_or_default()
        );
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn every_kind_of_stage_is_among_the_pinned() {
    let mut kinds: Vec<_> = stages_of(PIPELINE).iter().map(|s| s.kind()).collect();
    kinds.dedup();
    let all = [
        "dataset",
        "preprocess",
        "split",
        "train",
        "select",
        "transfer",
        "average",
        "ensemble",
        "evaluate",
    ];
    assert_eq!(kinds, all);
}

#[test]
fn the_folder_and_the_place_of_the_data_are_no_settings() {
    let expected = settings(&stages_of(PIPELINE));
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("두 번째 project/pipelines");
    assert_eq!(settings(&stages(PIPELINE, &deep)), expected);
    let moved = PIPELINE.replace("\"data/", "\"/somewhere/else/");
    assert_ne!(moved, PIPELINE);
    assert_eq!(settings(&stages_of(&moved)), expected);
}

#[test]
fn names_of_stages_are_no_settings() {
    let mut renamed = PIPELINE.to_owned();
    for (i, name) in NAMES.iter().enumerate() {
        for (from, to) in [
            (format!(".{name}]"), format!(".other{i}]")),
            (format!("\"{name}\""), format!("\"other{i}\"")),
        ] {
            renamed = renamed.replace(&from, &to);
        }
        assert!(!renamed.contains(name), "`{name}` is left in\n{renamed}");
    }
    let (before, after) = (stages_of(PIPELINE), stages_of(&renamed));
    assert_eq!(settings(&after), settings(&before));
    let roles = |stages: &[Box<dyn Stage>]| -> Vec<Vec<String>> {
        let inputs = stages.iter().map(|stage| stage.inputs());
        inputs
            .map(|inputs| inputs.into_iter().map(|input| input.role).collect())
            .collect()
    };
    assert_eq!(roles(&after), roles(&before));
}

#[test]
fn comments_and_the_order_of_tables_and_lines_are_no_settings() {
    let expected = by_id(&stages_of(PIPELINE));
    let (head, tables) = PIPELINE.split_once("\n[").unwrap();
    let mut text = format!("# A comment.\n{head} # seed = 8\n");
    for table in tables.split("\n[").collect::<Vec<_>>().into_iter().rev() {
        let mut lines = table.lines().filter(|line| !line.is_empty());
        text.push_str(&format!("\n\n[{} # A name.\n", lines.next().unwrap()));
        for line in lines.rev() {
            text.push_str(&format!("   {line}   # epochs = 9\n# [train.none]\n"));
        }
    }
    let found = stages_of(&text);
    // Another order it is: behind the data set, what was written last comes first.
    assert_eq!(found[1].id(), "five");
    assert_eq!(by_id(&found), expected);
    let crlf = PIPELINE.replace('\n', "\r\n");
    assert_eq!(by_id(&stages_of(&crlf)), expected);
}

#[test]
fn a_default_that_is_written_out_changes_nothing() {
    let expected = by_id(&stages_of(PIPELINE));
    for (from, to) in [
        ("height = 48 }", "height = 48 }\nfilter = \"bilinear\""),
        ("patience = 2", "patience = 2, min_delta = 0"),
        (
            "patience = 2",
            "patience = 2, monitor = \"validation.top1\"",
        ),
        ("size = 32", "size = 32, scale = [0.08, 1]"),
        ("from = 16", "from = 16, hold_epochs = 0, multiple_of = 32"),
        ("lr = 0.002", "lr = 0.002, betas = [0.9, 0.999], eps = 1e-8"),
        ("lr = 0.002", "lr = 0.002, weight_decay = 0.01"),
        ("schedule.cosine = {}", "schedule.cosine = { min_lr = 0 }"),
        (
            "precision = \"f32\"",
            "precision = \"f32\"\nbatch_size = 32",
        ),
        ("epochs = 9\n", "epochs = 9\nschedule.constant = {}\n"),
        (
            "epochs = 9\n",
            "epochs = 9\nseed = 7\nloss = \"cross_entropy\"\n",
        ),
        (
            "epochs = 9\n",
            "epochs = 9\nprecision = \"auto\"\naugment = []\n",
        ),
        ("epochs = 9\n", "epochs = 9\nlabel_smoothing = 0\n"),
        (
            "epochs = 9\n",
            "epochs = 9\ndeterministic = true\nallow_tf32 = false\n",
        ),
        // No default, but when a training saves its state changes no result.
        ("epochs = 9\n", "epochs = 9\nsave = { every = \"90s\" }\n"),
        (
            "epochs = 9\n",
            "epochs = 9\nsampling = \"shuffle\"\nrepeated_augmentation = 1\n",
        ),
        (
            "by = \"validation.loss\"",
            "by = \"validation.loss\"\ncheckpoint = \"best\"",
        ),
        (
            "on = [\"test\"]",
            "on = [\"test\"]\nbatch_size = 32\ncheckpoint = \"best\"",
        ),
        (
            "on = [\"test\"]",
            "on = [\"test\"]\ndata = \"pixels\"\nsplit = \"holdout\"",
        ),
    ] {
        assert_eq!(by_id(&stages_of(&edited(from, to))), expected, "{to}");
    }
}

#[test]
fn a_loss_may_be_a_word_and_then_has_its_defaults() {
    for (word, table) in [
        ("loss = \"bce\"", "loss.bce = {}"),
        ("loss = \"focal\"", "loss.focal = { gamma = 2 }"),
    ] {
        let [word, table] = [word, table].map(|loss| {
            let text = edited("epochs = 9\n", &format!("epochs = 9\n{loss}\n"));
            by_id(&stages_of(&text))
        });
        assert_eq!(word, table);
    }
}

#[test]
fn augmentations_are_written_with_their_defaults_and_one_number_as_its_range() {
    let stages = stages_of(&edited(
        "augment = [{ random_rotation = 15 }, ",
        r#"augment = [{ random_affine = { shear = 5 } }, { color_jitter = { brightness = 0.5, hue = 0.1 } }, { random_grayscale = 0.2 },
            { gaussian_blur = { kernel_size = 5 } }, { rand_augment = {} }, { trivial_augment_wide = {} }, { auto_augment = "imagenet" }, "#,
    ));
    let (deep, _) = &by_id(&stages)["deep"];
    let written = deep["training"]["augment"].as_array().unwrap();
    assert_eq!(
        Value::from(written[..7].to_vec()),
        json!([
            { "random_affine": {
                "degrees": [0.0, 0.0], "translate": [0.0, 0.0], "scale": [1.0, 1.0], "shear": [-5.0, 5.0, 0.0, 0.0]
            } },
            { "color_jitter": {
                "brightness": [0.5, 1.5], "contrast": [1.0, 1.0], "saturation": [1.0, 1.0], "hue": [-0.1, 0.1], "p": 1.0
            } },
            { "random_grayscale": 0.2 },
            { "gaussian_blur": { "kernel_size": 5, "sigma": [0.1, 2.0], "p": 1.0 } },
            { "rand_augment": { "num_ops": 2, "magnitude": 9, "num_magnitude_bins": 31 } },
            { "trivial_augment_wide": { "num_magnitude_bins": 31 } },
            { "auto_augment": "imagenet" }
        ])
    );
    let stages = stages_of(&edited(
        "{ random_vertical_flip = 0.25 }]",
        "{ random_erasing = {} }]",
    ));
    let (deep, _) = &by_id(&stages)["deep"];
    assert_eq!(
        deep["training"]["augment"][4],
        json!({ "random_erasing": { "p": 0.5, "scale": [0.02, 0.33], "ratio": [0.3, 3.3], "value": [0.0, 0.0, 0.0] } })
    );
}

/// Asserts which stages have other settings after an edit, and that no stage has other inputs.
#[track_caller]
fn changes_settings(from: &str, to: &str, expected: &[&str]) {
    let (before, after) = (
        by_id(&stages_of(PIPELINE)),
        by_id(&stages_of(&edited(from, to))),
    );
    let mut found = Vec::new();
    for name in NAMES {
        let ((was, read), (is, reads)) = (&before[name], &after[name]);
        assert_eq!(reads, read, "inputs of `{name}`: {from} -> {to}");
        if was != is {
            found.push(name);
        }
    }
    assert_eq!(found, expected, "{from} -> {to}");
}

#[test]
fn each_setting_of_a_stage_changes_the_settings_of_that_stage_alone() {
    for (stage, from, to) in [
        ("holdout", "validation = 0.25", "validation = 0.3"),
        (
            "holdout",
            "validation = 0.25",
            "validation = 0.25\nseed = 8",
        ),
        ("five", "folds = 5", "folds = 4"),
        ("five", "folds = 5", "folds = 5\nseed = 8"),
        ("deep", "resnet18", "resnet50"),
        ("deep", "epochs = 3", "epochs = 4"),
        ("deep", "epochs = 3", "epochs = 3\nseed = 8"),
        ("deep", "batch_size = 16", "batch_size = 8"),
        ("deep", "lr = 0.1,", "lr = 0.10000000000000002,"),
        ("deep", "momentum = 0.9", "momentum = 0.8"),
        ("deep", "nesterov = true", "nesterov = false"),
        ("deep", "weight_decay = 0.0005", "weight_decay = 0.0001"),
        ("deep", "norm_weight_decay = 0\n", ""),
        ("deep", "bias_weight_decay = 0.001", "bias_weight_decay = 0"),
        ("deep", "layer_decay = 0.75", "layer_decay = 0.5"),
        ("deep", "clip_grad_norm = 2\n", ""),
        ("deep", "clip_grad_value = 0.5", "clip_grad_value = 1"),
        ("deep", "accumulation_steps = 2", "accumulation_steps = 3"),
        ("deep", "decay = 0.99,", "decay = 0.999,"),
        ("deep", ", warmup = true", ""),
        ("deep", "zero_init_residual = true\n", ""),
        ("deep", "step_size = 2", "step_size = 1"),
        ("deep", "gamma = 0.5", "gamma = 0.25"),
        ("deep", "warmup_epochs = 1", "warmup_epochs = 2"),
        ("deep", "label_smoothing = 0.1", "label_smoothing = 0.2"),
        ("deep", "epochs = 3", "epochs = 3\nloss.focal = {}"),
        ("deep", "epochs = 3", "epochs = 3\nloss.bce = {}"),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nclass_weights = \"balanced\"",
        ),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nclass_weights = { a = 2 }",
        ),
        ("deep", "epochs = 3", "epochs = 3\nsampling = \"balanced\""),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nrepeated_augmentation = 2",
        ),
        ("deep", "epochs = 3", "epochs = 3\nmix = { mixup = {} }"),
        (
            "deep",
            "epochs = 3",
            "epochs = 3\nmix = { cutmix = {}, off_epochs = 1 }",
        ),
        ("deep", "random_rotation = 15", "random_rotation = 10"),
        ("deep", "center_crop = 40", "center_crop = 39"),
        ("deep", "size = 32", "size = 31"),
        ("deep", "size = 32", "size = 32, scale = [0.5, 1]"),
        ("deep", "size = 32", "size = 32, ratio = [1, 1]"),
        (
            "deep",
            "{ random_horizontal_flip = 0.5 }, { random_vertical_flip = 0.25 }",
            "{ random_vertical_flip = 0.25 }, { random_horizontal_flip = 0.5 }",
        ),
        ("deep", ", { random_vertical_flip = 0.25 }", ""),
        (
            "deep",
            "normalize = \"dataset\"",
            "normalize = \"imagenet\"",
        ),
        ("deep", "epochs = 3", "epochs = 3\ndeterministic = false"),
        ("deep", "epochs = 3", "epochs = 3\nallow_tf32 = true"),
        ("deep", "keep_last = 2", "keep_last = 3"),
        ("deep", "keep_last = 2\n", ""),
        ("deep", "test_resolution = 48\n", ""),
        ("deep", "test_resolution = 48", "test_resolution = 64"),
        (
            "deep",
            "progressive_resizing = { from = 16, epochs = 2 }\n",
            "",
        ),
        ("deep", "from = 16", "from = 24"),
        ("deep", "from = 16", "from = 16, multiple_of = 8"),
        (
            "deep",
            "from = 16, epochs = 2",
            "from = 16, epochs = 1, hold_epochs = 1",
        ),
        ("deep", "patience = 2", "patience = 3"),
        ("deep", "patience = 2", "patience = 2, min_delta = 0.01"),
        (
            "deep",
            "patience = 2",
            "patience = 2, monitor = \"validation.loss\"",
        ),
        ("folded", "fold = 1", "fold = 2"),
        ("folded", "lr = 0.002", "lr = 0.002, betas = [0.9, 0.99]"),
        ("folded", "lr = 0.002", "lr = 0.002, eps = 1e-7"),
        ("folded", "optimizer.adamw", "optimizer.adam"),
        ("folded", "optimizer.adamw", "optimizer.rmsprop"),
        ("folded", "optimizer.adamw", "optimizer.lamb"),
        (
            "folded",
            "schedule.cosine = {}",
            "schedule.cosine = { min_lr = 1e-5 }",
        ),
        ("folded", "schedule.cosine = {}", "schedule.constant = {}"),
        ("folded", "schedule.cosine = {}", "schedule.one_cycle = {}"),
        (
            "folded",
            "schedule.cosine = {}",
            "schedule.cosine = { interval = \"step\" }",
        ),
        ("folded", "mean = [0.5, 0.5, 0.5]", "mean = [0.5, 0.5, 0.4]"),
        ("folded", "precision = \"f32\"", "precision = \"bf16\""),
        ("folded", "precision = \"f32\"", ""),
        ("chosen", "validation.loss", "validation.top1"),
        ("partial", "{ from = \"layer3\" }", "{ from = \"layer4\" }"),
        (
            "partial",
            "{ from = \"layer3\" }\ngradual_unfreezing = { epochs = 2 }",
            "\"head\"",
        ),
        ("partial", "gradual_unfreezing = { epochs = 2 }", ""),
        (
            "partial",
            "unfreezing = { epochs = 2 }",
            "unfreezing = { epochs = 3 }",
        ),
        ("partial", "{ from = \"layer3\" }", "\"all\""),
        (
            "partial",
            "epochs = 9\n",
            "epochs = 9\nnormalize = \"none\"\n",
        ),
        ("partial", "lr = 0.001", "lr = 0.0011"),
        (
            "result",
            "on = [\"test\"]",
            "on = [\"validation\", \"test\"]",
        ),
        (
            "result",
            "on = [\"test\"]",
            "on = [\"test\"]\nbatch_size = 8",
        ),
    ] {
        changes_settings(from, to, &[stage]);
    }
}

#[test]
fn the_size_of_a_pack_is_a_setting_of_all_that_read_it() {
    // A training writes it into its model's transform, and an evaluation checks the model against it.
    let all = ["pixels", "deep", "folded", "partial", "result", "together"];
    changes_settings("width = 64", "width = 65", &all);
    changes_settings("height = 48", "height = 47", &all);
    for filter in ["bicubic", "lanczos"] {
        let to = format!("height = 48 }}\nfilter = \"{filter}\"");
        changes_settings("height = 48 }", &to, &all);
    }
}

#[test]
fn the_seed_of_the_file_is_a_setting_of_every_stage_that_draws() {
    let all = ["holdout", "five", "deep", "folded", "partial", "soup"];
    changes_settings("seed = 7", "seed = 8", &all);
    changes_settings("seed = 7", "", &all);
}

#[test]
fn a_reference_changes_the_inputs_of_its_stage_and_no_settings() {
    let before = by_id(&stages_of(PIPELINE));
    for (stage, from, to) in [
        ("chosen", "[\"deep\", \"folded\"]", "[\"folded\", \"deep\"]"),
        ("partial", "model = \"chosen\"", "model = \"deep\""),
        ("result", "model = \"partial\"", "model = \"deep\""),
        ("result", "on = [", "checkpoint = \"last\"\non = ["),
        ("result", "on = [", "split = \"five\"\non = ["),
    ] {
        let after = by_id(&stages_of(&edited(from, to)));
        for name in NAMES {
            let ((was, read), (is, reads)) = (&before[name], &after[name]);
            assert_eq!(is, was, "settings of `{name}`: {to}");
            assert_eq!(reads != read, name == stage, "inputs of `{name}`: {to}");
        }
    }
}
