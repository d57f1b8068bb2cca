//! Evaluations of an untrained model on generated pixels: what is written agrees with the model and with itself.

mod log_probabilities;
mod prepared;
mod together;

use std::{path::Path, sync::Mutex};

use serde_json::json;
use tch::Tensor;

use self::{log_probabilities::agree, prepared::prepared};
use super::*;
use crate::{
    digest::Digest,
    error::Class,
    event::StageEvent,
    files,
    learn::feed::evaluation_batch,
    model::{self, Mode},
    record::{
        Assignment, CheckpointInfo, Epoch, Evaluation, FeatureLeaks, Image, Images, Label, Labels,
        Likeness, LookAlikes, Measure, Pair, Part, Prediction, Provenance, Split, Transform,
        model_files,
    },
    settings::{Arch, MeanStd, Normalize, Pixels, Resize, Storage, Tta},
};

const SIDE: usize = 32;
const CLASSES: [&str; 3] = ["김밥", "냉면, 물", "비빔밥"];
const IMAGES: usize = 12;

fn resize(side: usize) -> Resize {
    serde_json::from_value(json!({ "width": side, "height": side })).unwrap()
}

/// What a model says of images that it is shown as they are.
fn logits(model: &Network, images: &Tensor) -> Vec<f32> {
    let logits = model.forward(images, Mode::Evaluation);
    Vec::try_from(&logits.contiguous().view([-1])).unwrap()
}

fn pixels(image: usize) -> Vec<u8> {
    (0..SIDE * SIDE * 3)
        .map(|i| ((i * (7 + 3 * image) + 31 * image) % 256) as u8)
        .collect()
}

fn transform() -> Transform {
    Transform {
        pixels: Pixels::new(resize(SIDE)),
        center_crop: Some(28),
        test_resolution: None,
        normalize: MeanStd::IMAGENET,
    }
}

fn info(classes: &[&str], transform: Transform) -> CheckpointInfo {
    let none = Digest::of(b"");
    let measure = Measure {
        loss: 1.0,
        top1: 0.5,
    };
    CheckpointInfo {
        format: 1,
        arch: Arch::Resnet18,
        classes: classes.iter().map(|c| (*c).to_owned()).collect(),
        transform,
        epoch: Epoch {
            epoch: 1,
            of: 1,
            lr: 0.1,
            train: measure,
            validation: None,
        },
        provenance: Provenance {
            pack: none,
            labels: none,
            split: none,
            fold: None,
            source: None,
        },
    }
}

fn run(job: &record::Evaluate) -> Result<()> {
    evaluate(job, Device::Cpu, &|_| (), &Stop::default())
}

#[test]
fn what_is_written_agrees_with_the_model_and_with_itself() {
    let folder = tempfile::tempdir().unwrap();
    let job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    run(&job).unwrap();

    let found: Evaluation = files::read_json(&job.out.join("metrics.json")).unwrap();
    let parts: Vec<_> = found
        .parts
        .iter()
        .map(|p| (p.part.name(), p.images))
        .collect();
    assert_eq!(parts, [("train", 6), ("validation", 3), ("test", 3)]);
    assert_eq!(found.gaps.len(), 3);

    let lines: Vec<Prediction> = csv::Reader::from_path(job.out.join("predictions.csv"))
        .unwrap()
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(lines.len(), IMAGES);
    assert_eq!(lines[10].label, "냉면, 물");
    assert_eq!(lines[10].path, "test/냉면, 물/10.jpg");
    agree(&job, &lines);

    // Image by image through the model itself.
    let model = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
    let _guard = tch::no_grad_guard();
    for (i, line) in lines.iter().enumerate() {
        let x = evaluation_batch(&pixels(i), 1, SIDE, SIDE, &transform(), Device::Cpu).unwrap();
        assert_eq!(x.size(), [1, 3, 28, 28]);
        let score = stats::score(&logits(&model, &x), i % 3).unwrap();
        assert!(
            (score.loss - line.loss).abs() < 1e-4,
            "{i}: {score:?}, {line:?}"
        );
        assert_eq!(
            (CLASSES[score.predicted], score.correct),
            (line.predicted.as_str(), line.correct)
        );
    }
    let test: Vec<_> = lines.iter().filter(|l| l.part == Part::Test).collect();
    let mean = test.iter().map(|l| l.loss).sum::<f64>() / 3.0;
    assert!((found.parts[2].loss - mean).abs() < 1e-12);
    let right = test.iter().filter(|l| l.correct).count() as u64;
    assert_eq!(stats::correct(&found.parts[2]), right);
    for beside in ["timing.json", "fingerprint.json"] {
        assert!(job.out.join(beside).is_file(), "{beside}");
    }
}

#[test]
fn look_alikes_of_training_images_are_told_and_the_features_confirm_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    let pair = |a, b| Pair {
        a,
        b,
        likeness: Likeness::Near,
        correlation: 0.9,
    };
    // Test image 9 looks like training image 0; 1 and 2 are two classes of training.
    let alike = LookAlikes {
        images: IMAGES as u32,
        pairs: vec![pair(0, 9), pair(1, 2)],
    };
    files::write_json(&job.look_alikes, &alike).unwrap();
    // Features behind a ReLU have cosines from 0 on: every image finds a partner.
    job.cosine = Some(0.0);
    run(&job).unwrap();
    let found: Evaluation = files::read_json(&job.out.join("metrics.json")).unwrap();
    let leaks = found.leaks.unwrap();
    let counts: Vec<_> = leaks
        .parts
        .iter()
        .map(|p| (p.part.name(), p.like_train))
        .collect();
    assert_eq!(counts, [("validation", 0), ("test", 1)]);
    let leaked = &leaks.parts[1].leaked[0];
    let (copy, original) = ("test/김밥/9.jpg", "train/김밥/0.jpg");
    assert_eq!(
        (leaked.path.as_str(), leaked.like.as_str()),
        (copy, original)
    );
    assert!(leaks.parts[1].top1_without.is_some());
    assert_eq!(leaks.conflicts, 1);

    let found: FeatureLeaks = files::read_json(&job.out.join("leaks.json")).unwrap();
    assert_eq!(found.pairs.len(), 6);
    let known: Vec<_> = found.pairs.iter().filter(|p| p.known.is_some()).collect();
    assert_eq!(
        (known[0].path.as_str(), known[0].like.as_str()),
        (copy, original)
    );
    let counts: Vec<_> = found
        .parts
        .iter()
        .map(|p| (p.confirmed, p.further))
        .collect();
    assert_eq!(counts, [(0, 3), (1, 2)]);
}

#[test]
fn an_audit_of_other_images_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    let alike = LookAlikes {
        images: 5,
        pairs: Vec::new(),
    };
    files::write_json(&job.look_alikes, &alike).unwrap();
    refused(
        &job,
        Class::Failed,
        "5 images were compared, and the data set has 12",
    );
}

#[test]
fn the_same_job_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    run(&job).unwrap();
    let first = job.out.clone();
    job.out = folder.path().join("again");
    run(&job).unwrap();
    for output in ["metrics.json", "predictions.csv", "log_probabilities.f32"] {
        assert_eq!(
            files::read(&first.join(output)).unwrap(),
            files::read(&job.out.join(output)).unwrap()
        );
    }
}

#[test]
fn members_are_the_same_wherever_the_same_images_are_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    run(&job).unwrap();
    let all: Evaluation = files::read_json(&job.out.join("metrics.json")).unwrap();
    job.on = vec![Part::Test];
    run(&job).unwrap();
    let test: Evaluation = files::read_json(&job.out.join("metrics.json")).unwrap();
    assert_eq!(test.parts[0], all.parts[2]);
    assert_ne!(all.parts[0].members, all.parts[1].members);
}

#[track_caller]
fn refused(job: &record::Evaluate, class: Class, message: &str) {
    let error = run(job).unwrap_err();
    assert_eq!(error.class(), class, "{error}");
    assert!(error.to_string().contains(message), "{error}");
    assert!(!job.out.exists(), "nothing is written");
}

#[test]
fn other_classes_are_an_error_that_lists_the_differences() {
    let folder = tempfile::tempdir().unwrap();
    let job = prepared(
        folder.path(),
        Some(&info(&["김밥", "된장찌개", "비빔밥"], transform())),
    );
    let message = "only the model knows `된장찌개`; only the data set has `냉면, 물`";
    refused(&job, Class::Usage, message);
    let job = prepared(
        folder.path(),
        Some(&info(&["냉면, 물", "김밥", "비빔밥"], transform())),
    );
    refused(&job, Class::Usage, "the same names in another order");
}

#[test]
fn a_pack_of_another_transform_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = transform();
    other.pixels.resize = resize(64);
    let job = prepared(folder.path(), Some(&info(&CLASSES, other)));
    refused(
        &job,
        Class::Usage,
        "trained on images of 64 x 64 pixels (squash, bilinear, fast), and the pack holds images of 32 x 32 pixels (squash, bilinear, fast)",
    );
}

#[test]
fn a_file_that_says_nothing_needs_its_normalisation_and_is_taken_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = prepared(folder.path(), None);
    refused(
        &job,
        Class::Usage,
        "does not say how its pixels are normalised",
    );
    job.model.normalize = Some(Normalize::Imagenet);
    let told = Mutex::new(Vec::new());
    let tell = |event: StageEvent| {
        if let StageEvent::Warning(text) = event {
            told.lock().unwrap().push(text);
        }
    };
    evaluate(&job, Device::Cpu, &tell, &Stop::default()).unwrap();
    assert!(told.lock().unwrap()[0].starts_with("the model file names no classes"));
}

#[test]
fn a_file_whose_classes_are_given_in_another_order_is_evaluated_in_that_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = prepared(folder.path(), None);
    job.model.normalize = Some(Normalize::Imagenet);
    job.model.classes = Some(CLASSES.map(str::to_owned).to_vec());
    run(&job).unwrap();
    let straight = files::read_text(&job.out.join("predictions.csv")).unwrap();

    let mut turned = model::load(&job.model.path).unwrap();
    turned.reorder_outputs(&[2, 0, 1]).unwrap();
    model::safetensors::write(&job.model.path, &turned.state, None).unwrap();
    job.model.classes = Some([2, 0, 1].map(|i: usize| CLASSES[i].to_owned()).to_vec());
    run(&job).unwrap();
    let again = files::read_text(&job.out.join("predictions.csv")).unwrap();
    assert_eq!(again, straight);

    job.model.classes = Some(["김밥", "냉면", "비빔밥"].map(str::to_owned).to_vec());
    std::fs::remove_dir_all(&job.out).unwrap();
    refused(&job, Class::Usage, "only the model knows `냉면`");
}

#[test]
fn a_part_without_images_is_an_error_and_a_stop_is_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    let stop = Stop::default();
    stop.request();
    let error = evaluate(&job, Device::Cpu, &|_| (), &stop).unwrap_err();
    assert_eq!(error.class(), Class::Interrupted);
    let split = Split {
        folds: None,
        assignments: vec![Assignment::Train; IMAGES],
        left_out: Vec::new(),
    };
    files::write_json(&job.data.split, &split).unwrap();
    refused(&job, Class::Usage, "there is no image in `validation`");
    let split = Split {
        folds: Some(2),
        assignments: vec![Assignment::Fold(0); IMAGES],
        left_out: Vec::new(),
    };
    files::write_json(&job.data.split, &split).unwrap();
    refused(
        &job,
        Class::Usage,
        "the split has 2 folds, and no `fold` says which images are `train`",
    );
}

#[test]
fn a_diverged_model_is_an_error_and_not_a_ranking() {
    let folder = tempfile::tempdir().unwrap();
    let job = prepared(folder.path(), Some(&info(&CLASSES, transform())));
    let mut diverged = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
    let _guard = tch::no_grad_guard();
    for (_, mut tensor) in diverged.trainable() {
        // A number, so that the file is read; what is computed with it is none.
        let _ = tensor.fill_(1e30);
    }
    diverged.to_channels_last();
    let info = info(&CLASSES, transform());
    model::safetensors::write(&job.model.path, &diverged.state(), Some(&info)).unwrap();
    refused(
        &job,
        Class::Failed,
        "not finite for 4 of 4 images of `train`",
    );
}
