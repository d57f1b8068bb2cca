//! What goes from a remote cache, and what stays.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use super::{FILE, files, pushed};

/// Makes everything in a remote cache look as if it was used so many days ago.
fn age(place: &str, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 24 * 3_600);
    for name in files(place.as_ref()).keys() {
        let file = File::options()
            .write(true)
            .open(Path::new(place).join(name))
            .unwrap();
        file.set_modified(then).unwrap();
    }
}

#[test]
fn the_longest_unused_goes_first_and_what_a_lock_file_pins_stays() {
    let (project, _folder, place) = pushed();
    // Another seed: a split that no lock file of a pushed pipeline names.
    project.edit(FILE, "seed = 7", "seed = 8");
    project.ok(&["run", FILE, "holdout"]);
    project.ok(&["cache", "push", &place]);
    age(&place, 40);
    project.edit(FILE, "seed = 8", "seed = 7");

    let elsewhere = tempfile::tempdir().unwrap();
    let gc = |args: &[&str]| {
        let all = [&["cache", "gc", "--json", "--remote", &place], args].concat();
        let mut command = project.command(&all);
        let output = command.current_dir(elsewhere.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let nothing = gc(&["--older", "50d"]);
    assert_eq!(nothing["removed"].as_array().unwrap().len(), 0, "{nothing}");

    let dry = gc(&["--older", "30d", "--dry-run"]);
    let before = files(place.as_ref());
    let done = gc(&["--older", "30d"]);
    for field in [
        "removed",
        "objects",
        "bytes",
        "kept",
        "kept_bytes",
        "pinned",
    ] {
        assert_eq!(dry[field], done[field], "{field}");
    }
    assert_eq!(done["removed"].as_array().unwrap().len(), 1, "{done}");
    assert_eq!(
        (&done["kept"], &done["pinned"]),
        (&3.into(), &3.into()),
        "{done}"
    );
    let after = files(place.as_ref());
    let gone = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .count();
    assert_eq!(gone, 1 + done["objects"].as_array().unwrap().len());
    project.ok(&["cache", "verify", "--remote", &place]);

    // However little there should be.
    let all = gc(&["--max-size", "0"]);
    assert_eq!(all["removed"].as_array().unwrap().len(), 0, "{all}");
    // Until the pin is forgotten.
    let forgotten = gc(&["--forget", FILE, "--max-size", "0"]);
    assert_eq!(
        forgotten["removed"].as_array().unwrap().len(),
        3,
        "{forgotten}"
    );
    assert!(files(place.as_ref()).is_empty());
}

#[test]
fn what_was_fetched_last_stays_longest() {
    let (project, _folder, place) = pushed();
    for name in files(place.as_ref())
        .keys()
        .filter(|name| name.starts_with("pins"))
    {
        fs::remove_file(Path::new(&place).join(name)).unwrap();
    }
    age(&place, 40);
    let other = super::dishes();
    other.ok(&["run", FILE, "pixels", "--remote", &place, "--push", "never"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = project.command(&[
        "cache", "gc", "--json", "--remote", &place, "--older", "30d",
    ]);
    let output = command.current_dir(elsewhere.path()).output().unwrap();
    let gone: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let gone = gone["removed"].as_array().unwrap();
    let stages: Vec<_> = gone.iter().map(|row| &row["stage"]).collect();
    assert_eq!(stages, ["holdout"]);
}

#[test]
fn a_limit_has_to_be_named_and_the_pipelines_here_keep_theirs() {
    let (project, _folder, place) = pushed();
    let refused = project
        .fails(2, &["cache", "gc", "--remote", &place])
        .stderr;
    assert!(refused.contains("help: add `--older"), "{refused}");
    let kept = project.json(&[
        "cache",
        "gc",
        "--remote",
        &place,
        "--forget",
        FILE,
        "--max-size",
        "0",
    ]);
    assert_eq!(kept["removed"].as_array().unwrap().len(), 0, "{kept}");
}
