//! What goes from a remote cache, and what stays.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use kfood::cache::{Gc, Remote};

use super::{FILE, dishes, files, pushed};

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
    let other = dishes();
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

#[test]
fn a_misspelt_pipeline_to_forget_is_told_with_the_one_that_is_like_it() {
    let (project, _folder, place) = pushed();
    let refused = project
        .fails(
            2,
            &[
                "cache",
                "gc",
                "--remote",
                &place,
                "--forget",
                "pipelines/dish.toml",
            ],
        )
        .stderr;
    assert!(
        refused.contains("no lock file of `pipelines/dish.toml` is pinned")
            && refused.contains("help: did you mean `pipelines/dishes.toml`?"),
        "{refused}"
    );
}

#[test]
fn what_a_killed_push_left_in_a_folder_goes_when_it_is_a_day_old() {
    let (project, _folder, place) = pushed();
    let left = Path::new(&place).join(format!("objects/{}#1", "ab".repeat(32)));
    fs::write(&left, "half of it").unwrap();
    let gc = ["cache", "gc", "--remote", &place, "--older", "90d"];
    let young = project.json(&gc);
    assert_eq!(young["objects"].as_array().unwrap().len(), 0, "{young}");
    let file = File::options().write(true).open(&left).unwrap();
    let then = SystemTime::now() - Duration::from_hours(25);
    file.set_modified(then).unwrap();
    let old = project.json(&gc);
    assert_eq!(old["objects"].as_array().unwrap().len(), 1, "{old}");
    assert_eq!(old["bytes"], 10, "{old}");
    assert!(!left.exists());
}

#[test]
fn what_is_pushed_while_gc_removes_loses_none_of_its_outputs() {
    let (project, _folder, place) = pushed();
    for name in files(place.as_ref())
        .keys()
        .filter(|n| n.starts_with("pins"))
    {
        fs::remove_file(Path::new(&place).join(name)).unwrap();
    }
    age(&place, 40);
    let remote = Remote::open(&place, Path::new("/")).unwrap();
    let all = Gc {
        max_bytes: Some(0),
        ..Gc::default()
    };
    let freed = remote.to_clear(&all, &[]).unwrap();
    assert_eq!(freed.entries.len(), 3);
    assert!(freed.objects.len() >= 3, "{freed:?}");
    // Between the look and the removal: one description goes, and is pushed anew with objects that are there.
    let key = freed.entries[0].key;
    fs::remove_file(Path::new(&place).join(format!("results/{key}.json"))).unwrap();
    let again = project.json(&["cache", "push", &place]);
    assert_eq!(
        (&again["pushed"], &again["there"]),
        (&1.into(), &2.into()),
        "{again}"
    );
    // And another is used.
    let used = freed.entries[1].key;
    fs::write(Path::new(&place).join(format!("used/{used}")), "").unwrap();
    let removed = remote.clear(freed).unwrap();
    let gone: Vec<_> = removed.entries.iter().map(|entry| entry.key).collect();
    assert!(!gone.contains(&key) && !gone.contains(&used), "{gone:?}");
    assert_eq!(gone.len(), 1);
    let verified = project.ok(&["cache", "verify", "--remote", &place]).stdout;
    assert!(verified.starts_with("2 sound"), "{verified}");
    let pulled = dishes().json(&["cache", "pull", &place]);
    assert_eq!(pulled["fetched"].as_array().unwrap().len(), 2, "{pulled}");
}
