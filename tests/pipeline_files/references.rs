//! Stages that refer to each other: to the wrong kind, in circles, or to what is known only after the run.

use kfood::{
    config::Settings,
    record::Part,
    settings::{AverageOf, Metric, Tta},
};

use super::{HEAD, NET, changed, good, instance, mistakes, net, told};

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
fn a_stage_is_no_candidate_for_itself() {
    let text = format!("{HEAD}{NET}[select.nex]\nfrom = [\"nez\"]\n");
    let told = mistakes(&text);
    assert!(told.contains("help: did you mean `net`?\n"), "{told}");
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
        "fold = \"all\"\naugment = [{ center_crop = 24 }]\n[ensemble.all]\nfrom = [\"net\"]\n[evaluate.x]\nmodel = \"all\"\ntta = [\"five_crop\", \"horizontal_flip\"]\n",
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
    assert_eq!(x.on, [Part::Test]);
    assert_eq!(x.tta, [Tta::HorizontalFlip, Tta::FiveCrop]);
    let leaking = text.replace("model = \"all\"", "model = \"all\"\non = [\"validation\"]");
    let told = mistakes(&leaking);
    assert!(told.contains("trained on different folds"), "{told}");
    // What a calibration of it is told to do can be done.
    let calibrated = text.clone() + "[calibrate.sure]\nfrom = \"x\"\n";
    let told = mistakes(&calibrated);
    let wanted = "= help: its models were trained on different folds, so that no image validates all of them: evaluate the folds themselves";
    assert!(told.contains(wanted), "{told}");
    let folds = "[evaluate.folds]\nmodel = \"net\"\n";
    let as_told = calibrated.replace("from = \"x\"", "from = \"folds\"") + folds;
    assert!(
        good(&as_told)
            .instances
            .iter()
            .any(|i| i.id == "sure[fold=4]")
    );
}

#[test]
fn views_of_corners_without_a_centre_crop_are_a_mistake_of_the_file() {
    let evaluate = "[evaluate.x]\nmodel = \"net\"\ntta = [\"horizontal_flip\", \"five_crop\"]\n";
    assert_eq!(
        mistakes(&net(evaluate)),
        r#"error: `five_crop` needs a centre crop to take the size of its corners from, and the model was trained without one
  --> p.toml:22:27
   |
22 | tta = ["horizontal_flip", "five_crop"]
   |                           ^^^^^^^^^^^
   |
   = help: leave `five_crop` out of `tta`, or train with `augment = [{ center_crop = … }]`
"#
    );
    let cropped = net(&format!("augment = [{{ center_crop = 24 }}]\n{evaluate}"));
    good(&cropped);
    // Whoever answers or may be chosen is asked.
    let two = |kind: &str| {
        let other = NET.replace("train.net", "train.other");
        let members = format!("[{kind}.both]\nfrom = [\"net\", \"other\"]\n");
        cropped.replace("model = \"net\"", "model = \"both\"") + &other + &members
    };
    for kind in ["select", "ensemble"] {
        let told = told(&two(kind));
        assert!(
            told[0].contains("was trained without one: `other`"),
            "{told:?}"
        );
    }
    // The rows that are judged count.
    let smaller = "data = \"small\"\nsplit = \"holdout\"\n[preprocess.small]\ndataset = \"dishes\"\nresize = { width = 16, height = 16 }\n";
    let told = told(&(cropped + smaller));
    assert!(
        told[0].contains("crop of 24 pixels is larger than its images of 16 x 16"),
        "{told:?}"
    );
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

#[test]
fn a_training_that_keeps_its_best_alone_is_not_asked_for_its_last() {
    for asks in [
        "[evaluate.it]\nmodel = \"net\"",
        "[select.it]\nfrom = [\"net\"]",
    ] {
        let text = |checkpoint| net(&format!("keep = \"best\"\n{asks}\n{checkpoint}\n"));
        good(&text("checkpoint = \"best\""));
        let told = mistakes(&text("checkpoint = \"last\""));
        let expected = "`net` keeps its best state alone, and not the last";
        assert!(told.contains(expected), "{told}");
    }
}
