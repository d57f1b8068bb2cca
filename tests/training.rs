//! Training, transfer and prediction through `kfood-worker`, on small generated data.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kfood::{
    data::PackWriter,
    digest::Digest,
    event::StageEvent,
    files,
    model::{self, StateDict},
    record::{
        Assignment, Data, Fit, History, Job, Label, Labels, ModelFile, Part, Predict, Split, Start,
        StepTaken, Steps,
    },
    seed::stream,
    settings::{
        Arch, MeanStd, NetworkSettings, Normalize, Pixels, Resize, Save, Storage, TrainLayers,
        Training,
    },
};
use rand::Rng;
use serde_json::{Value, json};

const SIDE: u32 = 32;

/// A data set of coloured noise: every class has a colour of its own.
pub(super) struct World {
    folder: tempfile::TempDir,
    data: Data,
}

impl World {
    pub(super) fn new(classes: u32, images: u32, side: u32, validation: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let data = Data {
            pack: at("pixels.pack"),
            labels: at("labels.json"),
            split: at("membership.json"),
            fold: None,
        };
        let made_of = vec![Digest::of(b""); images as usize];
        let pack = PackWriter::create(&data.pack, side, side, Storage::Raw, made_of).unwrap();
        for i in 0..images {
            pack.write(i as usize, &picture(i % classes, i, side))
                .unwrap();
        }
        pack.finish().unwrap();
        let labels = Labels {
            classes: (0..classes).map(|c| format!("class {c}")).collect(),
            labels: (0..images)
                .map(|i| Label {
                    part: Part::Train,
                    class: i % classes,
                })
                .collect(),
            ..Labels::default()
        };
        let assign = |i| match i % 4 {
            3 if validation => Assignment::Validation,
            _ => Assignment::Train,
        };
        let split = Split {
            folds: None,
            assignments: (0..images).map(assign).collect(),
            left_out: Vec::new(),
        };
        files::write_json(&data.labels, &labels).unwrap();
        files::write_json(&data.split, &split).unwrap();
        Self { folder, data }
    }

    fn small() -> Self {
        Self::new(3, 24, SIDE, true)
    }

    /// A training that writes to a folder of this name.
    pub(super) fn fit(&self, name: &str, arch: Arch, settings: Value) -> Fit {
        Fit {
            data: self.data.clone(),
            pixels: Pixels::new(side(SIDE)),
            training: training(settings),
            start: Start::Scratch(NetworkSettings::of(arch)),
            device: "cpu".to_owned(),
            threads: 1,
            out: self.folder.path().join(name),
            state: self.folder.path().join(format!("{name}.state")),
            save: Save::default(),
            earlier: Vec::new(),
        }
    }

    /// A finished training whose running statistics are those of the images: until they are, a network gives features of any size
    /// where it does not take its batches' own.
    fn settled(&self) -> Fit {
        let job = self.fit("source", Arch::Resnet18, slow(8));
        outputs(&job);
        job
    }

    fn transfer(&self, name: &str, model: &Path, layers: TrainLayers, settings: Value) -> Fit {
        let model = ModelFile {
            path: model.to_owned(),
            normalize: None,
            classes: None,
            weights: None,
        };
        let start = Start::Transfer {
            model,
            train_layers: layers,
            gradual_unfreezing: None,
            stochastic_depth: None,
            dropout: None,
            keep_normalize: true,
        };
        Fit {
            start,
            ..self.fit(name, Arch::Resnet18, settings)
        }
    }
}

fn side(side: u32) -> Resize {
    serde_json::from_value(json!({ "width": side, "height": side })).unwrap()
}

pub(super) fn picture(class: u32, seed: u32, side: u32) -> Vec<u8> {
    let mut rng = stream(seed, "picture", &[]);
    let mut pixels = vec![0; 3 * (side * side) as usize];
    rng.fill_bytes(&mut pixels);
    for pixel in pixels.chunks_exact_mut(3) {
        for (channel, value) in pixel.iter_mut().enumerate() {
            *value = *value / 4
                + if channel == (class % 3) as usize {
                    150
                } else {
                    20
                };
        }
    }
    pixels
}

/// Settings with the ones given on top of short defaults.
fn training(given: Value) -> Training {
    let mut all = json!({
        "epochs": 2,
        "batch_size": 8,
        "optimizer": { "sgd": { "lr": 0.01 } },
        "norm_weight_decay": null,
        "bias_weight_decay": null,
        "layer_decay": 1.0,
        "clip_grad_norm": null,
        "clip_grad_value": null,
        "accumulation_steps": 1,
        "ema": null,
        "schedule": { "constant": {} },
        "loss": "cross_entropy",
        "label_smoothing": 0.0,
        "class_weights": null,
        "sampling": "shuffle",
        "repeated_augmentation": 1,
        "augment": [],
        "mix": null,
        "normalize": "none",
        "precision": "f32",
        "early_stopping": null,
        "seed": 1,
    });
    for (key, value) in given.as_object().unwrap() {
        all[key] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

/// Settings that move the weights by little.
fn slow(epochs: u32) -> Value {
    json!({ "epochs": epochs, "optimizer": { "sgd": { "lr": 0.001 } } })
}

pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) events: Vec<StageEvent>,
}

impl Ran {
    fn failure(&self) -> &str {
        match self.events.last() {
            Some(StageEvent::Failed { message }) => message,
            other => panic!("the last event is {other:?}"),
        }
    }

    pub(super) fn told(&self, wanted: impl Fn(&StageEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }
}

/// Runs a job to its end; asks it to stop once `stop_at` holds for an event.
pub(super) fn work(job: &Job, stop_at: impl Fn(&StageEvent) -> bool) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.json");
    files::write_json(&path, job).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kfood-worker"))
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: StageEvent = serde_json::from_str(&line.unwrap()).unwrap();
        if stop_at(&event) {
            stdin.write_all(b"stop\n").unwrap();
        }
        events.push(event);
    }
    let code = child.wait().unwrap().code();
    Ran { code, events }
}

pub(super) fn fit(job: &Fit) -> Ran {
    work(&Job::Fit(job.clone()), |_| false)
}

/// Runs a training that must succeed; the digests of its outputs.
pub(super) fn outputs(job: &Fit) -> [Digest; 3] {
    let ran = fit(job);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    digests(&job.out)
}

pub(super) fn digests(out: &Path) -> [Digest; 3] {
    ["best.safetensors", "last.safetensors", "history.json"]
        .map(|name| Digest::of_file(&out.join(name)).unwrap())
}

fn history(job: &Fit) -> History {
    files::read_json(&job.out.join("history.json")).unwrap()
}

fn weights(path: &Path) -> StateDict {
    model::load(path).unwrap().state
}

const AUGMENTED: &str = r#"[{"random_rotation": 15}, {"center_crop": 28}, {"random_horizontal_flip": 0.5}, {"trivial_augment_wide": {}},
        {"color_jitter": {"brightness": 0.2, "hue": 0.02, "p": 0.5}}, {"random_erasing": {"p": 0.3, "value": "random"}}]"#;

pub(super) fn augmented(epochs: u32) -> Value {
    json!({
        "epochs": epochs,
        "optimizer": { "adam": { "lr": 0.001 } },
        "schedule": { "cosine": { "warmup_epochs": 1 } },
        "augment": serde_json::from_str::<Value>(AUGMENTED).unwrap(),
        "normalize": "dataset",
        "label_smoothing": 0.1,
    })
}

#[test]
fn a_training_learns_colours_and_says_what_it_saw() {
    let world = World::small();
    let job = world.fit(
        "a",
        Arch::Resnet18,
        json!({ "epochs": 6, "optimizer": { "adam": { "lr": 0.001 } } }),
    );
    let ran = fit(&job);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    assert!(ran.told(|e| matches!(e, StageEvent::Progress { what, unit, .. } if what == "epoch 1/6" && unit == "images")));
    let history = history(&job);
    assert_eq!(history.epochs.len(), 6);
    assert!(history.epochs[5].train.loss < history.epochs[0].train.loss);
    assert!(history.epochs[5].train.top1 > 0.8, "{history:?}");

    let best = model::load(&job.out.join("best.safetensors")).unwrap();
    let info = best.info.unwrap();
    assert_eq!(info.classes, ["class 0", "class 1", "class 2"]);
    assert_eq!(info.epoch.epoch, history.best_epoch);
    assert_eq!(
        info.provenance.pack,
        Digest::of_file(&world.data.pack).unwrap()
    );
    let machine: Value = files::read_json(&job.out.join("fingerprint.json")).unwrap();
    assert_eq!(machine["precision"], "f32");
    assert!(job.out.join("timing.json").exists());
}

#[test]
fn an_equal_seed_gives_equal_bits_and_another_seed_others() {
    let world = World::small();
    let first = outputs(&world.fit("a", Arch::Resnet18, augmented(2)));
    assert_eq!(
        first,
        outputs(&world.fit("b", Arch::Resnet18, augmented(2)))
    );
    let mut other = augmented(2);
    other["seed"] = json!(2);
    assert_ne!(first[1], outputs(&world.fit("c", Arch::Resnet18, other))[1]);
}

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
fn a_weight_of_an_unknown_class_is_told_with_the_classes_there_are() {
    let world = World::small();
    let settings = json!({ "class_weights": { "class 9": 2.0 } });
    let ran = fit(&world.fit("a", Arch::Resnet18, settings));
    let message = ran.failure();
    assert!(
        message.contains("`class_weights` names `class 9`"),
        "{message}"
    );
    assert!(
        message.contains("`class 0`, `class 1`, `class 2`"),
        "{message}"
    );
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

#[test]
fn without_a_validation_part_the_last_epoch_is_the_best() {
    let world = World::new(3, 12, SIDE, false);
    let job = world.fit("a", Arch::Resnet18, json!({}));
    let [best, last, _] = outputs(&job);
    assert_eq!(best, last);
    assert!(history(&job).epochs.iter().all(|e| e.validation.is_none()));

    let rule = json!({ "early_stopping": { "patience": 1 } });
    let ran = fit(&world.fit("b", Arch::Resnet18, rule));
    assert_eq!(ran.code, Some(2));
    assert!(ran.failure().contains("needs a validation part"));
}

#[test]
fn early_stopping_ends_a_training_that_does_not_improve() {
    let world = World::small();
    let settings = json!({
        "epochs": 9,
        "optimizer": { "sgd": { "lr": 1e-12 } },
        "early_stopping": { "patience": 2, "min_delta": 0.9 },
    });
    let job = world.fit("a", Arch::Resnet18, settings);
    outputs(&job);
    let history = history(&job);
    assert_eq!(history.epochs.len(), 3);
    assert!(history.stopped_early.is_some());
}

#[test]
fn a_loss_that_is_no_number_names_the_epoch_and_what_to_try() {
    let world = World::small();
    let ran = fit(&world.fit(
        "a",
        Arch::Resnet18,
        json!({ "optimizer": { "sgd": { "lr": 1e30 } } }),
    ));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.failure().starts_with(
            "the loss is no longer a number from step 2 of 3 in epoch 1 of 2 on, at a learning rate of 1e30; there is no checkpoint yet"
        ),
        "{}",
        ran.failure()
    );
    assert!(ran.failure().contains("\nhelp: lower `lr`"));
}

#[test]
fn a_training_that_is_lost_later_names_a_checkpoint_that_is_usable() {
    let world = World::small();
    // Epoch 1 has a rate of almost nothing; in epoch 2 it is far too high.
    let job = world.fit(
        "a",
        Arch::Resnet18,
        json!({
            "epochs": 3,
            "optimizer": { "sgd": { "lr": 1e-3 } },
            "schedule": { "multi_step": { "milestones": [1], "gamma": 1e33 } },
        }),
    );
    let ran = fit(&job);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.failure().contains("in epoch 2 of 3"),
        "{}",
        ran.failure()
    );
    let checkpoint = job.state.join("epoch-1.safetensors");
    let named = format!("that of epoch 1: `{}`", checkpoint.display());
    assert!(ran.failure().contains(&named), "{}", ran.failure());
    let model = model::load(&checkpoint).unwrap();
    assert_eq!(model.info.unwrap().epoch.epoch, 1);
}

#[test]
fn a_plateau_needs_a_validation_part_and_one_cycle_moves_the_momentum() {
    let world = World::new(3, 12, SIDE, false);
    let ran = fit(&world.fit(
        "a",
        Arch::Resnet18,
        json!({ "schedule": { "plateau": {} } }),
    ));
    assert_eq!(ran.code, Some(2));
    assert!(ran.failure().contains("needs a validation part"));
    let cycle = |name: &str, cycled: bool| {
        let settings = json!({ "schedule": { "one_cycle": { "cycle_momentum": cycled } } });
        outputs(&world.fit(name, Arch::Resnet18, settings))
    };
    assert_eq!(cycle("b", true), cycle("c", true));
    assert_ne!(cycle("d", true)[1], cycle("e", false)[1]);
}

#[test]
fn steps_written_down_are_those_of_the_training() {
    let world = World::small();
    let mut settings = augmented(1);
    settings["schedule"] = json!({ "one_cycle": {} });
    let whole = world.fit("whole", Arch::Resnet18, settings);
    outputs(&whole);
    let alone = Fit {
        out: world.folder.path().join("steps"),
        ..whole.clone()
    };
    // 18 training images in batches of 8.
    let ask = |steps| {
        let fit = alone.clone();
        work(&Job::Steps(Steps { fit, steps }), |_| false)
    };
    assert_eq!(ask(3).code, Some(0));
    let taken: Vec<StepTaken> = files::read_json(&alone.out.join("steps.json")).unwrap();
    let mean = (8.0 * taken[0].loss + 8.0 * taken[1].loss + 2.0 * taken[2].loss) / 18.0;
    let told = history(&whole).epochs[0].train.loss;
    assert!((mean - told).abs() < 1e-12 * told, "{mean} and {told}");
    assert_eq!(
        weights(&alone.out.join("end.safetensors")),
        weights(&whole.out.join("last.safetensors"))
    );
    let (first, _) = model::safetensors::read(&alone.out.join("batch-1.safetensors")).unwrap();
    assert_eq!(first.get("images").unwrap().shape, [8, 3, 28, 28]);

    let ran = ask(4);
    assert!(
        ran.failure().contains("an epoch has 3 steps"),
        "{}",
        ran.failure()
    );
}

#[test]
fn every_depth_takes_a_step() {
    for (arch, side) in [
        (Arch::Resnet34, 64),
        (Arch::Resnet50, 64),
        (Arch::Resnet101, 32),
        (Arch::Resnet152, 32),
    ] {
        let world = World::new(2, 4, side, false);
        let mut job = world.fit("a", arch, json!({ "epochs": 1, "batch_size": 4 }));
        job.threads = 2;
        job.pixels.resize = self::side(side);
        outputs(&job);
        assert_eq!(
            model::load(&job.out.join("last.safetensors")).unwrap().arch,
            arch
        );
    }
}

#[test]
fn bf16_is_an_arithmetic_of_its_own() {
    let world = World::small();
    let wide = outputs(&world.fit("f32", Arch::Resnet18, json!({ "epochs": 1 })));
    let job = world.fit(
        "bf16",
        Arch::Resnet18,
        json!({ "epochs": 1, "precision": "bf16" }),
    );
    assert_ne!(wide[1], outputs(&job)[1]);
    let machine: Value = files::read_json(&job.out.join("fingerprint.json")).unwrap();
    assert_eq!(machine["precision"], "bf16");
}

#[test]
fn on_a_cpu_neither_determinism_nor_tf32_changes_a_bit() {
    let world = World::small();
    let mut settings = augmented(1);
    let plain = outputs(&world.fit("plain", Arch::Resnet18, settings.clone()));
    settings["deterministic"] = json!(false);
    settings["allow_tf32"] = json!(true);
    let other = outputs(&world.fit("other", Arch::Resnet18, settings));
    assert_eq!(plain, other);
}

#[test]
fn the_end_of_the_parent_ends_the_worker() {
    let world = World::small();
    let path = world.folder.path().join("job.json");
    let job = Job::Fit(world.fit("a", Arch::Resnet18, json!({ "epochs": 100_000 })));
    files::write_json(&path, &job).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kfood-worker"))
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().is_some());
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_missing_input_is_a_message_with_its_path() {
    let world = World::small();
    let mut job = world.fit("a", Arch::Resnet18, json!({}));
    job.data.labels = PathBuf::from("/no/such/labels.json");
    let ran = fit(&job);
    assert_eq!(ran.code, Some(1));
    assert!(ran.failure().contains("`/no/such/labels.json`"));
}

#[test]
fn a_prediction_names_classes_and_an_unreadable_image_is_an_entry() {
    let world = World::small();
    let job = world.fit(
        "a",
        Arch::Resnet18,
        json!({ "epochs": 4, "optimizer": { "adam": { "lr": 0.001 } } }),
    );
    outputs(&job);
    let good = world.folder.path().join("good.png");
    image::save_buffer(
        &good,
        &picture(1, 900, SIDE),
        SIDE,
        SIDE,
        image::ColorType::Rgb8,
    )
    .unwrap();
    let bad = world.folder.path().join("bad.jpg");
    fs::write(&bad, b"no image").unwrap();
    let out = world.folder.path().join("predictions");
    let job = Job::Predict(Predict {
        tta: Vec::new(),
        model: ModelFile {
            path: job.out.join("last.safetensors"),
            normalize: None,
            classes: None,
            weights: None,
        },
        images: vec![bad, good],
        top: 2,
        device: "auto".to_owned(),
        threads: 1,
        out: out.clone(),
    });
    assert_eq!(work(&job, |_| false).code, Some(0));
    let predictions: Value = files::read_json(&out.join("predictions.json")).unwrap();
    assert!(
        predictions[0]["error"]
            .as_str()
            .unwrap()
            .contains("bad.jpg")
    );
    assert_eq!(predictions[1]["guesses"].as_array().unwrap().len(), 2);
    let sum: f64 = (0..2)
        .map(|i| {
            predictions[1]["guesses"][i]["probability"]
                .as_f64()
                .unwrap()
        })
        .sum();
    assert!(sum > 0.5 && sum <= 1.000_001);
}

#[test]
fn the_doctor_says_which_libtorch_and_devices_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("doctor");
    assert_eq!(
        work(&Job::Doctor { out: out.clone() }, |_| false).code,
        Some(0)
    );
    let doctor: Value = files::read_json(&out.join("doctor.json")).unwrap();
    assert!(doctor["libtorch"].as_str().unwrap().starts_with("2.11.0"));
    assert_eq!(doctor["devices"][0]["device"], "cpu");
    assert!(doctor["cuda"]["loaded"].is_string() || doctor["cuda"]["missing"].is_string());
}
