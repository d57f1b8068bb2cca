//! Pipeline files: what they stand for, and what a mistake in one looks like.

use std::path::Path;

use kfood::{
    config::{self, Evaluate, Instance, ModelSource, Pipeline, Settings, Train},
    error::{Class, Error},
    record::EvaluatePart,
    settings::{
        Arch, AverageOf, Checkpoint, Count, Filter, Layer, Metric, Normalize, Optimizer,
        Probability, TrainLayers, Tta,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};

const COMMITTED: [&str; 7] = [
    "pipelines/mission1.toml",
    "pipelines/mission2.toml",
    "pipelines/mission3.toml",
    "pipelines/quickstart.toml",
    "pipelines/korean/mission1.toml",
    "pipelines/korean/mission2.toml",
    "pipelines/korean/mission3.toml",
];

/// Five stages that most tests begin with: 13 lines.
pub(super) const HEAD: &str = r#"seed = 7
[dataset.dishes]
train = "data/train"
test = "data/test"
[preprocess.pixels]
dataset = "dishes"
resize = { width = 64, height = 64 }
[split.holdout]
dataset = "dishes"
[split.five]
dataset = "dishes"
folds = 5

"#;

/// A training, line 14 on.
const NET: &str = r#"[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 3
optimizer.sgd = { lr = 0.1 }
"#;

fn variables(name: &str) -> Option<String> {
    let set = ["SET", "KFOOD_REAL_DATA"].contains(&name);
    set.then(|| "/set".to_owned())
}

/// Loads the first of some files, written to a fresh folder. Mistakes as text, the folder left out.
fn load_files(files: &[(&str, &str)]) -> Result<Pipeline, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let here = folder.path().canonicalize().unwrap();
    config::load_with(&here.join(files[0].0), &variables)
        .map_err(|m| m.render().replace(&format!("{}/", here.display()), ""))
}

fn load(text: &str) -> Result<Pipeline, String> {
    load_files(&[("p.toml", text)])
}

/// A pipeline without mistakes.
#[track_caller]
pub(super) fn good(text: &str) -> Pipeline {
    load(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The text of the mistakes.
#[track_caller]
fn mistakes(text: &str) -> String {
    load(text).expect_err("a mistake")
}

/// The first lines of the mistakes, "LINE:COLUMN MESSAGE" each.
#[track_caller]
pub(super) fn told(text: &str) -> Vec<String> {
    rows(&mistakes(text))
}

fn rows(rendered: &str) -> Vec<String> {
    let lines: Vec<_> = rendered.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| {
        let message = pair[0].strip_prefix("error: ")?;
        let place = pair[1].trim().strip_prefix("--> ")?.split_once(':')?.1;
        Some(format!("{place} {message}"))
    });
    pairs.collect()
}

fn ids(pipeline: &Pipeline) -> Vec<&str> {
    pipeline.instances.iter().map(|i| i.id.as_str()).collect()
}

#[track_caller]
pub(super) fn instance<'a>(pipeline: &'a Pipeline, id: &str) -> &'a Instance {
    let found = pipeline.instances.iter().find(|i| i.id == id);
    found.unwrap_or_else(|| panic!("no `{id}` in {:?}", ids(pipeline)))
}

fn net(more: &str) -> String {
    format!("{HEAD}{NET}{more}")
}

fn changed(from: &str, to: &str) -> String {
    let text = net("");
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

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

const PARTS: [EvaluatePart; 3] = [
    EvaluatePart::Train,
    EvaluatePart::Validation,
    EvaluatePart::Test,
];

#[test]
fn the_missions_have_their_settings() {
    let first = mission(1);
    prepares(
        &first,
        "kfood",
        "pixels",
        "holdout",
        ["kfood_train", "kfood_val"],
    );
    let sgd =
        json!({ "sgd": { "lr": 0.001, "momentum": 0.0, "nesterov": false, "weight_decay": 0.0 } });
    let baseline = training(50, 32, sgd, json!([]), "none");
    let (resnet18, found) = train(&first, "resnet18");
    assert_eq!(found, baseline);
    assert_eq!(
        (resnet18.network.arch, resnet18.fold),
        (Arch::Resnet18, None)
    );
    assert_eq!(
        (resnet18.data.as_str(), resnet18.split.as_str()),
        ("pixels", "holdout")
    );
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
        assert_eq!(found, baseline);
        assert_eq!(
            (train.network.arch, train.fold),
            (Arch::Resnet18, Some(fold))
        );
        assert_eq!(
            (train.data.as_str(), train.split.as_str()),
            ("pixels", "five")
        );
    }
    for (name, checkpoint) in [("best", Checkpoint::Best), ("last", Checkpoint::Last)] {
        let (result, model, found) = evaluate(&first, &format!("baseline[checkpoint={name}]"));
        assert_eq!((model, found), ("resnet18", checkpoint));
        assert_eq!(result.on, PARTS);
        for fold in 0..5 {
            let id = format!("folds_baseline[fold={fold},checkpoint={name}]");
            let (result, model, found) = evaluate(&first, &id);
            assert_eq!(
                (model, found),
                (format!("folds[fold={fold}]").as_str(), checkpoint)
            );
            assert_eq!(
                (result.on.as_slice(), result.fold),
                (&PARTS[..], Some(fold))
            );
        }
    }

    let second = mission(2);
    prepares(
        &second,
        "kfood",
        "pixels",
        "holdout",
        ["kfood_train", "kfood_val"],
    );
    let cropped = json!([{ "random_rotation": 15.0 }, { "center_crop": 200 }]);
    let resized = json!({ "size": 200, "scale": [0.08, 1.0], "ratio": [0.75, 4.0 / 3.0] });
    let resized = json!([{ "random_resized_crop": resized }, { "random_horizontal_flip": 0.5 }]);
    let (resnet50, found) = train(&second, "resnet50");
    assert_eq!(
        found,
        training(50, 32, adam(0.005), cropped.clone(), "dataset")
    );
    assert_eq!(
        (resnet50.network.arch, resnet50.fold),
        (Arch::Resnet50, None)
    );
    let (resnet101, found) = train(&second, "resnet101");
    assert_eq!(
        found,
        training(70, 64, adam(0.001), cropped.clone(), "dataset")
    );
    assert_eq!(
        (resnet101.network.arch, resnet101.fold),
        (Arch::Resnet101, None)
    );

    let tuning: Vec<_> = second
        .instances
        .iter()
        .filter(|i| i.stage == "tuning")
        .collect();
    let mut expected = Vec::new();
    for arch in [
        Arch::Resnet34,
        Arch::Resnet50,
        Arch::Resnet101,
        Arch::Resnet152,
    ] {
        for lr in [0.005, 0.001] {
            for augment in [json!([]), cropped.clone(), resized.clone()] {
                expected.push((arch, training(50, 32, adam(lr), augment, "dataset")));
            }
        }
    }
    assert_eq!((tuning.len(), expected.len()), (24, 24));
    for (tuned, expected) in tuning.iter().zip(expected) {
        let (train, found) = train(&second, &tuned.id);
        assert_eq!((train.network.arch, found), expected, "{}", tuned.id);
        assert_eq!(
            (train.data.as_str(), train.split.as_str()),
            ("pixels", "holdout")
        );
    }
    let Settings::Select(best) = &instance(&second, "best").settings else {
        panic!("a select")
    };
    let tuned = tuning.iter().map(|i| i.id.as_str());
    let from: Vec<_> = ["resnet50", "resnet101"].into_iter().chain(tuned).collect();
    assert_eq!(best.from, from);
    assert_eq!(
        (best.by, best.checkpoint),
        (Metric::ValidationTop1, Checkpoint::Best)
    );
    // The tuning meets `resnet50` once more, so those two are one group; all others stand alone.
    let alone = (2..=8).chain([0]).chain(9..=24);
    assert_eq!(
        best.groups,
        [0, 1].into_iter().chain(alone).collect::<Vec<_>>()
    );
    for (result, of) in [
        ("resnet50_result", "resnet50"),
        ("resnet101_result", "resnet101"),
        ("chosen", "best"),
    ] {
        let (result, model, checkpoint) = evaluate(&second, result);
        assert_eq!((model, checkpoint), (of, Checkpoint::Best));
        assert_eq!(result.on, PARTS);
    }

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
        assert_eq!(
            found,
            training(50, 64, adam(0.001), json!([]), "none"),
            "{name}"
        );
        assert_eq!((transfer.train_layers, transfer.fold), (train_layers, None));
        assert_eq!(
            (transfer.data.as_str(), transfer.split.as_str()),
            ("health_pixels", "health_holdout")
        );
        let best = Checkpoint::Best;
        assert!(
            matches!(&transfer.model, ModelSource::Stage { id, checkpoint } if id == "mission2.best" && *checkpoint == best)
        );
        let (result, model, checkpoint) = evaluate(&third, &format!("{name}_result"));
        assert_eq!((model, checkpoint), (name, best));
        assert_eq!(result.on, PARTS);
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let pipeline = good(&net("[evaluate.result]\nmodel = \"net\"\n"));
    let Settings::Train(train) = &instance(&pipeline, "net").settings else {
        panic!("a train")
    };
    assert_eq!(train.training.batch_size.get(), 32);
    assert_eq!(train.training.seed, 7);
    assert_eq!((train.dataset.as_str(), train.fold), ("dishes", None));
    let Settings::Split(split) = &instance(&pipeline, "holdout").settings else {
        panic!("a split")
    };
    // What is not asked for is not filled in: the data set may have a part of its own.
    assert!(split.validation.is_none());
    let Settings::Evaluate(result) = &instance(&pipeline, "result").settings else {
        panic!("an evaluate")
    };
    let all = [
        EvaluatePart::Train,
        EvaluatePart::Validation,
        EvaluatePart::Test,
    ];
    assert_eq!(result.on, all);
    assert_eq!(
        (result.data.as_str(), result.split.as_str()),
        ("pixels", "holdout")
    );
    let best = Checkpoint::Best;
    assert!(matches!(&result.model, ModelSource::Stage { checkpoint, .. } if *checkpoint == best));
}

#[test]
fn without_a_test_folder_an_evaluation_leaves_test_out() {
    let text = net("[evaluate.result]\nmodel = \"net\"\n").replace("test = \"data/test\"", "");
    let pipeline = good(&text);
    let Settings::Evaluate(result) = &instance(&pipeline, "result").settings else {
        panic!("an evaluate")
    };
    assert_eq!(result.on, [EvaluatePart::Train, EvaluatePart::Validation]);
}

#[test]
fn a_matrix_makes_an_instance_for_each_combination_in_the_order_of_the_file() {
    let text = net("").replace("arch = \"resnet18\"", "matrix.arch = [\"resnet18\", \"resnet34\"]").replace(
        "optimizer.sgd = { lr = 0.1 }",
        "matrix.optimizer = [{ adam = { lr = 0.005 } }, { sgd = { lr = 0.1, momentum = 0.9 } }]\nmatrix.augment = [[], [{ random_rotation = 15 }, { center_crop = 56 }]]",
    );
    let pipeline = good(&text);
    let nets: Vec<_> = ids(&pipeline)
        .into_iter()
        .filter(|id| id.starts_with("net["))
        .collect();
    assert_eq!(nets.len(), 8);
    assert_eq!(
        nets[0],
        "net[arch=resnet18,optimizer.adam.lr=0.005,augment=none]"
    );
    assert_eq!(
        nets[7],
        "net[arch=resnet34,optimizer.sgd.lr=0.1,optimizer.sgd.momentum=0.9,augment=random_rotation:15+center_crop:56]"
    );
    assert_eq!(
        instance(&pipeline, nets[0]).varied[0],
        ("arch".into(), "resnet18".into())
    );
}

#[test]
fn a_matrix_reaches_a_field_inside_a_setting() {
    let text = changed(
        "optimizer.sgd = { lr = 0.1 }",
        "optimizer.sgd.momentum = 0.9\nmatrix.optimizer.sgd.lr = [0.1, 0.01]",
    );
    let pipeline = good(&text);
    let Settings::Train(train) = &instance(&pipeline, "net[optimizer.sgd.lr=0.01]").settings else {
        panic!("a train")
    };
    assert!(
        matches!(train.training.optimizer, Optimizer::Sgd(s) if s.momentum.get() == 0.9 && s.lr.get() == 0.01)
    );
}

#[test]
fn all_folds_become_instances_and_select_groups_them_with_seeds() {
    let text = net("fold = \"all\"\nmatrix.seed = [1, 2]\nmatrix.batch_size = [16, 32]\n[select.best]\nfrom = [\"net\"]\n[evaluate.chosen]\nmodel = \"best\"\n[evaluate.each]\nmodel = \"net\"\nmatrix.checkpoint = [\"best\", \"last\"]\n")
        .replace("split = \"holdout\"", "split = \"five\"");
    let pipeline = good(&text);
    let Settings::Select(select) = &instance(&pipeline, "best").settings else {
        panic!("a select")
    };
    assert_eq!(select.from[1], "net[seed=1,batch_size=16,fold=1]");
    let mut expected = [[0; 5], [1; 5], [0; 5], [1; 5]].concat();
    assert_eq!(select.groups, expected);
    expected.dedup();
    // Which fold validated is known only after the run; the test part is the same for all.
    let Settings::Evaluate(chosen) = &instance(&pipeline, "chosen").settings else {
        panic!("an evaluate")
    };
    assert_eq!(
        (chosen.on.as_slice(), chosen.fold),
        ([EvaluatePart::Test].as_slice(), None)
    );
    let each = instance(
        &pipeline,
        "each[seed=2,batch_size=32,fold=3,checkpoint=last]",
    );
    let Settings::Evaluate(each) = &each.settings else {
        panic!("an evaluate")
    };
    assert_eq!(each.fold, Some(3));
}

#[test]
fn one_instance_can_be_named() {
    let transfer = "[transfer.again]\nmodel = \"net[seed=2]\"\ndata = \"pixels\"\nsplit = \"holdout\"\nepochs = 1\noptimizer.sgd = { lr = 0.1 }\n";
    let pipeline = good(&net(&format!(
        "matrix.seed = [1, 2]\nmatrix.batch_size = [16]\n{transfer}"
    )));
    let Settings::Transfer(again) = &instance(&pipeline, "again").settings else {
        panic!("a transfer")
    };
    assert!(
        matches!(&again.model, ModelSource::Stage { id, .. } if id == "net[seed=2,batch_size=16]")
    );
}

#[test]
fn a_used_file_keeps_its_seed_and_comes_first() {
    let user =
        "seed = 1\n[use]\nbase = \"below/base.toml\"\n[evaluate.result]\nmodel = \"base.net\"\n";
    let pipeline = load_files(&[("p.toml", user), ("below/base.toml", &net(""))]).unwrap();
    assert_eq!(
        ids(&pipeline),
        [
            "base.dishes",
            "base.pixels",
            "base.holdout",
            "base.five",
            "base.net",
            "result"
        ]
    );
    let Settings::Train(train) = &instance(&pipeline, "base.net").settings else {
        panic!("a train")
    };
    assert_eq!(
        (train.training.seed, train.data.as_str()),
        (7, "base.pixels")
    );
    assert!(instance(&pipeline, "base.net").is_used());
}

#[test]
fn a_file_that_is_used_twice_is_one_file() {
    let user = "[use]\na = \"a.toml\"\nbase = \"base.toml\"\n[select.best]\nfrom = [\"a.base.net\", \"a.more\"]\n[evaluate.result]\nmodel = \"best\"\n";
    let middle = NET
        .replace("train.net", "train.more")
        .replace("pixels", "base.pixels")
        .replace("holdout", "base.holdout");
    let middle = format!("[use]\nbase = \"base.toml\"\n{middle}");
    let files = [
        ("p.toml", user),
        ("a.toml", middle.as_str()),
        ("base.toml", &net("")),
    ];
    let pipeline = load_files(&files).unwrap();
    assert_eq!(
        ids(&pipeline),
        [
            "base.dishes",
            "base.pixels",
            "base.holdout",
            "base.five",
            "base.net",
            "a.more",
            "best",
            "result"
        ]
    );
}

#[test]
fn instances_come_after_what_they_refer_to_and_otherwise_as_in_the_file() {
    let text = format!(
        "[evaluate.late]\nmodel = \"net\"\n[dataset.other]\ntrain = \"x\"\n{NET}{}",
        &HEAD[9..]
    );
    assert_eq!(
        ids(&good(&text)),
        [
            "other", "dishes", "pixels", "holdout", "net", "late", "five"
        ]
    );
}

#[test]
fn data_paths_are_relative_to_the_folder_above_pipelines() {
    let pipeline = load_files(&[("pipelines/deep/p.toml", HEAD)]).unwrap();
    let Settings::Dataset(dataset) = &instance(&pipeline, "dishes").settings else {
        panic!("a dataset")
    };
    let train = dataset.train.as_ref().unwrap();
    assert_eq!(train.path, pipeline.root.join("data/train"));
    assert!(pipeline.file.ends_with("pipelines/deep/p.toml"));
    assert_eq!(pipeline.root, pipeline.file.ancestors().nth(3).unwrap());
    assert_eq!((train.location.line, train.location.column), (3, 9));
}

#[test]
fn variables_in_paths_are_filled_in() {
    let text = "[dataset.a]\ntrain = \"${SET}/a\"\ntest = \"${UNSET:-b}/c\"\n";
    let pipeline = good(text);
    let Settings::Dataset(dataset) = &instance(&pipeline, "a").settings else {
        panic!("a dataset")
    };
    assert_eq!(dataset.train.as_ref().unwrap().path, Path::new("/set/a"));
    assert_eq!(dataset.train.as_ref().unwrap().written, "${SET}/a");
    assert_eq!(
        dataset.test.as_ref().unwrap().path,
        pipeline.root.join("b/c")
    );
}

#[test]
fn decomposed_hangul_names_the_same_stage() {
    let text =
        net("")
            .replace("pixels", "김밥")
            .replacen("김밥", "\"\u{1100}\u{1175}\u{11b7}밥\"", 1);
    assert_eq!(ids(&good(&text))[1], "김밥");
}

#[test]
fn a_model_file_brings_no_data() {
    let text = format!(
        "{HEAD}[evaluate.theirs]\nmodel = \"models/theirs.pt\"\nnormalize = \"imagenet\"\ndata = \"pixels\"\nsplit = \"holdout\"\n"
    );
    let pipeline = good(&text);
    let Settings::Evaluate(theirs) = &instance(&pipeline, "theirs").settings else {
        panic!("an evaluate")
    };
    let ModelSource::File {
        path,
        normalize,
        classes,
        ..
    } = &theirs.model
    else {
        panic!("a file")
    };
    assert_eq!(path.path, pipeline.root.join("models/theirs.pt"));
    assert_eq!(*normalize, Some(Normalize::Imagenet));
    assert_eq!(*classes, None);
    let bare = format!("{HEAD}[evaluate.theirs]\nmodel = \"models/theirs.pt\"\n");
    assert_eq!(
        told(&bare),
        [
            "14:11 `models/theirs.pt` does not say how its images were normalised",
            "14:11 missing `data` in `evaluate.theirs`",
            "14:11 missing `split` in `evaluate.theirs`",
        ]
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = changed("epochs = 3", "epochs = 0\nbach_size = 3")
        .replace("lr = 0.1", "lr = -1, momentun = nan")
        + "[evaluate.result]\nmodel = \"nett\"\n";
    assert_eq!(
        mistakes(&text),
        r#"error: invalid value `0` for `epochs`: expected a whole number of at least 1
  --> p.toml:18:10
   |
18 | epochs = 0
   |          ^

error: unknown key `bach_size` in `train.net`
  --> p.toml:19:1
   |
19 | bach_size = 3
   | ^^^^^^^^^
   |
   = help: did you mean `batch_size`? accepted: `data`, `split`, `fold`, `arch`, `zero_init_residual`, `epochs`, `batch_size`, `optimizer`, `norm_weight_decay`, `bias_weight_decay`, `layer_decay`, `clip_grad_norm`, `clip_grad_value`, `accumulation_steps`, `ema`, `schedule`, `loss`, `label_smoothing`, `class_weights`, `sampling`, `repeated_augmentation`, `augment`, `mix`, `progressive_resizing`, `normalize`, `test_resolution`, `precision`, `deterministic`, `allow_tf32`, `keep_last`, `early_stopping`, `seed`, `save` or `matrix`

error: invalid value `-1` for `optimizer.sgd.lr`: expected a number above 0
  --> p.toml:20:24
   |
20 | optimizer.sgd = { lr = -1, momentun = nan }
   |                        ^^

error: unknown key `momentun` in `optimizer.sgd`
  --> p.toml:20:28
   |
20 | optimizer.sgd = { lr = -1, momentun = nan }
   |                            ^^^^^^^^
   |
   = help: did you mean `momentum`? accepted: `lr`, `momentum`, `nesterov` or `weight_decay`

error: no train, transfer, select, average or ensemble stage is called `nett`
  --> p.toml:22:9
   |
22 | model = "nett"
   |         ^^^^^^
   |
   = help: did you mean `net`?
"#
    );
}

#[test]
fn a_misspelt_kind_shows_the_nearest_one_and_hides_nothing_else() {
    let text = changed("[train.net]", "[trian.net]") + "[evaluate.result]\nmodel = \"net\"\n";
    assert_eq!(
        mistakes(&text),
        r#"error: unknown kind of stage `trian`
  --> p.toml:14:2
   |
14 | [trian.net]
   |  ^^^^^
   |
   = help: did you mean `train`? accepted: `dataset`, `split`, `preprocess`, `train`, `select`, `transfer`, `average`, `ensemble` or `evaluate`
"#
    );
}

#[test]
fn a_stage_of_a_misspelt_kind_is_read_as_the_nearest() {
    let text = changed("[train.net]", "[trian.net]").replace("epochs = 3", "epochs = 0");
    assert_eq!(
        told(&(text + "[split.other]\ndataset = \"net\"\n")),
        [
            "14:2 unknown kind of stage `trian`",
            "18:10 invalid value `0` for `epochs`: expected a whole number of at least 1",
            "21:11 `net` is a train, expected a dataset",
        ]
    );
}

#[test]
fn a_field_that_is_there_but_misspelt_is_not_missing_too() {
    let text = changed("epochs = 3", "epoch = 3")
        .replace("optimizer.sgd = { lr = 0.1 }", "lr = 0.1")
        .replace("train = \"data/train\"", "trian = \"data/train\"")
        .replace("data = \"pixels\"", "matrix.dta = [\"pixels\"]");
    assert_eq!(
        told(&text),
        [
            "3:1 unknown key `trian` in `dataset.dishes`",
            "15:8 unknown key `dta` in `train.net`",
            "18:1 unknown key `epoch` in `train.net`",
            "19:1 unknown key `lr` in `train.net`",
        ]
    );
}

#[test]
fn a_misspelt_word_shows_the_nearest_of_those_accepted() {
    let text = changed("epochs = 3", "epochs = 3\nnormalize = \"imagnet\"");
    let text = mistakes(&text);
    let help = "= help: did you mean `\"imagenet\"`?";
    assert!(text.contains(help), "{text}");
}

#[test]
fn a_reference_to_another_kind_is_refused_in_words() {
    assert_eq!(
        mistakes(&changed("data = \"pixels\"", "data = \"holdout\"")),
        r#"error: `holdout` is a split, expected a preprocess
  --> p.toml:15:8
   |
15 | data = "holdout"
   |        ^^^^^^^^^
   |
   = help: there is `pixels`
"#
    );
}

#[test]
fn a_circle_of_stages_is_shown_as_a_path() {
    let transfer = |name: &str, from: &str| {
        NET.replace("train.net", &format!("transfer.{name}"))
            .replace("arch = \"resnet18\"", &format!("model = \"{from}\""))
    };
    let text = format!(
        "{HEAD}{}{}[select.c]\nfrom = [\"c\"]\n",
        transfer("a", "b"),
        transfer("b", "a")
    );
    assert_eq!(
        mistakes(&text),
        r#"error: stages wait on each other in a circle: `a -> b -> a`
  --> p.toml:17:9
   |
17 | model = "b"
   |         ^^^
   |
   = help: a stage can only refer to what is finished before it

error: stages wait on each other in a circle: `c -> c`
  --> p.toml:27:9
   |
27 | from = ["c"]
   |         ^^^
   |
   = help: a stage can only refer to what is finished before it
"#
    );
}

#[test]
fn files_that_use_each_other_are_refused() {
    let files = [
        ("a.toml", "[use]\nb = \"b.toml\"\n"),
        (
            "b.toml",
            "[use]\na = \"a.toml\"\nc = \"none.toml\"\n[dataset.x]\ntrain = \"x\"\n",
        ),
    ];
    assert_eq!(
        load_files(&files).unwrap_err(),
        r#"error: pipeline files use each other in a circle: `a.toml -> b.toml -> a.toml`
 --> b.toml:2:1
  |
2 | a = "a.toml"
  | ^
  |
  = help: move what both need into a third file

error: cannot read `none.toml`: No such file or directory (os error 2)
 --> b.toml:3:5
  |
3 | c = "none.toml"
  |     ^^^^^^^^^^^
  |
  = help: a path in `[use]` is relative to the file that it stands in
"#
    );
}

#[test]
fn a_used_file_that_is_not_there_is_told_with_the_nearest_name() {
    let files = [
        ("b.toml", "[use]\na = \"mision1.toml\"\n"),
        ("mission1.toml", ""),
        ("other.toml", ""),
    ];
    let told = load_files(&files).unwrap_err();
    assert!(
        told.contains("help: did you mean `mission1.toml`, which lies there?"),
        "{told}"
    );
}

#[test]
fn a_matrix_that_is_a_list_hides_which_fields_are_missing() {
    let text = changed("arch = \"resnet18\"", "matrix = [\"resnet18\"]");
    let at_matrix = told(&text);
    assert_eq!(at_matrix.len(), 1, "{at_matrix:?}");
    assert!(at_matrix[0].contains("`matrix` is not a list of values"));
}

#[test]
fn a_mistake_in_a_matrix_is_told_once_and_at_its_value() {
    let text = net(
        "matrix.epoch = [1, 2]\nmatrix.precision = [\"f32\", \"bf61\"]\nmatrix.seed = [1, 2, 3]\nmatrix.augment = [[{ center_crop = 65 }], []]\n",
    );
    assert_eq!(
        mistakes(&text),
        r#"error: unknown key `epoch` in `train.net`
  --> p.toml:20:8
   |
20 | matrix.epoch = [1, 2]
   |        ^^^^^
   |
   = help: did you mean `epochs`? accepted: `data`, `split`, `fold`, `arch`, `zero_init_residual`, `epochs`, `batch_size`, `optimizer`, `norm_weight_decay`, `bias_weight_decay`, `layer_decay`, `clip_grad_norm`, `clip_grad_value`, `accumulation_steps`, `ema`, `schedule`, `loss`, `label_smoothing`, `class_weights`, `sampling`, `repeated_augmentation`, `augment`, `mix`, `progressive_resizing`, `normalize`, `test_resolution`, `precision`, `deterministic`, `allow_tf32`, `keep_last`, `early_stopping`, `seed`, `save` or `matrix`

error: unknown value `bf61` for `precision`
  --> p.toml:21:28
   |
21 | matrix.precision = ["f32", "bf61"]
   |                            ^^^^^^
   |
   = help: did you mean `bf16`? accepted: `auto`, `f32` or `bf16`
"#
    );
}

#[test]
fn a_matrix_that_makes_no_sense_is_told_with_the_rest() {
    let text = net(
        "matrix.arch = [\"resnet34\"]\nmatrix.normalize = \"none\"\nmatrix.augment = []\nmatrix.seed = [1, 1]\nlos = 3\n",
    );
    assert_eq!(
        told(&text),
        [
            "20:8 `arch` is set plainly and in `matrix`",
            "21:8 `matrix.normalize` is not a list of values",
            "22:18 `matrix.augment` is empty",
            "23:19 `matrix.seed` holds a value twice",
            "24:1 unknown key `los` in `train.net`",
        ]
    );
    let many = (0..200)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let text = net(&format!(
        "matrix.seed = [{many}]\nmatrix.batch_size = [{}]\n",
        many.replace("0,1,", "1,")
    ));
    assert_eq!(
        told(&text),
        ["20:1 `matrix` makes 39800 instances, more than 10000"]
    );
}

#[test]
fn impossible_values_are_told_where_they_stand() {
    for (from, to, expected) in [
        (
            "epochs = 3",
            "epochs = \"3\"",
            "18:10 invalid value `\"3\"` for `epochs`: expected a whole number of at least 1",
        ),
        (
            "epochs = 3",
            "epochs = 99999999999999999999",
            "18:10 invalid value `99999999999999999999` for `epochs`: expected a whole number of at least 1",
        ),
        (
            "lr = 0.1",
            "lr = nan",
            "19:24 invalid value `nan` for `optimizer.sgd.lr`: expected a number above 0",
        ),
        (
            "lr = 0.1",
            "lr = inf",
            "19:24 invalid value `inf` for `optimizer.sgd.lr`: expected a number above 0",
        ),
        ("lr = 0.1", "", "19:17 missing `lr` in `optimizer.sgd`"),
        (
            "optimizer.sgd = { lr = 0.1 }",
            "optimizer.adam = { lr = 0.1, betas = [0.9, 1.0] }",
            "19:44 invalid value `1.0` for `optimizer.adam.betas`: expected a number from 0 to below 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\nlayer_decay = 1.5",
            "19:15 invalid value `1.5` for `layer_decay`: expected a number above 0 and at most 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\nema = { decay = 1 }",
            "19:17 invalid value `1` for `ema.decay`: expected a number from 0 to below 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\nclip_grad_norm = 0",
            "19:18 invalid value `0` for `clip_grad_norm`: expected a number above 0",
        ),
        (
            "epochs = 3",
            "schedule.cosine = { warmup_epochs = 3 }\nepochs = 3",
            "18:1 `warmup_epochs` of 3 in a training of 3 epochs: the schedule would never begin",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule.multi_step = { milestones = [2, 1] }",
            "19:38 invalid value `[2, 1]` for `schedule.multi_step.milestones`: expected a list of whole numbers from small to large such as `[30, 60, 80]`",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule.one_cycle = { three_phase = true, pct_start = 0.6 }",
            "19:56 `pct_start` of 0.6 with `three_phase`: the fall is as long as the rise, and would not end",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule.plateau = { factor = 1.0 }",
            "19:31 invalid value `1.0` for `schedule.plateau.factor`: expected a number from 0 to below 1",
        ),
        (
            "epochs = 3",
            "mix = { mixup = {}, off_epochs = 3 }\nepochs = 3",
            "18:7 `off_epochs` of 3 in a training of 3 epochs: no batch would be mixed",
        ),
        (
            "epochs = 3",
            "mix = { mixup = { probability = 0.7 }, cutmix = {} }\nepochs = 3",
            "18:33 probabilities of 1.2 in all: a batch is mixed one way or not at all",
        ),
        (
            "epochs = 3",
            "mix = { off_epochs = 1 }\nepochs = 3",
            "18:22 `mix` with nothing to mix by",
        ),
        (
            "epochs = 3",
            "mix.mixup = { alpha = 0 }\nepochs = 3",
            "18:23 invalid value `0` for `mix.mixup.alpha`: expected a number above 0",
        ),
        (
            "epochs = 3",
            "loss.focal = { gamma = -1 }\nepochs = 3",
            "18:24 invalid value `-1` for `loss.focal.gamma`: expected a number of at least 0",
        ),
        (
            "epochs = 3",
            "class_weights = { kimbap = 0 }\nepochs = 3",
            "18:28 invalid value `0` for `class_weights.kimbap`: expected a number above 0",
        ),
        (
            "epochs = 3",
            "repeated_augmentation = 0\nepochs = 3",
            "18:25 invalid value `0` for `repeated_augmentation`: expected a whole number of at least 1",
        ),
        (
            "epochs = 3",
            "augment = [{ center_crop = 30 }, { center_crop = 20 }]\nepochs = 3",
            "18:34 a second `center_crop`",
        ),
        (
            "lr = 0.1",
            "lr = 0.1, nesterov = true",
            "19:40 `nesterov` without `momentum`",
        ),
        (
            "optimizer.sgd = { lr = 0.1 }",
            "",
            "14:8 missing `optimizer` in `train.net`",
        ),
        (
            "optimizer.sgd",
            "optimizer.sgdd",
            "19:11 unknown value `sgdd` for `optimizer`",
        ),
        (
            "optimizer.sgd =",
            "optimizer.adam = { lr = 1 }\noptimizer.sgd =",
            "19:1 `optimizer` takes exactly one setting",
        ),
        (
            "arch = \"resnet18\"",
            "arch = \"resnet19\"",
            "17:8 unknown value `resnet19` for `arch`",
        ),
        (
            "arch = \"resnet18\"",
            "arch = 18",
            "17:8 invalid value `18` for `arch`: expected `resnet18`, `resnet34`, `resnet50`, `resnet101`, `resnet152`, `convnext_tiny` or `efficientnet_b0`",
        ),
        (
            "folds = 5",
            "folds = 1",
            "12:9 invalid value `1` for `folds`: expected a whole number from 2 to 1000",
        ),
        (
            "folds = 5",
            "validation = 1.5",
            "12:14 invalid value `1.5` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "validation = 1",
            "12:14 invalid value `1` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "validation = 0",
            "12:14 invalid value `0` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "validation = nan",
            "12:14 invalid value `nan` for `validation`: expected a number above 0 and below 1, such as 0.2",
        ),
        (
            "folds = 5",
            "folds = 5\nvalidation = 0.2",
            "12:1 `folds` together with `validation`",
        ),
        (
            "epochs = 3",
            "epochs = 3\nfold = 1",
            "19:8 `fold` is given, but `holdout` is a hold-out",
        ),
        (
            "epochs = 3",
            "epochs = 3\nfold = \"all\"",
            "19:8 `fold` is given, but `holdout` is a hold-out",
        ),
        (
            "split = \"holdout\"",
            "split = \"five\"",
            "14:8 `five` has 5 folds, and `fold` does not say which one validates",
        ),
        (
            "split = \"holdout\"",
            "split = \"five\"\nfold = 5",
            "17:8 fold 5 of `five`, which has 5",
        ),
        (
            "height = 64",
            "height = 60000",
            "7:33 invalid value `60000` for `resize.height`: expected a whole number from 1 to 8192",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_resized_crop = { size = 100000 } }]",
            "19:45 invalid value `100000` for `augment.random_resized_crop.size`: expected a whole number from 1 to 8192",
        ),
        (
            "epochs = 3",
            "epochs = 3\nkeep_last = 1",
            "19:13 `keep_last` of 1: expected a whole number from 2 to 50",
        ),
        (
            "epochs = 3",
            "epochs = 3\nkeep_last = 4",
            "19:13 `keep_last` of 4 in a training of 3 epochs",
        ),
        (
            "epochs = 3",
            "epochs = 3\ntest_resolution = 9000",
            "19:19 invalid value `9000` for `test_resolution`: expected a whole number from 1 to 8192",
        ),
        (
            "epochs = 3",
            "epochs = 3\ntest_resolution = 2049",
            "19:19 a model would be given more than 4,194,304 pixels: images of 64 x 64 with a shorter side of 2049",
        ),
        (
            "epochs = 3",
            "epochs = 3\nprogressive_resizing = { from = 32, epochs = 2, hold_epochs = 1 }",
            "19:24 `progressive_resizing` reaches the full size in epoch 4, and the training has 3",
        ),
        (
            "epochs = 3",
            "epochs = 3\nprogressive_resizing = { from = 64, epochs = 2 }",
            "19:24 images would grow from 64 pixels to the 64 that they have",
        ),
        (
            "epochs = 3",
            "epochs = 3\nprogressive_resizing = { from = 8, epochs = 2 }\naugment = [{ gaussian_blur = { kernel_size = 17 } }]",
            "20:12 `gaussian_blur` with a kernel of 17 pixels does not fit the image, which is 8 x 8",
        ),
        (
            "seed = 7",
            "seed = -7",
            "1:8 invalid value `-7` for `seed`: expected a whole number from 0 to 4294967295",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_resized_crop = { size = 8, scale = [1, 0.1] } }]",
            "19:56 invalid value `[1, 0.1]` for `augment.random_resized_crop.scale`: expected the smaller number first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ center_crop = 65 }]",
            "19:12 `center_crop` of 65 pixels is larger than the image, which is 64 x 64",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_affine = { degrees = [15, -15] } }]",
            "19:42 invalid value `[15, -15]` for `augment.random_affine.degrees`: expected a number of at least 0, or two numbers with the smaller one first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_affine = { shear = [1, 2, 3] } }]",
            "19:40 invalid value `[1, 2, 3]` for `augment.random_affine.shear`: expected a shear from 0 to below 90 degrees, or 2 or 4 of them from -90 to 90, each pair the smaller one first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ color_jitter = { hue = 0.6 } }]",
            "19:37 invalid value `0.6` for `augment.color_jitter.hue`: expected a number from 0 to 0.5, or two from -0.5 to 0.5 with the smaller one first",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ gaussian_blur = { kernel_size = 4 } }]",
            "19:46 invalid value `4` for `augment.gaussian_blur.kernel_size`: expected a whole and odd number of at least 1",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ gaussian_blur = { kernel_size = 129 } }]",
            "19:12 `gaussian_blur` with a kernel of 129 pixels does not fit the image, which is 64 x 64",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ rand_augment = { magnitude = 31 } }]",
            "19:12 `magnitude = 31` is beyond the scale, which has `num_magnitude_bins = 31`",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ trivial_augment_wide = { num_magnitude_bins = 1 } }]",
            "19:12 `num_magnitude_bins = 1` leaves one strength alone",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ auto_augment = \"cifar10\" }]",
            "19:29 unknown value `cifar10` for `augment.auto_augment`",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_erasing = {} }, { random_rotation = 15 }]",
            "19:12 `random_erasing` acts behind normalisation, and other augmentations follow it in the list",
        ),
        (
            "epochs = 3",
            "epochs = 3\naugment = [{ random_erasing = { value = \"noise\" } }]",
            "19:41 invalid value `\"noise\"` for `augment.random_erasing.value`: expected a number, three of them for red, green and blue, or `\"random\"`",
        ),
        (
            "epochs = 3",
            "epochs = 3\nschedule = \"cosine\"",
            "19:12 invalid value `\"cosine\"` for `schedule`: expected `schedule.constant = {}`, `schedule.step = { step_size = 10 }`, `schedule.multi_step = { milestones = [30, 60] }`, `schedule.cosine = {}`, `schedule.cosine_warm_restarts = { t_0 = 10 }`, `schedule.one_cycle = {}` or `schedule.plateau = {}`",
        ),
    ] {
        assert_eq!(told(&changed(from, to)), [expected], "{to}");
    }
}

#[test]
fn selecting_by_a_test_metric_is_refused_in_words() {
    assert_eq!(
        mistakes(&net(
            "[select.best]\nfrom = [\"net\"]\nby = \"test.top1\"\n"
        )),
        r#"error: `test.top1` is a test metric: selecting by the test part makes it part of training, and it then says nothing about new photographs
  --> p.toml:22:6
   |
22 | by = "test.top1"
   |      ^^^^^^^^^^^
   |
   = help: select by `validation.top1` or `validation.loss`; evaluate the chosen model on the test part
"#
    );
}

#[test]
fn a_transfer_from_many_points_to_select() {
    let transfer = NET
        .replace("train.net", "transfer.next")
        .replace("arch = \"resnet18\"", "model = \"net\"");
    assert_eq!(
        mistakes(&net(&format!("matrix.seed = [1, 2]\n{transfer}"))),
        r#"error: `net` stands for 2 instances, expected one
  --> p.toml:24:9
   |
24 | model = "net"
   |         ^^^^^
   |
   = help: choose the best with a `select` stage (`from = ["net"]`), or name one: `net[seed=1]`, `net[seed=2]`
"#
    );
}

#[test]
fn two_stages_of_one_name_are_refused_within_a_kind_and_across() {
    assert_eq!(
        mistakes(&net("[evaluate.net]\nmodel = \"net\"\n")),
        r#"error: two stages are called `net`: the train in line 14 is the first
  --> p.toml:20:11
   |
20 | [evaluate.net]
   |           ^^^
   |
   = help: names are unique in a file, whatever their kind; rename one of them
"#
    );
    assert_eq!(
        told(&net(
            "[train.net]\nepochs = 3\n[evaluate.x]\nmodl = \"net\"\n"
        )),
        [
            "20:8 `net` is given twice",
            "23:1 unknown key `modl` in `evaluate.x`",
        ]
    );
    let files = [
        (
            "p.toml",
            "[use]\nnet = \"b.toml\"\n[dataset.net]\ntrain = \"x\"\n",
        ),
        ("b.toml", HEAD),
    ];
    assert_eq!(
        rows(&load_files(&files).unwrap_err()),
        ["3:10 `net` is a file in `[use]` and a stage"]
    );
}

#[test]
fn a_dataset_has_folders_or_a_manifest() {
    let text =
        "[dataset.a]\n[dataset.b]\ntest = \"x\"\n[dataset.c]\ntrain = \"x\"\nmanifest = \"y\"\n";
    assert_eq!(
        told(text),
        [
            "1:10 a dataset with neither `train` nor `manifest`",
            "2:10 a dataset with neither `train` nor `manifest`",
            "6:1 `manifest` beside `train`",
        ]
    );
}

#[test]
fn a_part_that_cannot_exist_is_refused() {
    let text = net("[evaluate.x]\nmodel = \"net\"\non = [\"test\"]\n")
        .replace("test = \"data/test\"\n", "\n");
    assert_eq!(told(&text), ["22:7 the dataset `dishes` has no test part"]);
}

#[test]
fn data_and_split_are_of_one_dataset() {
    let text = changed("split = \"holdout\"", "split = \"other\"")
        + "[dataset.o]\ntrain = \"o\"\n[split.other]\ndataset = \"o\"\n";
    assert_eq!(
        told(&text),
        ["16:9 `other` splits the dataset `o`, but `pixels` holds the dataset `dishes`"]
    );
}

#[test]
fn what_is_known_only_after_the_run_must_be_said() {
    let text = net("fold = \"all\"\n[select.best]\nfrom = [\"net\"]\n[evaluate.x]\nmodel = \"best\"\non = [\"train\"]\n")
        .replace("split = \"holdout\"", "split = \"five\"");
    assert_eq!(
        told(&text),
        [
            "25:6 the candidates behind this model were trained on different folds, so which images validated it is known only after the run"
        ]
    );
}

#[test]
fn a_variable_that_is_not_set_is_told_with_the_way_to_set_it() {
    assert_eq!(
        mistakes("[dataset.\"김밥\"]\ntrain = \"사진/${NOPE}/x\"\n"),
        r#"error: the environment variable `NOPE` is not set
 --> p.toml:2:13
  |
2 | train = "사진/${NOPE}/x"
  |               ^^^^^^^
  |
  = help: set it (`export NOPE=/path/to/it`), or give a default: `${NOPE:-data}`
"#
    );
}

#[test]
fn what_is_not_toml_is_told_in_the_same_form() {
    assert_eq!(
        mistakes("[dataset.x]\ntrain = \n"),
        r#"error: this is not TOML: string values must be quoted, expected literal string
 --> p.toml:2:9
  |
2 | train = 
  |         ^
"#
    );
    assert_eq!(told(""), ["1:1 the file holds no stage"]);
    let text = "trian = 1\nuse = 3\nsplit.dataset = \"x\"\n[preprocess.\"a.b\"]\n";
    assert_eq!(
        told(text),
        [
            "1:1 unknown key `trian`",
            "2:1 `use` is not a table of files",
            "3:7 `dataset` stands in `split` itself, not in a stage",
            "4:13 `a.b` is not a name: expected letters of any script, digits, `_` and `-`",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_in_the_same_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    let mistakes = config::load(&path).unwrap_err();
    let expected = format!(
        "cannot read `{}`: No such file or directory (os error 2)",
        path.display()
    );
    assert_eq!(mistakes.rows()[0].message, expected);
    std::fs::write(&path, b"# \xff\n").unwrap();
    let mistakes = config::load(&path).unwrap_err();
    let row = &mistakes.rows()[0];
    assert_eq!((row.line, row.column), (Some(1), Some(3)));
    assert_eq!(row.message, "the file is not UTF-8 text");
}

#[test]
fn mistakes_are_the_users_move_and_have_a_form_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, "[dataset.x]\n").unwrap();
    let mistakes = config::load(&path).unwrap_err();
    let row = serde_json::to_value(mistakes.rows()).unwrap();
    assert_eq!(row[0]["line"], 1);
    assert_eq!(row[0]["column"], 10);
    assert!(row[0]["help"].as_str().unwrap().starts_with("give `train`"));
    assert_eq!(Error::from(mistakes).class(), Class::Usage);
}

#[test]
fn a_later_error_can_point_to_a_place() {
    let pipeline = good(HEAD);
    let Settings::Dataset(dataset) = &instance(&pipeline, "dishes").settings else {
        panic!("a dataset")
    };
    let mut location = dataset.train.as_ref().unwrap().location.clone();
    location.file = "p.toml".into();
    assert_eq!(
        location.render(
            "no folder `data/train`",
            Some("put one folder per class there")
        ),
        r#"error: no folder `data/train`
 --> p.toml:3:9
  |
3 | train = "data/train"
  |         ^^^^^^^^^^^^
  |
  = help: put one folder per class there"#
    );
}

/// One edit of a text: bytes cut out at a place, and something put there.
fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let pieces = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        "=",
        ".",
        "\"",
        "'",
        "\n",
        ",",
        "0",
        "-1",
        "nan",
        "matrix.",
        "[use]\n",
        "\"all\"",
        "fold = ",
        "김밥",
        "\u{0}",
        "${",
        "seed = [1, 2]",
        "[[",
        "true",
        "1979-05-27",
        "\t",
        "#",
        "1e999",
        "mission1.",
        "[train.x]\n",
    ]);
    let text = prop_oneof![pieces.prop_map(str::to_owned), ".{0,8}"];
    (any::<prop::sample::Index>(), 0..20_usize, text)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(which in 0..COMMITTED.len(), edits in prop::collection::vec(edit(), 1..6)) {
        let mut text: Vec<char> = std::fs::read_to_string(COMMITTED[which]).unwrap().chars().collect();
        for (at, cut, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let base = std::fs::read_to_string(COMMITTED[4]).unwrap();
        let next = std::fs::read_to_string(COMMITTED[5]).unwrap();
        let files = [("p.toml", text.as_str()), ("mission1.toml", &base), ("mission2.toml", &next)];
        if let Err(mistakes) = load_files(&files) {
            prop_assert!(mistakes.starts_with("error: "));
        }
    }
}

#[test]
fn keys_of_very_many_parts_are_no_danger() {
    let deep = "a.".repeat(100_000);
    let texts = [
        format!("[dataset.x]\ntrain = \"x\"\n{deep}b = 1\n"),
        format!("[dataset.{deep}b]\n"),
        format!("[dataset.x]\nmatrix.{deep}b = [1]\n"),
        format!("[dataset.x]\ntrain = {}\n", "[".repeat(100_000)),
        format!("[dataset.x]\ntrain = {{{deep}b = 1}}\n"),
    ];
    for text in texts {
        assert!(mistakes(&text).starts_with("error: "));
    }
}

#[test]
fn references_that_cannot_be_followed_are_told_in_words() {
    for (more, expected) in [
        (
            "[preprocess.sizes]\ndataset = \"dishes\"\nmatrix.resize.width = [32, 64]\nresize.height = 64\n[evaluate.x]\nmodel = \"net\"\ndata = \"sizes\"\n",
            "26:8 `sizes` stands for 2 instances, expected one",
        ),
        (
            "[evaluate.x]\nmodel = \"mision.net\"\n",
            "21:9 no file in `[use]` is called `mision`",
        ),
        (
            "[evaluate.x]\nmodel = \"net[seed=1\"\n",
            "21:9 `net[seed=1` opens a bracket and does not close it",
        ),
        (
            "[evaluate.x]\nmodel = \"net[seed=1]\"\n",
            "21:9 no instance is called `net[seed=1]`",
        ),
        (
            "[select.s]\nfrom = [\"net\", \"net\"]\n",
            "21:16 `net` is a candidate twice",
        ),
        ("[select.s]\nfrom = []\n", "21:8 nothing to select from"),
        (
            "[select.s]\nfrom = [\"net\"]\n[evaluate.x]\nmodel = \"s\"\ncheckpoint = \"last\"\n",
            "24:14 `s` hands on the best state, not the last",
        ),
        (
            "[evaluate.x]\nmodel = \"net\"\nsplit = \"five\"\n",
            "22:9 `five` has 5 folds, and `fold` does not say which one validates",
        ),
        (
            "[evaluate.x]\nmodel = \"net\"\nfold = 1\n",
            "22:8 `fold` is given, but `holdout` is a hold-out",
        ),
        (
            "[evaluate.x]\nmodel = \"some/folder\"\n",
            "20:11 `some/folder` does not say how its images were normalised",
        ),
    ] {
        let rows = told(&net(more));
        assert_eq!(rows[0], expected, "{rows:?}");
    }
}

#[test]
fn an_evaluation_may_vary_its_model() {
    let pipeline = good(&net(&format!(
        "matrix.seed = [1, 2]\n{}[evaluate.x]\nmatrix.model = [\"net\", \"other\"]\n",
        NET.replace("train.net", "train.other")
    )));
    let found: Vec<_> = ids(&pipeline)
        .into_iter()
        .filter(|id| id.starts_with("x["))
        .collect();
    assert_eq!(
        found,
        [
            "x[seed=1,model=net]",
            "x[seed=2,model=net]",
            "x[model=other]"
        ]
    );
}

#[test]
fn models_of_different_datasets_are_not_compared() {
    let text = net(
        "[dataset.o]\ntrain = \"o\"\n[preprocess.p]\ndataset = \"o\"\nresize = { width = 64, height = 64 }\n[split.s]\ndataset = \"o\"\n",
    ) + &NET
        .replace("train.net", "train.far")
        .replace("pixels", "p")
        .replace("holdout", "s")
        + "[select.best]\nfrom = [\"net\", \"far\"]\n";
    assert_eq!(
        told(&text),
        ["34:16 `far` is trained on the dataset `o`, but `net` on `dishes`"]
    );
}

#[test]
fn an_ensemble_takes_all_instances_and_only_its_test_part_where_folds_would_leak() {
    let text = net(
        "fold = \"all\"\n[ensemble.all]\nfrom = [\"net\"]\n[evaluate.x]\nmodel = \"all\"\ntta = [\"five_crop\", \"horizontal_flip\"]\n",
    )
    .replace("split = \"holdout\"", "split = \"five\"");
    let pipeline = good(&text);
    let Settings::Ensemble(all) = &instance(&pipeline, "all").settings else {
        panic!("an ensemble")
    };
    assert_eq!(
        all.from,
        [0, 1, 2, 3, 4].map(|fold| format!("net[fold={fold}]"))
    );
    let Settings::Evaluate(x) = &instance(&pipeline, "x").settings else {
        panic!("an evaluate")
    };
    assert_eq!(x.on, [EvaluatePart::Test]);
    assert_eq!(x.tta, [Tta::HorizontalFlip, Tta::FiveCrop]);
    let leaking = text.replace("model = \"all\"", "model = \"all\"\non = [\"validation\"]");
    let told = mistakes(&leaking);
    assert!(told.contains("trained on different folds"), "{told}");
}

#[test]
fn an_ensemble_that_makes_no_sense_is_told_where_it_stands() {
    for (more, expected) in [
        (
            "[ensemble.e]\nfrom = [\"net\"]\n",
            "an ensemble of one model, `net`",
        ),
        ("[ensemble.e]\nfrom = []\n", "an ensemble of nothing"),
        (
            "[ensemble.e]\nfrom = [\"net\", \"net\"]\n",
            "`net` is a member twice",
        ),
        (
            "[evaluate.x]\nmodel = \"net\"\ntta = [\"horizontal_flip\", \"horizontal_flip\"]\n",
            "`horizontal_flip` is named twice",
        ),
        (
            "[evaluate.x]\nmodel = \"net\"\ntta = [\"horizontal_flp\"]\n",
            "did you mean `horizontal_flip`?",
        ),
    ] {
        let told = mistakes(&net(more));
        assert!(told.contains(expected), "{told}");
    }
    let two = "matrix.seed = [1, 2]\n[ensemble.e]\nfrom = [\"net\"]\n";
    for (more, expected) in [
        (
            "[select.s]\nfrom = [\"e\"]\n",
            "`e` is an ensemble, expected",
        ),
        ("[select.s]\nfrom = [\"e\"]\n", "name one of its members"),
        (
            "[evaluate.x]\nmodel = \"e\"\ncheckpoint = \"last\"\n",
            "leave `checkpoint` out, or set it in `e`",
        ),
    ] {
        let told = mistakes(&net(&format!("{two}{more}")));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_time_between_two_saves_is_a_number_and_its_unit() {
    let text = changed("epochs = 3", "epochs = 3\nsave = { every = \"5 minutes\" }");
    assert_eq!(
        mistakes(&text),
        r#"error: invalid value `"5 minutes"` for `save.every`: expected a time such as "90s", "5m" or "1h"
  --> p.toml:19:18
   |
19 | save = { every = "5 minutes" }
   |                  ^^^^^^^^^^^
"#
    );
    for (every, accepted) in [
        ("\"90s\"", true),
        ("\"1h\"", true),
        ("\"0m\"", false),
        ("300", false),
    ] {
        let text = changed(
            "epochs = 3",
            &format!("epochs = 3\nsave = {{ every = {every} }}"),
        );
        assert_eq!(load(&text).is_ok(), accepted, "{every}");
    }
}

#[test]
fn an_average_of_what_has_no_mean_or_no_common_validation_is_told_where_it_stands() {
    let other = |more: &str| {
        let text = net("").replace("[train.net]", "[train.other]");
        net(&format!("{}{more}", text.strip_prefix(HEAD).unwrap()))
    };
    let soup = "[average.soup]\nfrom = [\"net\", \"other\"]\n";
    let pipeline = good(&other(&format!(
        "{soup}rule = \"greedy\"\nby = \"validation.loss\"\n"
    )));
    let Settings::Average(average) = &instance(&pipeline, "soup").settings else {
        panic!("an average")
    };
    assert_eq!(average.from, ["net", "other"]);
    assert_eq!(
        (average.split.as_str(), average.by),
        ("holdout", Metric::ValidationLoss)
    );

    let swa = good(&net(
        "keep_last = 2\n[average.swa]\nfrom = [\"net\"]\ncheckpoint = \"kept\"\n",
    ));
    let Settings::Average(swa) = &instance(&swa, "swa").settings else {
        panic!("an average")
    };
    assert_eq!((swa.from.len(), swa.checkpoint), (1, AverageOf::Kept));

    let architectures = other(soup).replacen("resnet18", "resnet34", 1);
    let folds = net("fold = \"all\"\n[average.soup]\nfrom = [\"net\"]\n")
        .replace("split = \"holdout\"", "split = \"five\"");
    for (text, expected) in [
        (architectures, "weights of different networks have no mean"),
        (folds, "what one validates, another may have trained on"),
        (
            other(&format!("{soup}by = \"validation.loss\"\n")),
            "`by` in an average that chooses nothing",
        ),
        (
            other(&format!("{soup}rule = \"gready\"\n")),
            "did you mean `greedy`?",
        ),
        (
            net("[average.soup]\nfrom = [\"net\"]\n"),
            "an average of one model, `net`",
        ),
        (
            net("[average.soup]\nfrom = [\"net\"]\ncheckpoint = \"kept\"\n"),
            "`net` keeps no epochs to average",
        ),
        (
            net(
                "[select.best]\nfrom = [\"net\"]\nby = \"validation.top1\"\n\
                 [average.soup]\nfrom = [\"best\"]\ncheckpoint = \"kept\"\n",
            ),
            "`best` is no training, and hands on one state",
        ),
    ] {
        let told = mistakes(&text);
        assert!(told.contains(expected), "{told}");
    }
}
