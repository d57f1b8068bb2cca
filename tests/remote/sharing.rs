//! One computes, others reuse it.

use std::fs;

use kfood::digest::Digest;

use super::{FILE, dishes, files, how_many, outputs, pushed};
use crate::support::Project;

#[test]
fn what_one_pushed_another_fetches_and_computes_nothing() {
    let (one, _folder, place) = pushed();
    let other = dishes();
    let plan = other.kfood(&["plan", FILE, "--remote", &place]);
    assert_eq!(plan.code, 3, "{}", plan.stderr);
    assert_eq!(
        plan.stdout.matches("in the remote cache").count(),
        3,
        "{}",
        plan.stdout
    );
    assert!(
        plan.stdout
            .contains("0 cached, 3 to fetch, 0 to run, 0 waiting"),
        "{}",
        plan.stdout
    );
    assert!(
        !other.path("cache/entries").exists(),
        "a plan fetches nothing"
    );

    let fetched = other.json(&["run", FILE, "--remote", &place]);
    assert_eq!(how_many(&fetched, "fetched"), 3, "{fetched}");
    assert_eq!(outputs(&fetched), outputs(&one.json(&["run", FILE])));
    other.ok(&["cache", "verify"]);

    // From now on they are the other's own.
    fs::remove_dir_all(&place).unwrap();
    let again = other.json(&["run", FILE]);
    assert_eq!(how_many(&again, "cached"), 3, "{again}");
    // Of what changed an earlier result tells, though it was made elsewhere.
    fs::remove_file(other.path("data/train/김밥/000.png")).unwrap();
    let plan = other.fails(3, &["plan", FILE]).stdout;
    assert!(plan.contains("data/train/김밥/000.png"), "{plan}");
}

#[test]
fn a_run_pushes_what_it_makes_unless_told_not_to_and_nothing_is_sent_twice() {
    let (project, folder) = (dishes(), tempfile::tempdir().unwrap());
    let place = folder.path().to_str().unwrap();
    project.ok(&["run", FILE, "holdout", "--remote", place, "--push", "never"]);
    assert!(files(folder.path()).is_empty());

    project.write("kfood.toml", &format!("[cache]\nremote = \"{place}\"\n"));
    let ran = project.ok(&["run", FILE]).stderr;
    assert!(ran.contains("pixels: pushed"), "{ran}");
    // The data set and the split were there before there was a remote cache.
    let first = project.json(&["cache", "push", FILE]);
    assert_eq!(
        (&first["pushed"], &first["there"]),
        (&2.into(), &1.into()),
        "{first}"
    );
    let before = files(folder.path());
    let second = project.ok(&["cache", "push"]).stdout;
    assert!(
        second.starts_with("pushed 0 results, 0 B in 0 objects; 3 were there already"),
        "{second}"
    );
    assert_eq!(files(folder.path()), before);
}

#[test]
fn each_object_is_named_by_its_content_and_none_says_where_anything_lies() {
    let (project, _folder, place) = pushed();
    let found = files(place.as_ref());
    let home = project.path("").display().to_string();
    for (name, bytes) in &found {
        let text = String::from_utf8_lossy(bytes);
        assert!(
            !text.contains(home.trim_end_matches('/')),
            "{}",
            name.display()
        );
        if let Ok(digest) = name.strip_prefix("objects") {
            let digest = digest.to_str().unwrap().parse::<Digest>().unwrap();
            assert_eq!(Digest::of(bytes), digest);
        }
    }
    assert!(
        found.keys().any(|name| name.starts_with("pins")),
        "the lock file is pinned"
    );
}

#[test]
fn all_of_a_remote_cache_can_be_pulled_and_listed() {
    let (one, _folder, place) = pushed();
    let listed = one.json(&["cache", "ls", "--remote", &place]);
    assert_eq!(listed["entries"].as_array().unwrap().len(), 3, "{listed}");
    let other = dishes();
    let pulled = other.ok(&["cache", "pull", &place]).stdout;
    assert!(pulled.starts_with("fetched 3 results"), "{pulled}");
    // What was made for a pipeline there is so here.
    let listed = other.ok(&["cache", "ls", FILE]).stdout;
    assert!(listed.contains("3 results"), "{listed}");
    let run = other.json(&["run", FILE]);
    assert_eq!(how_many(&run, "cached"), 3, "{run}");
    let again = other.ok(&["cache", "pull", &place, FILE]).stdout;
    assert!(
        again.starts_with("fetched 0 results, 0 B; 3 were there"),
        "{again}"
    );
}

#[test]
fn a_remote_cache_that_is_not_there_costs_a_line_and_no_more() {
    let project = dishes();
    let nowhere = project.path("not/mounted").display().to_string();
    let ran = project.ok(&["run", FILE, "--remote", &nowhere]);
    assert_eq!(ran.stderr.matches("warning").count(), 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("goes on without the remote cache"),
        "{}",
        ran.stderr
    );
    let pull = project.fails(1, &["cache", "pull", &nowhere]);
    assert!(pull.stderr.contains("help: "), "{}", pull.stderr);

    for wrong in ["ftp://x/y", "s3://me:hush@bucket/x"] {
        let refused = project.fails(2, &["run", FILE, "--remote", wrong]).stderr;
        assert!(
            refused.contains("help: name") && !refused.contains("hush"),
            "{refused}"
        );
    }
    let own = project.path("cache").display().to_string();
    let refused = project.fails(2, &["cache", "push", &own]).stderr;
    assert!(refused.contains("is a local cache"), "{refused}");
    let refused = project.fails(2, &["cache", "push", FILE]).stderr;
    assert!(refused.contains("no remote cache is named"), "{refused}");
}

#[test]
#[cfg(feature = "tensors")]
fn equal_models_are_sent_once_and_stored_once() {
    let trains = |project: Project| {
        project.write(
            FILE,
            &format!(
                "{}\n[train.net]\ndata = \"pixels\"\nsplit = \"holdout\"\narch = \"resnet18\"\nepochs = 1\nbatch_size = 8\n\
                 optimizer.adam = {{ lr = 0.001 }}\n\n[select.best]\nfrom = [\"net\"]\nby = \"validation.top1\"\n",
                super::DISHES
            ),
        );
        project
    };
    let (one, other) = (trains(dishes()), trains(dishes()));
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let ran = one.json(&["run", FILE, "--remote", place]);
    assert_eq!(how_many(&ran, "ran"), 5, "{ran}");
    let models = |project: &std::path::Path| {
        let found = files(project).into_values();
        let large = found.filter(|bytes| bytes.len() > 40_000_000);
        large.collect::<Vec<_>>()
    };
    // One model, and the state of its optimizer, of which every object is there once.
    let sent = models(folder.path());
    let mut apart = sent.clone();
    apart.sort();
    apart.dedup();
    assert_eq!(sent.len(), apart.len());

    let fetched = other.json(&["run", FILE, "--remote", place]);
    assert_eq!(how_many(&fetched, "fetched"), 5, "{fetched}");
    assert_eq!(outputs(&fetched), outputs(&ran));
    assert_eq!(
        models(&other.path("cache/entries")).len(),
        models(&one.path("cache/entries")).len()
    );
}
