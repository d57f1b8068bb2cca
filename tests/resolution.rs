//! The sizes at which a training shows images, and at which its model judges.

use std::fs;

use kfood::{
    event::StageEvent,
    files,
    model::{self, StateDict},
    record::{Fit, History, ImageFile, Job, Measure, ModelFile, Predict},
    settings::{Arch, Training},
};
use serde_json::{Value, json};

use super::training::{World, augmented, digests, fit, json_lines, outputs, picture, work};

/// Epochs of 16, 16, 24 and 28 pixels.
fn growing() -> Value {
    let mut all = augmented(5);
    all["progressive_resizing"] = json!({ "from": 16, "epochs": 4, "multiple_of": 8 });
    all
}

fn notes(events: &[StageEvent]) -> Vec<String> {
    let note = |event: &StageEvent| match event {
        StageEvent::Note(text) if text.starts_with("shows images") => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(note).collect()
}

fn last(job: &Fit) -> StateDict {
    let path = job.out.join("last.safetensors");
    model::load(&path).unwrap().state
}

fn validation(job: &Fit) -> Measure {
    let history: History = files::read_json(&job.out.join("history.json")).unwrap();
    history.epochs.last().unwrap().validation.unwrap()
}

#[test]
fn images_grow_and_a_training_stopped_on_the_way_ends_with_the_bits_of_an_unbroken_one() {
    let world = World::new(3, 24, 32, true);
    let whole = world.fit("whole", Arch::Resnet18, growing());
    let ran = fit(&whole);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    assert_eq!(
        notes(&ran.events),
        [
            "shows images of 24 x 24 pixels, beginning with epoch 3",
            "shows images of 28 x 28 pixels, beginning with epoch 5"
        ]
    );
    let job = world.fit("broken", Arch::Resnet18, growing());
    let ran = work(
        &Job::Fit(job.clone()),
        |e| matches!(e, StageEvent::Epoch(e) if e.epoch == 3),
    );
    assert_eq!(ran.code, Some(130), "{:?}", ran.events.last());
    let again = fit(&job);
    assert_eq!(again.code, Some(0), "{:?}", again.events.last());
    assert_eq!(digests(&job.out), digests(&whole.out));
}

#[test]
fn a_longer_training_goes_on_where_images_had_grown() {
    let world = World::new(3, 24, 32, true);
    let settings = |epochs: u32| {
        let mut all = growing();
        all["epochs"] = json!(epochs);
        all["schedule"] = json!({ "constant": {} });
        all
    };
    let unbroken = outputs(&world.fit("whole", Arch::Resnet18, settings(7)));
    let short = world.fit("short", Arch::Resnet18, settings(5));
    outputs(&short);
    let mut job = world.fit("long", Arch::Resnet18, settings(7));
    job.earlier = vec![short.out];
    let ran = fit(&job);
    assert!(
        ran.told(|e| matches!(e, StageEvent::Note(n) if n.starts_with("goes on from epoch 5"))),
        "{:?}",
        ran.events
    );
    assert_eq!(digests(&job.out), unbroken);
}

#[test]
fn the_test_resolution_changes_what_is_judged_and_not_what_is_learnt() {
    let world = World::new(3, 24, 32, true);
    let plain = world.fit("plain", Arch::Resnet18, augmented(1));
    outputs(&plain);
    let mut settings = augmented(1);
    settings["test_resolution"] = json!(40);
    let higher = world.fit("higher", Arch::Resnet18, settings);
    outputs(&higher);
    assert_eq!(last(&plain), last(&higher));
    assert_ne!(validation(&plain), validation(&higher));
    let path = higher.out.join("last.safetensors");
    let transform = model::load(&path).unwrap().info.unwrap().transform;
    assert_eq!(
        (transform.center_crop, transform.test_resolution),
        (Some(28), Some(40))
    );
    // Files of trainings without it are as they were before there was one.
    let bytes = fs::read(plain.out.join("last.safetensors")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("center_crop") && !text.contains("test_resolution"));

    let probabilities = |job: &Fit| -> Vec<f64> {
        let photograph = job.out.with_extension("png");
        let color = image::ColorType::Rgb8;
        image::save_buffer(&photograph, &picture(1, 900, 32), 32, 32, color).unwrap();
        let out = job.out.with_extension("predictions");
        let predict = Predict {
            tta: Vec::new(),
            temperature: None,
            model: ModelFile {
                path: job.out.join("last.safetensors"),
                normalize: None,
                classes: None,
                weights: None,
                pretrained: None,
            },
            images: vec![ImageFile::File(photograph)],
            cam: None,
            top: 3,
            device: "cpu".to_owned(),
            threads: 1,
            out: out.clone(),
        };
        let ran = work(&Job::Predict(predict), |_| false);
        assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
        let told = json_lines(&out.join("predictions.jsonl"));
        let guesses = told[0]["guesses"].as_array().unwrap();
        let of = |guess: &Value| guess["probability"].as_f64().unwrap();
        guesses.iter().map(of).collect()
    };
    assert_ne!(probabilities(&plain), probabilities(&higher));
}

#[test]
fn the_size_of_an_earlier_epoch_is_the_one_that_batch_norm_must_cope_with() {
    let world = World::new(3, 24, 64, true);
    let mut job = world.fit(
        "single",
        Arch::Resnet18,
        json!({ "batch_size": 1, "progressive_resizing": { "from": 32, "epochs": 1 } }),
    );
    let ran = fit(&job);
    assert_ne!(ran.code, Some(0));
    assert!(
        ran.told(
            |e| matches!(e, StageEvent::Failed { message } if message.contains("at 32 x 32 pixels"))
        ),
        "{:?}",
        ran.events
    );
    let without: Training = Training {
        progressive_resizing: None,
        ..job.training.clone()
    };
    job.training = without;
    assert_eq!(fit(&job).code, Some(0));
}
