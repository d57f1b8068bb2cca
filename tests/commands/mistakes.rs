//! Mistakes of a user, and what the program says of them.

use super::{FILE, SMALL, small};
use crate::support::Project;

#[test]
fn a_missing_data_folder_says_what_to_put_where() {
    let project = Project::new();
    project.write(FILE, SMALL);
    let ran = project.fails(2, &["run", FILE]);
    for part in ["data/train", "one folder", "pipelines/small.toml:5:", "^"] {
        assert!(ran.stderr.contains(part), "no `{part}` in:\n{}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
}

#[test]
fn missing_folders_of_all_data_sets_are_told_at_once_with_the_variable_that_places_them() {
    let project = Project::new();
    project.write(
        FILE,
        "[dataset.a]\ntrain = \"${NOWHERE:-data}/a\"\ntest = \"${NOWHERE:-data}/a_test\"\n[dataset.b]\ntrain = \"data/b\"\n",
    );
    let ran = project.fails(2, &["plan", FILE]);
    for part in [
        "small.toml:2:",
        "small.toml:3:",
        "small.toml:5:",
        "or set `NOWHERE`",
    ] {
        assert!(ran.stderr.contains(part), "no `{part}` in:\n{}", ran.stderr);
    }
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_once_and_nothing_runs() {
    let project = small();
    project.edit(FILE, "epochs = 2", "epochs = 0");
    project.edit(
        FILE,
        "split = \"holdout\"\narch",
        "split = \"holdoutt\"\narch",
    );
    project.edit(FILE, "[select.best]", "[selekt.best]");
    let ran = project.fails(2, &["run", FILE]);
    for part in ["epochs", "holdout", "select", "small.toml:"] {
        assert!(ran.stderr.contains(part), "no `{part}` in:\n{}", ran.stderr);
    }
    assert!(!project.path("cache").exists());
    let json = project.json(&["check", FILE]);
    assert!(json["mistakes"].as_array().unwrap().len() >= 3, "{json}");
}

#[test]
fn wrong_arguments_say_what_is_accepted() {
    let project = small();
    project.fails(2, &["run"]);
    project.fails(2, &["run", FILE, "--device", "gpu"]);
    let missing = project.fails(2, &["run", "pipelines/smal.toml"]);
    assert!(
        missing.stderr.contains("pipelines/smal.toml"),
        "{}",
        missing.stderr
    );
    let elsewhere = project.fails(2, &["run", FILE, "holdout", "--force", "pixels"]);
    assert!(
        elsewhere.stderr.contains("--force pixels"),
        "{}",
        elsewhere.stderr
    );
    let stage = project.fails(2, &["run", FILE, "nett"]);
    assert!(stage.stderr.contains("`net`"), "{}", stage.stderr);
}
