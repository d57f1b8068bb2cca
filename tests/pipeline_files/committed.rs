//! The committed pipelines: what they stand for, one mission after another.

use std::path::Path;

use kfood::{
    config::{self, Evaluate, ModelSource, Pipeline, Settings, Train},
    record::Part,
    settings::{Arch, Checkpoint, Count, Filter, Layer, Metric, Probability, TrainLayers},
};
use serde_json::{Value, json};

use super::{COMMITTED, instance, variables};

#[test]
fn every_committed_pipeline_loads() {
    for path in COMMITTED {
        let pipeline = config::load_with(Path::new(path), &variables);
        let pipeline = pipeline.unwrap_or_else(|m| panic!("{}", m.render()));
        assert_eq!(pipeline.root, Path::new(".").canonicalize().unwrap());
        assert!(pipeline.instances.iter().any(|i| !i.is_used()));
    }
}

/// A training as it goes into keys: what a mission says, and the defaults of the rest.
fn training(
    epochs: u32,
    batch_size: u32,
    optimizer: Value,
    augment: Value,
    normalize: &str,
) -> Value {
    json!({
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
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
        "augment": augment,
        "mix": null,
        "normalize": normalize,
        "precision": "auto",
        "early_stopping": null,
        "seed": 42,
    })
}

fn adam(lr: f64) -> Value {
    json!({ "adam": { "lr": lr, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0 } })
}

fn mission(number: usize) -> Pipeline {
    config::load_with(Path::new(COMMITTED[number - 1]), &variables).unwrap()
}

#[track_caller]
fn train<'a>(pipeline: &'a Pipeline, id: &str) -> (&'a Train, Value) {
    let Settings::Train(train) = &instance(pipeline, id).settings else {
        panic!("`{id}` is no train")
    };
    (train, serde_json::to_value(&train.training).unwrap())
}

#[track_caller]
fn evaluate<'a>(pipeline: &'a Pipeline, id: &str) -> (&'a Evaluate, &'a str, Checkpoint) {
    let Settings::Evaluate(evaluate) = &instance(pipeline, id).settings else {
        panic!("`{id}` is no evaluate")
    };
    let ModelSource::Stage { id, checkpoint } = &evaluate.model else {
        panic!("`{id}` evaluates a file")
    };
    (evaluate, id, *checkpoint)
}

/// What every mission does with its photographs: 224 x 224, and a fifth of the training folder held out.
#[track_caller]
fn prepares(pipeline: &Pipeline, dataset: &str, pixels: &str, holdout: &str, folders: [&str; 2]) {
    let Settings::Dataset(photographs) = &instance(pipeline, dataset).settings else {
        panic!("`{dataset}` is no dataset")
    };
    let given = [&photographs.train, &photographs.test].map(|f| f.as_ref().unwrap().path.clone());
    assert_eq!(given, folders.map(|f| pipeline.root.join("data").join(f)));
    assert!(photographs.manifest.is_none());
    let Settings::Preprocess(pack) = &instance(pipeline, pixels).settings else {
        panic!("`{pixels}` is no preprocess")
    };
    let size = (pack.pixels.resize.width(), pack.pixels.resize.height());
    assert_eq!((size, pack.pixels.filter), ((224, 224), Filter::Bilinear));
    assert_eq!(pack.dataset, dataset);
    let Settings::Split(split) = &instance(pipeline, holdout).settings else {
        panic!("`{holdout}` is no split")
    };
    let share = split.validation.map(Probability::get);
    assert_eq!((share, split.folds, split.seed), (Some(0.2), None, 42));
    assert_eq!(split.dataset, dataset);
}

const PARTS: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

/// Asserts what a training uses: the stages that give its pixels and its split.
#[track_caller]
fn reads(train: &Train, data: &str, split: &str) {
    assert_eq!((train.data.as_str(), train.split.as_str()), (data, split));
}

/// Asserts that a stage judges this state of this model on every part.
#[track_caller]
fn judges_everything<'a>(
    pipeline: &'a Pipeline,
    id: &str,
    model: &str,
    checkpoint: Checkpoint,
) -> &'a Evaluate {
    let (result, of, state) = evaluate(pipeline, id);
    assert_eq!((of, state), (model, checkpoint));
    assert_eq!(result.on, PARTS);
    result
}

/// The training of the first mission, with and without folds.
fn baseline() -> Value {
    let sgd =
        json!({ "sgd": { "lr": 0.001, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0 } });
    training(50, 32, sgd, json!([]), "none")
}

#[test]
fn the_first_and_the_second_mission_prepare_the_same_photographs() {
    for number in [1, 2] {
        let folders = ["kfood_train", "kfood_val"];
        prepares(&mission(number), "kfood", "pixels", "holdout", folders);
    }
}

#[test]
fn the_first_mission_trains_one_network_on_a_hold_out() {
    let first = mission(1);
    let (resnet18, found) = train(&first, "resnet18");
    assert_eq!(found, baseline());
    assert_eq!(
        (resnet18.network.arch, resnet18.fold),
        (Arch::Resnet18, None)
    );
    reads(resnet18, "pixels", "holdout");
}

#[test]
fn the_first_mission_trains_it_on_five_folds_too() {
    let first = mission(1);
    let Settings::Split(five) = &instance(&first, "five").settings else {
        panic!("a split")
    };
    assert_eq!(
        (five.validation, five.folds.map(Count::get), five.seed),
        (None, Some(5), 42)
    );
    let folds = first.instances.iter().filter(|i| i.stage == "folds");
    assert_eq!(folds.count(), 5);
    for fold in 0..5 {
        let (train, found) = train(&first, &format!("folds[fold={fold}]"));
        assert_eq!(found, baseline());
        assert_eq!(
            (train.network.arch, train.fold),
            (Arch::Resnet18, Some(fold))
        );
        reads(train, "pixels", "five");
    }
}

#[test]
fn the_first_mission_judges_the_best_and_the_last_state_of_each() {
    let first = mission(1);
    for (name, checkpoint) in [("best", Checkpoint::Best), ("last", Checkpoint::Last)] {
        let id = format!("baseline[checkpoint={name}]");
        judges_everything(&first, &id, "resnet18", checkpoint);
        for fold in 0..5 {
            let id = format!("folds_baseline[fold={fold},checkpoint={name}]");
            let model = format!("folds[fold={fold}]");
            let result = judges_everything(&first, &id, &model, checkpoint);
            assert_eq!(result.fold, Some(fold));
        }
    }
}

/// Rotated and cropped, as the second mission has it.
fn cropped() -> Value {
    json!([{ "random_rotation": 15.0 }, { "center_crop": 200 }])
}

#[test]
fn the_second_mission_trains_two_deeper_networks() {
    let second = mission(2);
    for (name, arch, epochs, batch_size, lr) in [
        ("resnet50", Arch::Resnet50, 50, 32, 0.005),
        ("resnet101", Arch::Resnet101, 70, 64, 0.001),
    ] {
        let (network, found) = train(&second, name);
        let expected = training(epochs, batch_size, adam(lr), cropped(), "dataset");
        assert_eq!(found, expected);
        assert_eq!((network.network.arch, network.fold), (arch, None));
    }
}

#[test]
fn the_second_mission_tries_each_depth_with_each_rate_and_augmentation() {
    let second = mission(2);
    let resized = json!({ "size": 200, "scale": [0.08, 1.0], "ratio": [0.75, 4.0 / 3.0] });
    let resized = json!([{ "random_resized_crop": resized }, { "random_horizontal_flip": 0.5 }]);
    let mut expected = Vec::new();
    for arch in [
        Arch::Resnet34,
        Arch::Resnet50,
        Arch::Resnet101,
        Arch::Resnet152,
    ] {
        for lr in [0.005, 0.001] {
            for augment in [json!([]), cropped(), resized.clone()] {
                expected.push((arch, training(50, 32, adam(lr), augment, "dataset")));
            }
        }
    }
    let tuning = tuning(&second);
    assert_eq!((tuning.len(), expected.len()), (24, 24));
    for (id, expected) in tuning.into_iter().zip(expected) {
        let (train, found) = train(&second, id);
        assert_eq!((train.network.arch, found), expected, "{id}");
        reads(train, "pixels", "holdout");
    }
}

/// The trainings of the second mission's matrix.
fn tuning(second: &Pipeline) -> Vec<&str> {
    let all = second.instances.iter().filter(|i| i.stage == "tuning");
    all.map(|i| i.id.as_str()).collect()
}

#[test]
fn the_second_mission_selects_by_validation_among_all_of_them() {
    let second = mission(2);
    let Settings::Select(best) = &instance(&second, "best").settings else {
        panic!("a select")
    };
    let named = ["resnet50", "resnet101"].into_iter();
    let from: Vec<_> = named.chain(tuning(&second)).collect();
    assert_eq!(best.from, from);
    assert_eq!(
        (best.by, best.checkpoint),
        (Metric::ValidationTop1, Checkpoint::Best)
    );
    // The tuning meets `resnet50` once more, so those two are one group; all others stand alone.
    let alone = (2..=8).chain([0]).chain(9..=24);
    let groups: Vec<_> = [0, 1].into_iter().chain(alone).collect();
    assert_eq!(best.groups, groups);
}

#[test]
fn the_second_mission_judges_both_networks_and_the_chosen_one() {
    let second = mission(2);
    for (result, of) in [
        ("resnet50_result", "resnet50"),
        ("resnet101_result", "resnet101"),
        ("chosen", "best"),
    ] {
        judges_everything(&second, result, of, Checkpoint::Best);
    }
}

#[test]
fn the_third_mission_transfers_the_chosen_network_in_three_ways() {
    let third = mission(3);
    prepares(
        &third,
        "health",
        "health_pixels",
        "health_holdout",
        ["kfood_health_train", "kfood_health_val"],
    );
    for (name, train_layers) in [
        ("whole", TrainLayers::All),
        (
            "partial",
            TrainLayers::From(Layer::named("layer3").unwrap()),
        ),
        ("probe", TrainLayers::Head),
    ] {
        let Settings::Transfer(transfer) = &instance(&third, name).settings else {
            panic!("a transfer")
        };
        // `normalize` is not written: the source's is kept, whatever stands here.
        assert!(transfer.keep_normalize);
        let found = serde_json::to_value(&transfer.training).unwrap();
        let expected = training(50, 64, adam(0.001), json!([]), "none");
        assert_eq!(found, expected, "{name}");
        assert_eq!((transfer.train_layers, transfer.fold), (train_layers, None));
        assert_eq!(
            (transfer.data.as_str(), transfer.split.as_str()),
            ("health_pixels", "health_holdout")
        );
        let best = Checkpoint::Best;
        assert!(
            matches!(&transfer.model, ModelSource::Stage { id, checkpoint } if id == "mission2.best" && *checkpoint == best)
        );
        judges_everything(&third, &format!("{name}_result"), name, best);
    }
}
