//! What evaluations leave behind, and what the report makes of it.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::support::Project;

const FILE: &str = "pipelines/p.toml";
const PIPELINE: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[split.holdout]
dataset = "dishes"
validation = 0.2
seed = 7

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 3
batch_size = 8
optimizer.sgd = { lr = 1e-9 }
early_stopping = { patience = 1, min_delta = 0.9 }
seed = 1

[evaluate.result]
model = "net"
on = ["train", "validation", "test"]
tta = ["horizontal_flip"]
"#;

/// The only file of this name in the cache.
fn stored(project: &Project, name: &str) -> PathBuf {
    let mut found = walkdir::WalkDir::new(project.path("cache"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.file_name().is_some_and(|n| n == name));
    let only = found.next().unwrap();
    assert!(found.next().is_none(), "several `{name}`");
    only
}

/// Whether any text in a JSON value reads as a sentence.
fn sentence(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.contains(". ").then_some(text),
        Value::Array(values) => values.iter().find_map(sentence),
        Value::Object(fields) => fields.values().find_map(sentence),
        _ => None,
    }
}

#[test]
fn an_evaluation_holds_numbers_which_the_report_words_and_others_can_read() {
    let project = Project::with_dishes();
    project.write(FILE, PIPELINE);
    project.ok(&["run", FILE]);

    let metrics = fs::read(stored(&project, "metrics.json")).unwrap();
    let metrics: Value = serde_json::from_slice(&metrics).unwrap();
    assert_eq!(sentence(&metrics), None);
    let history = fs::read_to_string(stored(&project, "history.json")).unwrap();
    assert!(
        history.contains("`validation.top1` did not improve for 1 epoch after epoch 1"),
        "histories keep their form: {history}"
    );
    let report = project.ok(&["report", FILE]).stdout;
    for said in [
        "- Top-1 is ",
        " of 12 test images are copies of training images: top-1 ",
        "- Stopped early: `validation.top1` did not improve for 1 epoch after epoch 1.",
        "- Train top-1: `",
        "### Look-alikes",
    ] {
        assert!(report.contains(said), "no `{said}` in:\n{report}");
    }

    let said = &metrics["log_probabilities"];
    assert_eq!(said["dtype"], "<f4");
    let predictions = fs::read_to_string(stored(&project, "predictions.csv")).unwrap();
    let images = predictions.lines().count() - 1;
    assert_eq!(said["shape"], serde_json::json!([images, 3]));
    let bytes = fs::read(stored(&project, "log_probabilities.f32")).unwrap();
    assert_eq!(bytes.len(), 4 * images * 3);
    for row in bytes.chunks_exact(12) {
        let log = |value: &[u8]| f64::from(f32::from_le_bytes(value.try_into().unwrap()));
        let sum: f64 = row.chunks_exact(4).map(|value| log(value).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }
}

#[cfg(feature = "tensors")]
#[test]
fn where_features_find_look_alikes_no_sentence_takes_the_part_for_a_clean_one() {
    let project = Project::new();
    let classes = ["김밥", "비빔밥", "떡국_만두국"];
    project.dishes("data/train", &classes, 10);
    // Pictures of their own, and of the same dishes.
    project.dishes("data/of_yet_another_day", &classes, 4);
    project.write(
        FILE,
        &PIPELINE.replace("data/test", "data/of_yet_another_day"),
    );
    let told = || {
        project.ok(&["run", FILE]);
        project.ok(&["report", FILE]).stdout
    };
    let report = told();
    assert!(
        report.contains("so no overfitting is shown")
            && report.contains("a clean split of one source"),
        "{report}"
    );
    project.edit(FILE, "tta =", "leaks = { cosine = 0.0 }\ntta =");
    let report = told();
    for said in ["no overfitting is shown", "clean split"] {
        assert!(!report.contains(said), "{said}\n{report}");
    }
    for said in [
        "further test images look like training images",
        "but images that look like training images are among the validation images, so that this tells nothing of overfitting",
        "no more than chance allows, but images that look like training images are among them",
    ] {
        assert!(report.contains(said), "{said}\n{report}");
    }
}
