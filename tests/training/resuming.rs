//! A stopped training goes on to the bits of an unbroken one.

use std::fs;

use kfood::{
    event::StageEvent,
    model,
    record::{Fit, Job},
    settings::Arch,
};
use serde_json::{Value, json};

use super::{World, augmented, digests, fit, outputs, weights, work};

#[test]
fn a_training_that_mixes_balances_and_repeats_is_resumed_bit_for_bit() {
    let world = World::small();
    let mut settings = augmented(4);
    for (key, value) in [
        (
            "mix",
            json!({ "mixup": { "alpha": 0.4 }, "cutmix": {}, "off_epochs": 1 }),
        ),
        ("loss", json!({ "bce": {} })),
        ("class_weights", json!("balanced")),
        ("sampling", json!("balanced")),
        ("repeated_augmentation", json!(2)),
    ] {
        settings[key] = value;
        let whole = world.fit(&format!("{key} whole"), Arch::Resnet18, settings.clone());
        let unbroken = outputs(&whole);
        let job = world.fit(&format!("{key} broken"), Arch::Resnet18, settings.clone());
        let ran = work(
            &Job::Fit(job.clone()),
            |e| matches!(e, StageEvent::Epoch(e) if e.epoch == 2),
        );
        assert_eq!(ran.code, Some(130), "{:?}", ran.events.last());
        assert_eq!(outputs(&job), unbroken, "{key}");
    }
}

#[test]
fn a_stopped_training_goes_on_to_the_bits_of_an_unbroken_one() {
    let world = World::small();
    for (name, optimizer) in [
        ("adam", json!({ "adam": { "lr": 0.001 } })),
        (
            "sgd",
            json!({ "sgd": { "lr": 0.01, "momentum": 0.9, "nesterov": true } }),
        ),
    ] {
        let mut settings = augmented(4);
        settings["optimizer"] = optimizer;
        let unbroken =
            outputs(&world.fit(&format!("{name} whole"), Arch::Resnet18, settings.clone()));
        let job = world.fit(&format!("{name} broken"), Arch::Resnet18, settings);
        let ran = work(
            &Job::Fit(job.clone()),
            |e| matches!(e, StageEvent::Epoch(e) if e.epoch == 2),
        );
        assert_eq!(ran.code, Some(130), "{:?}", ran.events.last());
        assert!(!job.out.join("history.json").exists());

        let ran = fit(&job);
        assert_eq!(ran.code, Some(0));
        // The stop may come before a step of epoch 3 or, as quick as they are here, after one.
        let resumed =
            |e: &StageEvent| matches!(e, StageEvent::Note(n) if n.starts_with("goes on after "));
        assert!(ran.told(resumed));
        assert!(!ran.told(|e| matches!(e, StageEvent::Epoch(e) if e.epoch <= 2)));
        assert_eq!(digests(&job.out), unbroken);
    }
}

/// What makes a step out of more than one batch, or a state beside weights and optimizer.
fn elaborate(optimizer: Value) -> Value {
    json!({
        "epochs": 4,
        "batch_size": 4,
        "optimizer": optimizer,
        "norm_weight_decay": 0.0,
        "layer_decay": 0.8,
        "clip_grad_norm": 1.0,
        "accumulation_steps": 2,
        "ema": { "decay": 0.9, "warmup": true },
    })
}

#[test]
fn a_mean_of_weights_and_steps_of_several_batches_go_on_to_the_same_bits() {
    let world = World::small();
    for (name, optimizer) in [
        ("lamb", json!({ "lamb": { "lr": 0.01 } })),
        (
            "rmsprop",
            json!({ "rmsprop": { "lr": 0.001, "momentum": 0.9, "centered": true } }),
        ),
    ] {
        let whole = world.fit(
            &format!("{name} whole"),
            Arch::Resnet18,
            elaborate(optimizer.clone()),
        );
        let unbroken = outputs(&whole);
        let job = world.fit(
            &format!("{name} broken"),
            Arch::Resnet18,
            elaborate(optimizer),
        );
        let ran = work(
            &Job::Fit(job.clone()),
            |e| matches!(e, StageEvent::Epoch(e) if e.epoch == 2),
        );
        assert_eq!(ran.code, Some(130), "{:?}", ran.events.last());
        assert_eq!(outputs(&job), unbroken);
        // The state that goes on holds the trained weights, and the outputs their mean.
        let at = |job: &Fit| job.state.join("optimizer-4.safetensors");
        let (one, _) = model::safetensors::read(&at(&whole)).unwrap();
        let (other, _) = model::safetensors::read(&at(&job)).unwrap();
        assert_eq!(one, other);
        let last = weights(&job.out.join("last.safetensors"));
        assert_ne!(one.get("trained.fc.weight"), last.get("fc.weight"));
    }
}

#[test]
fn a_corrupt_state_is_a_warning_and_a_fresh_start() {
    let world = World::small();
    let job = world.fit("a", Arch::Resnet18, augmented(2));
    let whole = outputs(&job);
    let damaged = fs::read_dir(&job.state)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.to_string_lossy().contains("optimizer-"))
        .unwrap();
    let mut bytes = fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let ran = fit(&job);
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.told(|e| matches!(e, StageEvent::Warning(w) if w.contains("optimizer-2.safetensors")))
    );
    assert!(ran.told(|e| matches!(e, StageEvent::Epoch(e) if e.epoch == 1)));
    assert_eq!(digests(&job.out), whole);
}
