//! Labels that are wrong: found by an audit, corrected by a list, and how sure a model may be.

use std::{collections::BTreeMap, fs};

use kfood::record::Images;
use serde_json::Value;

use crate::support::Project;

const FILE: &str = "pipelines/p.toml";
const PIPELINE: &str = "[dataset.d]
train = \"data/train\"
test = \"data/test\"

[preprocess.pixels]
dataset = \"d\"
resize = { width = 32, height = 32 }

[split.folds]
dataset = \"d\"
folds = 2
";
const MODELS: &str = "
[train.net]
data = \"pixels\"
split = \"folds\"
fold = \"all\"
arch = \"resnet18\"
epochs = 2
batch_size = 8
optimizer.adam = { lr = 0.001 }

[evaluate.result]
model = \"net\"
on = [\"validation\", \"test\"]

[audit.labels]
from = \"result\"

[calibrate.sure]
from = \"result[fold=0]\"
precision = 0.3
";

/// Two dishes of each of two classes lie in the folder of the other.
fn with_wrong_labels() -> Project {
    let project = Project::new();
    let classes = ["김밥", "비빔밥", "떡국_만두국"];
    project.dishes("data/train", &classes, 15);
    project.dishes("data/test", &classes, 6);
    for i in 0..2 {
        project.picture(&format!("data/train/김밥/wrong{i}.png"), 1, 90 + i);
        project.picture(&format!("data/train/비빔밥/wrong{i}.png"), 0, 80 + i);
    }
    project
}

/// What lies in the cache as the output of a stage.
fn output(project: &Project, id: &str, name: &str) -> String {
    let explained = project.json(&["explain", FILE, id]);
    let record = &explained[0]["record"];
    let [key, folder] = ["key", "folder"].map(|field| record[field].as_str().unwrap_or_default());
    let place = format!("cache/entries/{key}/{folder}/{name}");
    fs::read_to_string(project.path(&place))
        .unwrap_or_else(|e| panic!("{name} of {id}: {e}\n{explained}"))
}

#[cfg(feature = "tensors")]
#[test]
fn every_training_image_is_judged_by_a_model_that_never_saw_it_and_what_is_wrong_is_proposed() {
    let project = with_wrong_labels();
    project.write(FILE, &format!("{PIPELINE}{MODELS}"));
    let ran = project.ok(&["run", FILE]);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        told.contains("of 49 labels look")
            && told.contains("wrong, by 2 models that did not train on them"),
        "{told}"
    );
    assert!(
        told.contains("30% precision is asked for: answers from a probability of 0."),
        "{told}"
    );
    let issues: Value =
        serde_json::from_str(&output(&project, "labels", "label_issues.json")).unwrap();
    let issues = issues["issues"].as_array().unwrap();
    let list = output(&project, "labels", "corrections.csv");
    let mut rows = list.lines();
    assert_eq!(rows.next(), Some("path,given,suggested,margin"));
    let proposed: Vec<String> = issues
        .iter()
        .map(|i| {
            let text = |field: &str| i[field].as_str().unwrap().to_owned();
            format!(
                "{},{},{},{}",
                text("path"),
                text("given"),
                text("suggested"),
                i["margin"]
            )
        })
        .collect();
    assert_eq!(rows.collect::<Vec<_>>(), proposed);

    answers_are_calibrated(&project);

    // The list that was proposed is one that a data set takes.
    project.write("corrections.csv", &list);
    project.edit(
        FILE,
        "test = \"data/test\"",
        "test = \"data/test\"\ncorrections = \"corrections.csv\"",
    );
    let ran = project.ok(&["run", FILE, "d"]);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    let corrected = format!("{} labels corrected, 0 left out", issues.len());
    assert!(told.contains(&corrected), "{told}");
}

/// By the temperature of the calibration, and its threshold.
#[cfg(feature = "tensors")]
fn answers_are_calibrated(project: &Project) {
    let found: Value = serde_json::from_str(&output(project, "sure", "calibration.json")).unwrap();
    let temperature = found["temperature"].as_f64().unwrap();
    assert!(temperature > 0.0);
    assert_eq!(found["parts"][0]["part"], "validation");
    assert_eq!(found["parts"][1]["images"], 18);

    // Nothing is as sure as that: no answer is given, and the guesses are there nevertheless.
    let image = "data/test/김밥/000.png";
    let predict = |more: &[&str]| {
        let model = format!("{FILE}:net[fold=0]");
        project.json(&[&["predict", "--model", &model, image], more].concat())
    };
    let sure = format!("{FILE}:sure");
    let (plain, calibrated) = (
        predict(&[]),
        predict(&["--calibration", &sure, "--unknown"]),
    );
    let probability = |found: &Value| found[0]["guesses"][0]["probability"].as_f64().unwrap();
    assert_ne!(probability(&plain), probability(&calibrated));
    assert_eq!(
        plain[0]["guesses"][0]["class"],
        calibrated[0]["guesses"][0]["class"]
    );
    let threshold = found["threshold"]["probability"].as_f64().unwrap();
    assert_eq!(
        calibrated[0]["unknown"],
        probability(&calibrated) < threshold
    );
    let other = format!("{FILE}:net[fold=1]");
    let warned = project.ok(&["predict", "--model", &other, image, "--calibration", &sure]);
    assert!(
        warned.stderr.contains("was fitted on another model"),
        "{}",
        warned.stderr
    );
    let own = format!("{FILE}:net[fold=0]");
    let views = |more: &[&str]| {
        let predict = ["predict", "--model", &own, image, "--calibration", &sure];
        project.ok(&[&predict, more].concat()).stderr
    };
    let warned = views(&["--tta", "horizontal_flip"]);
    let told = "was fitted under one view, and is used for `tta = [\"horizontal_flip\"]` here";
    assert!(warned.contains(told), "{warned}");
    assert!(!views(&[]).contains("was fitted under"));
}

/// `membership.json` and `labels.json` of a data set with this list.
fn with_list(project: &Project, list: Option<&str>) -> (Value, Value) {
    let line = match list {
        Some(list) => {
            project.write("corrections.csv", list);
            "\ncorrections = \"corrections.csv\""
        }
        None => "",
    };
    let text = PIPELINE.replace("\"data/test\"", &format!("\"data/test\"{line}"));
    project.write(FILE, &text);
    project.ok(&["run", FILE, "folds"]);
    let read = |id, name| serde_json::from_str(&output(project, id, name)).unwrap();
    (read("folds", "membership.json"), read("d", "labels.json"))
}

#[test]
fn a_corrected_label_moves_no_image_and_a_left_out_one_is_in_no_part() {
    let project = with_wrong_labels();
    let (before, labels) = with_list(&project, None);
    assert!(labels.get("corrected").is_none() && labels.get("left_out").is_none());
    let list = "path,given,suggested,margin\ntrain/김밥/wrong0.png,김밥,비빔밥,0.1\ntrain/김밥/wrong1.png,김밥,leave_out,0.2\n";
    let (after, corrected) = with_list(&project, Some(list));
    let (was, is) = (&before["assignments"], &after["assignments"]);
    let pairs = was.as_array().unwrap().iter().zip(is.as_array().unwrap());
    let moved: Vec<_> = pairs.filter(|(was, is)| was != is).collect();
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert_eq!(moved[0].1, "left_out");
    assert_eq!(corrected["corrected"].as_array().unwrap().len(), 1);
    assert_eq!(corrected["left_out"].as_array().unwrap().len(), 1);
    assert_ne!(labels["labels"], corrected["labels"]);
    // The list is read and never written.
    assert_eq!(project.read("corrections.csv"), list);
}

/// A split of each other kind, of data whose test part is drawn where there is one.
const SPLITS: &str = "[dataset.d]
train = \"data/train\"

[preprocess.pixels]
dataset = \"d\"
resize = { width = 32, height = 32 }

[split.stable]
dataset = \"d\"
validation = 0.3
stable = true

[split.drawn]
dataset = \"d\"
validation = 0.2
test = 0.3

[split.grouped]
dataset = \"d\"
validation = 0.3
leaks = \"group\"
data = \"pixels\"
";

/// Where each image of a split is, by its path.
fn places(project: &Project, split: &str) -> BTreeMap<String, Value> {
    let images: Images = serde_json::from_str(&output(project, "d", Images::FILE)).unwrap();
    let split: Value = serde_json::from_str(&output(project, split, "membership.json")).unwrap();
    let paths = images.images.into_iter().map(|image| image.path);
    let places = split["assignments"].as_array().unwrap().clone();
    paths.zip(places).collect()
}

#[test]
fn corrections_move_no_image_of_a_split_that_is_stable_draws_a_test_part_or_keeps_look_alikes_together()
 {
    let project = with_wrong_labels();
    // A pair that stays on one side.
    project.picture("data/train/김밥/twin.png", 1, 90);
    let kinds = ["stable", "drawn", "grouped"];
    let all = || {
        project.ok(&["run", FILE]);
        kinds.map(|kind| places(&project, kind))
    };
    project.write(FILE, SPLITS);
    let before = all();
    let list = "path,given,suggested\ntrain/김밥/wrong0.png,김밥,비빔밥\ntrain/김밥/wrong1.png,김밥,leave_out\n";
    project.write("corrections.csv", list);
    let train = "train = \"data/train\"";
    let corrected = format!("{train}\ncorrections = \"corrections.csv\"\ncorrect_test = true");
    project.edit(FILE, train, &corrected);
    for ((kind, before), after) in kinds.iter().zip(before).zip(all()) {
        let moved = before
            .iter()
            .filter(|(path, place)| after[*path] != **place);
        let moved: Vec<_> = moved
            .map(|(path, _)| (path.as_str(), after[path].clone()))
            .collect();
        let left_out = ("train/김밥/wrong1.png", "left_out".into());
        assert_eq!(moved, [left_out], "{kind}");
    }
}

#[test]
fn a_correction_of_an_image_that_the_split_draws_for_test_is_refused_unless_it_is_asked_for() {
    let project = with_wrong_labels();
    project.write(FILE, SPLITS);
    project.ok(&["run", FILE, "drawn"]);
    let places = places(&project, "drawn");
    let drawn = |part: &str| {
        let found = places
            .iter()
            .find(|(path, place)| **place == part && path.contains("/김밥/"));
        found.unwrap().0.clone()
    };
    let train = "train = \"data/train\"";
    project.edit(
        FILE,
        train,
        &format!("{train}\ncorrections = \"corrections.csv\""),
    );
    let correct = |path: &str| {
        project.write(
            "corrections.csv",
            &format!("path,given,suggested\n{path},김밥,비빔밥\n"),
        );
        project.kfood(&["run", FILE, "drawn"])
    };
    let taken = correct(&drawn("train"));
    assert_eq!(taken.code, 0, "{}", taken.stderr);
    let refused = correct(&drawn("test"));
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    for told in [
        "1 image of the list of corrections is drawn for test",
        "`correct_test = true`",
    ] {
        assert!(refused.stderr.contains(told), "{told}\n{}", refused.stderr);
    }
    project.edit(FILE, train, &format!("{train}\ncorrect_test = true"));
    project.ok(&["run", FILE, "drawn"]);
}

/// Two networks, the two together, and the mean of their weights.
#[cfg(feature = "tensors")]
const TOGETHER: &str = "
[split.holdout]
dataset = \"d\"
validation = 0.3

[train.net]
data = \"pixels\"
split = \"holdout\"
arch = \"resnet18\"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }
matrix.seed = [1, 2]

[ensemble.both]
from = [\"net\"]

[average.mean]
from = [\"net\"]

[evaluate.both_result]
model = \"both\"
on = [\"validation\", \"test\"]

[evaluate.mean_result]
model = \"mean\"
on = [\"validation\", \"test\"]

[calibrate.both_sure]
from = \"both_result\"

[calibrate.mean_sure]
from = \"mean_result\"
";

#[cfg(feature = "tensors")]
#[test]
fn an_ensemble_and_an_average_have_temperatures_of_their_own() {
    let project = with_wrong_labels();
    project.write(FILE, &format!("{PIPELINE}{TOGETHER}"));
    project.ok(&["run", FILE]);
    let image = "data/test/김밥/000.png";
    let temperatures = ["both", "mean"].map(|model| {
        let sure = format!("{model}_sure");
        let found: Value =
            serde_json::from_str(&output(&project, &sure, "calibration.json")).unwrap();
        let loss = |when: &str| found["parts"][0][when]["loss"].as_f64().unwrap();
        assert_eq!(found["parts"][0]["part"], "validation");
        assert_eq!(
            (&found["fitted"], &found["parts"][1]["images"]),
            (&true.into(), &18.into())
        );
        assert!(loss("after") < loss("before"), "{model}: {found}");
        // It is known as the model's own.
        let (model, sure) = (format!("{FILE}:{model}"), format!("{FILE}:{sure}"));
        let told = project.ok(&["predict", "--model", &model, image, "--calibration", &sure]);
        assert!(!told.stderr.contains("another model"), "{}", told.stderr);
        found["temperature"].as_f64().unwrap()
    });
    assert_ne!(temperatures[0], temperatures[1]);
}

#[test]
fn a_plan_says_what_corrections_ask_for_before_they_are_used() {
    let project = with_wrong_labels();
    project.write(FILE, PIPELINE);
    project.ok(&["run", FILE, "d"]);
    let reason = |list: &str| {
        project.write("corrections.csv", list);
        let plan = project.kfood(&["plan", FILE, "--json"]).stdout;
        let plan: Value = serde_json::from_str(&plan).unwrap();
        let stages = plan["stages"].as_array().unwrap();
        let dataset = stages.iter().find(|stage| stage["id"] == "d").unwrap();
        dataset["reasons"][0]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    project.edit(
        FILE,
        "\"data/test\"",
        "\"data/test\"\ncorrections = \"corrections.csv\"",
    );
    // A row whose label is the given one changes nothing.
    let list = "path,given,suggested\ntrain/김밥/wrong0.png,김밥,비빔밥\ntrain/김밥/wrong1.png,김밥,leave_out\ntrain/김밥/000.png,김밥,김밥\n";
    assert_eq!(
        reason(list),
        "input `corrections` new: 1 label corrected, 1 left out"
    );
    // Without what is given, it may be that a label stays.
    assert_eq!(
        reason("path,label\ntrain/김밥/wrong0.png,비빔밥\n"),
        "input `corrections` new: up to 1 label corrected, 0 left out"
    );
    assert!(
        reason("path\n").starts_with("input `corrections` new: ")
            && reason("path\n").contains("no column"),
        "{}",
        reason("path\n")
    );
    project.write("corrections.csv", list);
    let ran = project.ok(&["run", FILE, "d"]);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains("1 label corrected, 1 left out"), "{told}");
    // So that this one alone is there to compare with.
    project.ok(&["cache", "gc"]);
    let more = format!("{list}train/비빔밥/wrong0.png,비빔밥,김밥\n");
    let changed = reason(&more);
    assert!(
        changed.contains("1 file changed: `corrections.csv`; 2 labels corrected, 1 left out"),
        "{changed}"
    );
}

#[test]
fn a_look_at_the_data_counts_a_corrected_image_in_its_new_class_and_a_left_out_one_in_none() {
    let project = with_wrong_labels();
    let look = |list: Option<&str>| {
        with_list(&project, list);
        project.json(&["data", FILE])["data"][0].clone()
    };
    let train = |data: &Value| {
        let classes = data["classes"].as_array().unwrap().iter();
        classes
            .map(|class| class["train"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    // In code point order: 김밥, 떡국_만두국, 비빔밥.
    assert_eq!(train(&look(None)), [17, 15, 17]);
    let list = "path,given,suggested\ntrain/김밥/wrong0.png,김밥,비빔밥\ntrain/김밥/wrong1.png,김밥,leave_out\n";
    let data = look(Some(list));
    assert_eq!(train(&data), [15, 15, 18]);
    assert_eq!(data["left_out"], 1);
    let text = project.ok(&["data", FILE]).stdout;
    assert!(
        text.contains("66 images in 3 classes, 1 more left out"),
        "{text}"
    );
}

#[test]
fn every_row_that_cannot_be_meant_is_told_with_its_line() {
    let project = with_wrong_labels();
    project.write(
        "corrections.csv",
        "path,given,suggested\ntrain/김밥/999.png,김밥,비빔밥\ntrain/김밥/000.png,김밥,비빔빱\ntrain/김밥/001.png,비빔밥,김밥\ntest/김밥/000.png,김밥,비빔밥\n",
    );
    let text = PIPELINE.replace(
        "\"data/test\"",
        "\"data/test\"\ncorrections = \"corrections.csv\"",
    );
    project.write(FILE, &text);
    let error = project.fails(1, &["run", FILE, "d"]).stderr;
    for told in [
        "4 rows of",
        "corrections.csv:2: `train/김밥/999.png`: no photograph of the data set is called so",
        "corrections.csv:3: `train/김밥/000.png`: no class is called `비빔빱`; did you mean `비빔밥`?",
        "corrections.csv:4: `train/김밥/001.png`: the row is of an image given for `비빔밥`, and this one is given for `김밥`",
        "corrections.csv:5: `test/김밥/000.png`: it is of the test part: set `correct_test = true`",
    ] {
        assert!(error.contains(told), "{told}\n{error}");
    }
    project.write("corrections.csv", "path,label\ntest/김밥/000.png,비빔밥\n");
    project.edit(FILE, "corrections =", "correct_test = true\ncorrections =");
    project.ok(&["run", FILE, "d"]);
}

#[test]
fn an_audit_of_what_a_model_trained_on_and_a_calibration_without_validation_are_mistakes() {
    let project = with_wrong_labels();
    let text = format!("{PIPELINE}{MODELS}")
        .replace(
            "from = \"result\"\n",
            "from = \"result\"\non = [\"train\"]\n",
        )
        .replace("on = [\"validation\", \"test\"]", "on = [\"test\"]");
    project.write(FILE, &text);
    let error = project.fails(2, &["check", FILE]);
    let error = format!("{}{}", error.stdout, error.stderr);
    assert!(
        error.contains("a model says of the images that it trained on what it was told"),
        "{error}"
    );
    project.edit(FILE, "\non = [\"train\"]", "");
    let error = project.fails(2, &["check", FILE]);
    let error = format!("{}{}", error.stdout, error.stderr);
    assert!(
        error.contains("is not evaluated on `validation`, whose labels are looked at"),
        "{error}"
    );
    assert!(error.contains("where the temperature is fitted"), "{error}");
}
