//! `kfood cache`.

use super::{FILE, SMALL, having, small};
use crate::support::Project;

#[cfg(unix)]
#[test]
fn a_cache_that_is_a_link_is_the_folder_that_it_leads_to_or_told() {
    use std::{fs, os::unix::fs::symlink};
    let project = small();
    symlink("elsewhere", project.path("cache")).unwrap();
    let nowhere = project.fails(2, &["run", FILE, "holdout"]).stderr;
    assert!(
        nowhere.contains("cache` is to be the cache, and is a link that leads nowhere"),
        "{nowhere}"
    );
    fs::create_dir(project.path("elsewhere")).unwrap();
    project.ok(&["run", FILE, "holdout"]);
    assert!(project.path("elsewhere/entries").is_dir());
    assert!(project.path("cache").is_symlink());
}

#[test]
fn the_cache_can_be_listed_verified_and_cleared_of_what_nobody_needs() {
    let project = small();
    project.ok(&["run", FILE, "pixels", "holdout"]);
    let listed = project.ok(&["cache", "ls"]).stdout;
    assert!(
        listed.contains("preprocess") && listed.contains("split"),
        "{listed}"
    );
    project.ok(&["cache", "verify"]);

    // A flipped byte is found, the result removed, and the next run makes it anew.
    let pack = find(&project.path("cache"), "pixels.pack");
    let mut bytes = std::fs::read(&pack).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "a private temporary file"
    )]
    permissions.set_readonly(false);
    std::fs::set_permissions(&pack, permissions).unwrap();
    std::fs::write(&pack, bytes).unwrap();
    let verify = project.fails(1, &["cache", "verify"]);
    assert!(verify.stdout.contains("pixels"), "{}", verify.stdout);
    let healed = project.json(&["run", FILE, "pixels"]);
    assert_eq!(having(&healed, "ran"), ["pixels"]);

    // Nothing refers to the split of another seed any more.
    project.edit(FILE, "seed = 7", "seed = 8");
    project.ok(&["run", FILE, "holdout"]);
    let dry = project.json(&["cache", "gc", "--dry-run"]);
    let done = project.json(&["cache", "gc"]);
    assert_eq!(dry["removed"], done["removed"]);
    assert_eq!(done["removed"].as_array().unwrap().len(), 1, "{done}");
    project.ok(&["plan", FILE, "pixels", "holdout"]);
}

fn find(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .find(|e| e.file_name() == name)
        .unwrap()
        .into_path()
}

#[test]
fn clearing_keeps_what_it_cannot_judge() {
    // A pipeline in a folder of its own is a project too.
    let project = Project::with_dishes();
    std::fs::remove_dir(project.path("pipelines")).unwrap();
    project.write("small.toml", SMALL);
    project.ok(&["run", "small.toml", "holdout"]);
    let kept = project.json(&["cache", "gc"]);
    assert_eq!(kept["removed"].as_array().unwrap().len(), 0, "{kept}");

    // Another project with the same cache loses nothing to this one.
    let other = small();
    let shared = other.path("cache");
    other.ok(&["run", FILE, "holdout"]);
    let ours = project
        .command(&["cache", "gc", "--json"])
        .env("KFOOD_CACHE", &shared)
        .output()
        .unwrap();
    let ours: serde_json::Value = serde_json::from_slice(&ours.stdout).unwrap();
    assert_eq!(ours["removed"].as_array().unwrap().len(), 0, "{ours}");

    // A file that cannot be understood might refer to anything.
    other.edit(FILE, "seed = 7", "seed = [");
    let refused = other.fails(1, &["cache", "gc"]);
    assert!(refused.stderr.contains("small.toml"), "{}", refused.stderr);
    other.ok(&["cache", "ls"]);
}

#[test]
fn results_are_listed_by_pipeline_and_cleared_by_size_and_age_but_for_what_pipelines_need() {
    let project = small();
    project.ok(&["run", FILE, "pixels", "holdout"]);
    let other = SMALL.replace("seed = 7", "seed = 9");
    project.write("pipelines/other.toml", &other);
    project.ok(&["run", "pipelines/other.toml", "holdout"]);
    let all = project.ok(&["cache", "ls"]).stdout;
    assert!(all.contains("pipelines/other.toml, 1 result\n"), "{all}");
    let rows = |args: &[&str]| -> Vec<String> {
        let listed = project.json(&[&["cache", "ls"], args].concat());
        let rows = listed["entries"].as_array().unwrap().iter();
        rows.map(|row| row["stage"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(rows(&["pipelines/other.toml"]), ["holdout"]);
    assert_eq!(rows(&[FILE, "pixels"]), ["pixels"]);
    let gone = project.fails(2, &["cache", "ls", "pipelines/none.toml"]);
    assert!(
        gone.stderr.contains("there is no pipeline file"),
        "{}",
        gone.stderr
    );

    // One result is nobody's now; neither its age nor the size asks for it, then the size does.
    std::fs::remove_file(project.path("pipelines/other.toml")).unwrap();
    let removed = |args: &[&str]| {
        let done = project.json(&[&["cache", "gc"], args].concat());
        done["removed"].as_array().unwrap().len()
    };
    assert_eq!(removed(&["--older", "30d"]), 0);
    assert_eq!(removed(&["--max-size", "1T"]), 0);
    assert_eq!(removed(&["--max-size", "1K", "--dry-run"]), 1);
    let done = project.ok(&["cache", "gc", "--max-size", "1K"]);
    assert!(done.stdout.contains("removed 1 result"), "{}", done.stdout);
    assert!(done.stderr.contains("more than 1.0 kB"), "{}", done.stderr);
    project.ok(&["plan", FILE, "pixels", "holdout"]);
    for wrong in [["--max-size", "big"], ["--older", "soon"]] {
        let told = project.fails(2, &["cache", "gc", wrong[0], wrong[1]]);
        assert!(told.stderr.contains("such as `"), "{}", told.stderr);
    }
}

#[test]
fn a_damaged_copy_of_a_lock_file_is_told_and_nothing_is_removed() {
    let project = small();
    let two =
        "[dataset.d]\ntrain = \"data/train\"\n[split.s]\ndataset = \"d\"\nvalidation = 0.25\n";
    project.write("pipelines/two.toml", two);
    project.ok(&["run", "pipelines/two.toml"]);
    let lock = project.read("pipelines/two.lock");
    for name in ["pipelines/two.toml", "pipelines/two.lock"] {
        std::fs::remove_file(project.path(name)).unwrap();
    }
    let going = || {
        let told = project.json(&["cache", "gc", "--dry-run"]);
        told["removed"].as_array().unwrap().len()
    };
    assert_eq!(going(), 2);
    project.write("keep/old.lock", &lock);
    assert_eq!(going(), 0);
    let cut = lock.floor_char_boundary(lock.len() / 2);
    project.write("keep/old.lock", &lock[..cut]);
    let told = project.fails(1, &["cache", "gc"]).stderr;
    for part in [
        "keep/old.lock` refers to, so nothing is removed",
        "help: restore it from version control, or remove it",
    ] {
        assert!(told.contains(part), "{told}");
    }
    // Of another tool, it refers to no result.
    project.write(
        "keep/old.lock",
        "# This file is automatically @generated\n[[",
    );
    assert_eq!(going(), 2);
}

#[test]
fn a_lock_file_alone_keeps_what_it_names() {
    let project = Project::with_dishes();
    let light = "seed = 7\n[dataset.dishes]\ntrain = \"data/train\"\n[split.holdout]\ndataset = \"dishes\"\n";
    project.write("pipelines/light.toml", light);
    project.ok(&["run", "pipelines/light.toml"]);
    std::fs::create_dir(project.path("keep")).unwrap();
    let kept = project.path("keep/of May.lock");
    std::fs::rename(project.path("pipelines/light.lock"), &kept).unwrap();
    // The pipeline has gone on to another split.
    project.edit("pipelines/light.toml", "seed = 7", "seed = 8");
    project.ok(&["run", "pipelines/light.toml"]);
    let gone = |args: &[&str]| -> Vec<String> {
        let done = project.json(&[&["cache", "gc"], args].concat());
        let removed = done["removed"].as_array().unwrap().iter();
        removed
            .map(|row| row["stage"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(gone(&[]), [""; 0]);
    assert_eq!(gone(&["--max-size", "1"]), [""; 0]);
    let told = project.ok(&["cache", "gc", "--max-size", "1"]).stderr;
    assert!(
        told.contains("pipelines, lock files and running processes need it"),
        "{told}"
    );
    std::fs::remove_file(kept).unwrap();
    assert_eq!(gone(&[]), ["holdout"]);
}
