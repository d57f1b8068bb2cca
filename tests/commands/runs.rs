//! Runs of before.

use super::{FILE, small};

/// The names of a pipeline's runs, the newest first.
fn names(runs: &serde_json::Value) -> Vec<String> {
    let runs = runs["runs"].as_array().unwrap().iter();
    runs.map(|run| run["name"].as_str().unwrap().to_owned())
        .collect()
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
