//! Transfers: what is frozen, thawed and kept.

use kfood::{
    digest::Digest,
    event::StageEvent,
    model,
    record::{Job, Start},
    settings::{Arch, MeanStd, Normalize, TrainLayers},
};
use serde_json::json;

use super::{SIDE, World, augmented, digests, fit, outputs, slow, weights, work};

fn norm(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn several_batches_to_a_step_move_as_one_of_their_size_where_batch_norms_are_frozen() {
    let world = World::small();
    let source = world.settled().out.join("last.safetensors");
    let run = |name: &str, size: u32, steps: u32| {
        let mut settings = slow(2);
        settings["batch_size"] = size.into();
        settings["accumulation_steps"] = steps.into();
        let job = world.transfer(name, &source, TrainLayers::Head, settings);
        outputs(&job);
        weights(&job.out.join("last.safetensors"))
            .get("fc.weight")
            .unwrap()
            .to_f32()
    };
    // 18 images train: the last step of an epoch has 6, in batches of 4 and 2.
    let (one, three) = (run("one", 12, 1), run("three", 4, 3));
    let apart =
        |other: &[f32]| norm(one.iter().zip(other).map(|(a, b)| a - b)) / norm(one.iter().copied());
    assert!(apart(&three) < 1e-6, "{}", apart(&three));
    let smaller = apart(&run("smaller", 4, 1));
    assert!(smaller > 1e-3, "{smaller}");
}

#[test]
fn layers_that_are_not_thawed_yet_stay_bit_equal_statistics_too() {
    let world = World::small();
    let source = world.fit("source", Arch::Resnet18, augmented(1));
    outputs(&source);
    let source = source.out.join("best.safetensors");
    let before = weights(&source);
    let gradual = |name: &str, epochs: u32| {
        let layers = serde_json::from_value(json!({ "from": "layer3" })).unwrap();
        let settings = json!({ "epochs": epochs, "optimizer": { "adam": { "lr": 0.001, "weight_decay": 0.1 } } });
        let mut job = world.transfer(name, &source, layers, settings);
        let Start::Transfer {
            gradual_unfreezing, ..
        } = &mut job.start
        else {
            panic!("no transfer");
        };
        *gradual_unfreezing = serde_json::from_value(json!({ "epochs": 1 })).unwrap();
        job
    };
    for (epochs, moves) in [
        (1, ["fc"].as_slice()),
        (2, ["layer4", "fc"].as_slice()),
        (4, ["layer3", "layer4", "fc"].as_slice()),
    ] {
        let job = gradual(&format!("{epochs} epochs"), epochs);
        outputs(&job);
        for (tensor, value) in weights(&job.out.join("last.safetensors")).iter() {
            let moved = before.get(tensor) != Some(value);
            let may = moves.iter().any(|layer| tensor.starts_with(layer));
            assert_eq!(moved, may, "{epochs} epochs: `{tensor}`");
        }
    }
    let broken = gradual("broken", 4);
    let ran = work(
        &Job::Fit(broken.clone()),
        |e| matches!(e, StageEvent::Epoch(e) if e.epoch == 2),
    );
    assert_eq!(ran.code, Some(130));
    let unbroken = gradual("4 epochs", 4);
    assert_eq!(outputs(&broken), digests(&unbroken.out));
    // Each layer counts its own steps of 3 an epoch, as PyTorch does for each parameter.
    let (state, _) =
        model::safetensors::read(&unbroken.state.join("optimizer-4.safetensors")).unwrap();
    let steps = |group: u32| state.get(&format!("step.{group}")).unwrap().to_f32();
    assert_eq!([0, 1, 2].map(steps), [[6.0], [9.0], [12.0]]);
}

#[test]
fn what_is_frozen_stays_bit_equal_statistics_too() {
    let world = World::small();
    let source = world.fit("source", Arch::Resnet18, augmented(1));
    outputs(&source);
    let source = source.out.join("best.safetensors");
    let before = weights(&source);
    let health = World::new(2, 12, SIDE, true);
    for (layers, moves) in [
        (json!("head"), ["fc"].as_slice()),
        (json!({ "from": "layer4" }), ["layer4", "fc"].as_slice()),
        (json!("all"), [""].as_slice()),
    ] {
        let name = layers.to_string().replace('"', "");
        let layers = serde_json::from_value(layers).unwrap();
        let settings = json!({ "epochs": 1, "batch_size": 4, "optimizer": { "adam": { "lr": 0.001, "weight_decay": 0.1 } } });
        let job = health.transfer(&name, &source, layers, settings);
        outputs(&job);
        let after = model::load(&job.out.join("last.safetensors")).unwrap();
        assert_eq!(after.classes, 2);
        // The normalisation of the source is kept.
        let info = model::load(&source).unwrap().info.unwrap();
        assert_eq!(
            after.info.unwrap().transform.normalize,
            info.transform.normalize
        );
        for (tensor, value) in after.state.iter() {
            let moved = before.get(tensor) != Some(value);
            let may = moves.iter().any(|layer| tensor.starts_with(layer));
            assert_eq!(moved, may, "{name}: `{tensor}`");
        }
    }
}

#[test]
fn a_transfer_from_a_pytorch_file_needs_to_be_told_its_normalisation() {
    let world = World::small();
    let source = world.settled().out.join("best.safetensors");
    let theirs = world.folder.path().join("theirs.pt");
    model::pytorch::write(&theirs, &weights(&source), None).unwrap();

    let health = World::new(2, 12, SIDE, true);
    let mut job = health.transfer("head", &theirs, TrainLayers::Head, slow(1));
    // A PyTorch file says nothing of pixels: a guess would train a model that sees other images than its trunk learned from.
    let ran = fit(&job);
    assert_eq!(ran.code, Some(2), "{:?}", ran.events.last());
    assert!(
        ran.failure()
            .contains("theirs.pt` does not say how its pixels are normalised"),
        "{}",
        ran.failure()
    );
    assert!(ran.failure().contains("\nhelp: give `normalize`"));
    assert!(!job.out.join("last.safetensors").exists());

    let Start::Transfer { model: file, .. } = &mut job.start else {
        panic!("no transfer");
    };
    file.normalize = Some(Normalize::Imagenet);
    outputs(&job);
    let before = weights(&source);
    assert_eq!(weights(&theirs), before);
    let after = model::load(&job.out.join("last.safetensors")).unwrap();
    let info = after.info.unwrap();
    assert_eq!((after.arch, after.classes), (Arch::Resnet18, 2));
    assert_eq!(info.classes, ["class 0", "class 1"]);
    assert_eq!(info.transform.normalize, MeanStd::IMAGENET);
    assert_eq!(
        info.provenance.source,
        Some(Digest::of_file(&theirs).unwrap())
    );
    for (tensor, value) in after.state.iter() {
        let moved = before.get(tensor) != Some(value);
        assert_eq!(moved, tensor.starts_with("fc."), "`{tensor}`");
    }
}
