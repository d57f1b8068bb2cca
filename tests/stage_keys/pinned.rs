//! The content of the keys of one pipeline, as it was.

use std::collections::BTreeSet;

use kfood::{
    config::KINDS,
    data::{JPEG_BY_COMPONENTS, JPEG_DECODER},
};
use serde_json::{Value, json};

use super::{PIPELINE, inputs, stages_of};

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
},
{
    "id": "suspects", "kind": "audit", "version": 1,
    "settings": { "on": ["test"] },
    "inputs": {
        "evaluation.0000.metrics": "together/metrics.json",
        "evaluation.0000.predictions": "together/predictions.csv",
        "evaluation.0000.log_probabilities": "together/log_probabilities.f32"
    },
    "outputs": ["label_issues.json", "corrections.csv"]
},
{
    "id": "certain", "kind": "calibrate", "version": 3,
    "settings": { "precision": 0.95 },
    "inputs": {
        "evaluation.0000.metrics": "together/metrics.json",
        "evaluation.0000.predictions": "together/predictions.csv",
        "evaluation.0000.log_probabilities": "together/log_probabilities.f32"
    },
    "outputs": ["calibration.json"]
}
]"#;

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
    let pinned: BTreeSet<_> = stages_of(PIPELINE).iter().map(|s| s.kind()).collect();
    assert_eq!(
        pinned,
        BTreeSet::from(KINDS.each_ref().map(|kind| kind.name))
    );
}
