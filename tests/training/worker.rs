//! `kfood-worker` beside training: its end, what it cannot read, predictions, the doctor.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use kfood::{
    files,
    record::{ImageFile, Job, ModelFile, Predict},
    settings::Arch,
};
use serde_json::{Value, json};

use super::{SIDE, World, fit, json_lines, outputs, picture, work};

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
        temperature: None,
        model: ModelFile {
            path: job.out.join("last.safetensors"),
            normalize: None,
            classes: None,
            weights: None,
            pretrained: None,
        },
        images: vec![ImageFile::File(bad), ImageFile::File(good)],
        cam: None,
        top: 2,
        device: "auto".to_owned(),
        threads: 1,
        out: out.clone(),
    });
    assert_eq!(work(&job, |_| false).code, Some(0));
    let predictions = json_lines(&out.join("predictions.jsonl"));
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
