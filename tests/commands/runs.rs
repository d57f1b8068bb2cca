//! Runs of before.

use super::{FILE, small};
use crate::support::Project;

/// The names of a pipeline's runs, the newest first.
fn names(runs: &serde_json::Value) -> Vec<String> {
    let runs = runs["runs"].as_array().unwrap().iter();
    runs.map(|run| run["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn runs_of_a_file_that_is_nowhere_are_no_runs_that_are_to_come() {
    let nowhere = small().fails(2, &["runs", "pipelines/nowhere.toml"]).stderr;
    assert!(nowhere.contains("there is no pipeline file"), "{nowhere}");
}

#[test]
fn runs_are_listed_with_what_changed_and_what_came_out_and_outlive_their_results() {
    let project = small();
    let none = project.fails(1, &["runs", FILE]).stderr;
    assert!(
        none.contains("no run of `pipelines/small.toml` is known"),
        "{none}"
    );
    project.ok(&["run", FILE]);
    project.edit(FILE, "epochs = 2", "epochs = 1");
    project.ok(&["run", FILE]);
    // Nothing new: no run to tell of.
    project.ok(&["run", FILE]);
    let runs = project.json(&["runs", FILE]);
    let [new, old] = names(&runs).try_into().unwrap();
    assert_eq!(
        runs["runs"][0]["settings"],
        serde_json::json!({ "train.net.epochs": "1" })
    );
    let change = serde_json::json!([{ "setting": "train.net.epochs", "old": "2", "new": "1" }]);
    assert_eq!(runs["runs"][0]["changed"], change);
    assert_eq!(runs["runs"][0]["stages"]["cached"], 3);
    let top1 = &runs["runs"][1]["evaluations"][0]["parts"]["test"]["top1"];
    assert!(top1.as_f64().unwrap() > 0.0, "{runs}");
    let list = project.ok(&["runs", FILE]).stdout;
    assert!(
        list.contains("train.net.epochs 2 -> 1") && list.contains("result "),
        "{list}"
    );

    let compared = project.json(&["runs", FILE, "--compare", &old, &new]);
    assert_eq!(compared["settings"], change);
    assert_eq!(compared["gone"], 0);
    let sides = compared["comparisons"][0].clone();
    let mut sides = [&sides["first"], &sides["second"]].map(|s| s.as_str().unwrap().to_owned());
    sides.sort();
    let mut expected = [format!("{old}.result"), format!("{new}.result")];
    expected.sort();
    assert_eq!(sides, expected);
    let text = project
        .ok(&["runs", FILE, "--compare", &old, &new[..4]])
        .stdout;
    assert!(
        text.contains("train.net.epochs") && text.contains("McNemar"),
        "{text}"
    );

    project.ok(&["cache", "gc"]);
    assert_eq!(
        names(&project.json(&["runs", FILE])),
        [new.clone(), old.clone()]
    );
    let text = project.ok(&["runs", FILE, "--compare", &old, &new]).stdout;
    assert!(
        text.contains("no longer in the cache") && text.contains('%'),
        "{text}"
    );
    let unknown = project
        .fails(2, &["runs", FILE, "--compare", &old, "zz"])
        .stderr;
    assert!(
        unknown.contains("there is no run `zz`") && unknown.contains(&new),
        "{unknown}"
    );
}

#[test]
fn runs_and_lock_files_are_compared_as_files_are_with_the_photographs_that_changed_sides() {
    let project = small();
    project.ok(&["run", FILE]);
    let lock = project.read("pipelines/small.lock");
    project.write("before/small.lock", &lock);
    // It learns nothing any more.
    let rate = "lr = 0.001 }\nnormalize";
    project.edit(FILE, rate, &rate.replace("0.001", "0.00000001"));
    project.ok(&["run", FILE]);
    let [new, old] = names(&project.json(&["runs", FILE])).try_into().unwrap();

    let (a, b) = (format!("{FILE}@{old}"), format!("{FILE}@{new}"));
    let of_runs = project.json(&["compare", &a, &b]);
    let settings = &of_runs["settings"];
    assert_eq!(settings[0]["setting"], "train.net.optimizer.adam.lr");
    assert_eq!(
        (&settings[0]["old"], &settings[1]),
        (&"0.001".into(), &serde_json::Value::Null)
    );
    let of_now = project.json(&["compare", &a, FILE]);
    assert_eq!(&of_now["settings"], settings);
    let differences = |compared: &serde_json::Value| {
        let all = compared["comparisons"].as_array().unwrap();
        all.iter()
            .map(|c| c["difference"].clone())
            .collect::<Vec<_>>()
    };
    // The evaluation of the best, and that of the transfer from it.
    assert_eq!(differences(&of_runs).len(), 2, "{of_runs}");
    assert_eq!(differences(&of_now), differences(&of_runs));

    // A lock file keeps figures and keys, and no settings; one of a folder without a pipeline has no name but its own.
    let of_locks = project.json(&["compare", "before/small.lock", "pipelines/small.lock"]);
    assert_eq!(of_locks["settings"], serde_json::Value::Null);
    assert_eq!(differences(&of_locks), differences(&of_runs));
    let names = [&of_locks["runs"][0]["name"], &of_locks["runs"][1]["name"]];
    assert_eq!(names, ["before/small.lock", "pipelines/small.lock"]);
    let text = project.ok(&["compare", "before/small.lock", FILE]).stdout;
    assert!(text.contains("keeps no settings"), "{text}");

    project.ok(&["compare", &a, &b, "-o", "compare.html"]);
    let page = project.read("compare.html");
    assert!(page.contains("train.net.optimizer.adam.lr"));
    let lost = of_runs["changes"][0]["lost"].as_array().unwrap();
    assert!(!lost.is_empty() && page.contains("data:image"), "{lost:?}");
    project.ok(&["runs", FILE, "--compare", &old, &new, "-o", "same.html"]);
    // When they were is told as a calendar has it, which no clock changes.
    assert!(page.contains(" UTC, ") && !page.contains(" ago"), "{page}");
    assert!(project.read("same.html") == page);

    let three = project.fails(2, &["compare", &a, &b, FILE]).stderr;
    assert!(three.contains("compared with one other"), "{three}");
    let gone = project.fails(2, &["compare", "nowhere.lock", FILE]).stderr;
    assert!(gone.contains("no lock file `nowhere.lock`"), "{gone}");
}

/// Learning rates that are edited.
const RATES: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 1
batch_size = 8
matrix.optimizer.sgd.lr = [0.001, 0.002]

[evaluate.result]
model = "net"
on = ["test"]
"#;

#[test]
fn a_value_of_a_matrix_that_was_edited_leaves_its_evaluation_in_sight() {
    let project = Project::with_dishes();
    project.write(FILE, RATES);
    project.ok(&["run", FILE]);
    for values in ["[0.001, 0.003]", "[0.004, 0.005]"] {
        let text = RATES.replace("[0.001, 0.002]", values);
        project.write(FILE, &text).ok(&["run", FILE]);
    }
    let [other, edited, first] = names(&project.json(&["runs", FILE])).try_into().unwrap();

    // The one that stayed is the same; what is left is one on each side, and one thing.
    let told = project.json(&["runs", FILE, "--compare", &first, &edited]);
    assert_eq!(
        (&told["same"], &told["no_counterpart"]),
        (&1.into(), &0.into())
    );
    let change = &told["changes"][0];
    let name = |run: &str, lr: &str| format!("{run}.result[optimizer.sgd.lr={lr}]");
    assert_eq!(change["from"], name(&first, "0.002"));
    assert_eq!(change["to"], name(&edited, "0.003"));
    let text = project.ok(&["runs", FILE, "--compare", &first, &edited, "-o", "c.md"]);
    let page = project.read("c.md");
    let row = "result[optimizer.sgd.lr=0.002] -> result[optimizer.sgd.lr=0.003]";
    assert!(
        page.contains(row) && !page.contains("counterpart"),
        "{page}\n{}",
        text.stderr
    );

    // Of two on each side nobody knows which was which.
    let told = project.json(&["runs", FILE, "--compare", &edited, &other]);
    assert_eq!(told["no_counterpart"], 4);
    assert_eq!(told["changes"].as_array().unwrap().len(), 0);
    let told = project
        .ok(&["runs", FILE, "--compare", &edited, &other])
        .stdout;
    assert!(
        told.contains("4 evaluations have no counterpart."),
        "{told}"
    );
}

/// Two recipes of two runs each, on one pair of trainings.
const RECIPES: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 2
batch_size = 8
optimizer.adam = { lr = 0.001 }
normalize = "dataset"
matrix.seed = [1, 2]

[evaluate.best]
model = "net"
on = ["test"]

[evaluate.last]
model = "net"
on = ["test"]
checkpoint = "last"
"#;

#[test]
fn runs_are_judged_in_one_table_for_each_part_and_each_pair_says_what_its_models_were_trained_with()
{
    let project = Project::with_dishes();
    project.write(FILE, RECIPES);
    project.ok(&["run", FILE]);
    project.edit(FILE, "lr = 0.001", "lr = 0.00000001");
    project.ok(&["run", FILE]);
    let [new, old] = names(&project.json(&["runs", FILE])).try_into().unwrap();
    let earlier = format!("{FILE}@{old}");

    // Holm's adjustment goes over both recipes: they stand in one table.
    let told = project.json(&["compare", &earlier, FILE]);
    let comparisons = told["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 2);
    let of =
        |c: &serde_json::Value, name: &str| c.pointer(name).and_then(serde_json::Value::as_f64);
    let p = |c| of(c, "/spread/p").unwrap();
    let adjusted = |c| of(c, "/adjusted_p").unwrap();
    let [a, b] = [&comparisons[0], &comparisons[1]];
    let (least, other) = if p(a) <= p(b) { (a, b) } else { (b, a) };
    assert!(p(least) < 1.0, "{told}");
    let twice = (2.0 * p(least)).min(1.0);
    assert_eq!(
        (adjusted(least), adjusted(other)),
        (twice, twice.max(p(other)))
    );

    project.ok(&["compare", &earlier, FILE, "-o", "compare.md"]);
    let page = project.read("compare.md");
    assert_eq!(page.matches("| McNemar p |").count(), 1, "{page}");
    // Each pair says what its models were trained with.
    let lr = "| `train.optimizer.adam.lr` | `0.001` | `1e-8` |";
    assert_eq!(page.matches(lr).count(), 2, "{page}");
    assert!(!page.contains("None but seeds"), "{page}");
    assert!(
        page.contains(" models were evaluated on the same 12 test images"),
        "{page}"
    );

    what_is_gone_is_not_taken_for_the_same(&project, &old, &new);
}

/// Of a training that is no longer in the cache no settings are known.
fn what_is_gone_is_not_taken_for_the_same(project: &Project, old: &str, new: &str) {
    let entries = std::fs::read_dir(project.path("cache/entries")).unwrap();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        let record = std::fs::read_to_string(entry.join("record.json")).unwrap();
        if record.contains("\"kind\": \"train\"") || record.contains("\"kind\":\"train\"") {
            std::fs::remove_dir_all(entry).unwrap();
        }
    }
    project.ok(&["runs", FILE, "--compare", old, new, "-o", "compare.md"]);
    let page = project.read("compare.md");
    assert!(
        page.contains("Not all that they were made from is in the cache any more"),
        "{page}"
    );
    assert!(!page.contains("None but seeds"), "{page}");
}
