//! One computes, others reuse it.

use std::fs;

use kfood::digest::{Digest, seal, unseal};

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
    assert_eq!(super::warnings(&ran.stderr).len(), 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("goes on without the remote cache"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("(help: mount it, or make the folder)"),
        "{}",
        ran.stderr
    );
    for pull in [
        &["cache", "pull", &nowhere][..],
        &["cache", "pull", &nowhere, "pipelines/other.toml"],
    ] {
        project.write("pipelines/other.toml", &super::DISHES.replace("0.2", "0.3"));
        let pull = project.fails(1, pull).stderr;
        assert!(
            pull.contains("is not there")
                && pull.contains("help: mount it")
                && !pull.contains("goes on"),
            "{pull}"
        );
    }

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
    // One model, though two outputs of the training and one of the selection hold it, and the state of its optimizer.
    assert_eq!(models(folder.path()).len(), 2);

    let fetched = other.json(&["run", FILE, "--remote", place]);
    assert_eq!(how_many(&fetched, "fetched"), 5, "{fetched}");
    assert_eq!(outputs(&fetched), outputs(&ran));
    for project in [&one, &other] {
        assert_eq!(models(&project.path("cache/entries")).len(), 2);
    }
}

#[test]
fn a_pipeline_of_another_project_is_pushed_from_its_own_cache_and_pulled_into_it() {
    let (one, other) = (dishes(), dishes());
    one.ok(&["run", FILE]);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let from_elsewhere = |what: &str, project: &Project| {
        let file = project.path(FILE);
        let args = ["cache", what, place, file.to_str().unwrap(), "--json"];
        let mut command = project.command(&args);
        let output = command.current_dir(elsewhere.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let pushed = from_elsewhere("push", &one);
    assert_eq!(
        (&pushed["pushed"], &pushed["pinned"]),
        (&3.into(), &1.into()),
        "{pushed}"
    );
    let pulled = from_elsewhere("pull", &other);
    assert_eq!(pulled["fetched"].as_array().unwrap().len(), 3, "{pulled}");
    assert!(files(elsewhere.path()).is_empty());
    let run = other.json(&["run", FILE]);
    assert_eq!(how_many(&run, "cached"), 3, "{run}");
}

#[test]
fn a_remote_cache_is_named_as_people_name_folders() {
    let project = dishes();
    project.ok(&["run", FILE]);
    let at_home = |args: &[&str]| {
        let mut command = project.command(args);
        let output = command.env("HOME", project.path("home")).output().unwrap();
        crate::support::Ran::of(output)
    };
    fs::create_dir(project.path("home")).unwrap();
    project.write("kfood.toml", "[cache]\nremote = \"~/team\"\n");
    let pushed = at_home(&["cache", "push", FILE]);
    assert_eq!(pushed.code, 0, "{}", pushed.stderr);
    assert!(project.path("home/team/results").is_dir());
    let again = at_home(&["cache", "push", "~/team", FILE]);
    assert!(
        again.stdout.contains("3 were there already"),
        "{}",
        again.stdout
    );
    for args in [
        &["run", FILE, "--remote", ""][..],
        &["plan", FILE, "--remote", ""],
        &["cache", "push", ""],
        &["cache", "ls", "--remote", ""],
    ] {
        let refused = project.fails(2, args).stderr;
        assert!(
            refused.contains("`--remote` is empty") && refused.contains("help: name one"),
            "{args:?}: {refused}"
        );
    }
    let refused = project
        .fails(2, &["cache", "pull", "~somebody/team"])
        .stderr;
    assert!(
        refused.contains("`~somebody` was not expanded"),
        "{refused}"
    );
    project.write("kfood.toml", "[cache]\nremote = \"~somebody/team\"\n");
    let refused = project.fails(2, &["run", FILE]).stderr;
    assert!(
        refused.contains("`cache.remote` is `~somebody/team`")
            && refused.contains("help: write the whole path"),
        "{refused}"
    );
}

/// Two versions of the photographs: what the first gave must not pass for what the second gives, though the remote cache says so.
#[test]
fn what_a_remote_cache_said_of_a_stage_that_turns_out_otherwise_is_not_gone_by() {
    let (project, _folder, place) = pushed();
    let description = |kind: &str, key: Option<&str>| {
        let listed = project.json(&["cache", "ls", "--remote", &place]);
        let entries = listed["entries"].as_array().unwrap().clone();
        let is_it = |e: &&serde_json::Value| e["kind"] == kind && e["key"].as_str() != key;
        let entry = entries.iter().find(is_it).unwrap();
        let key = entry["key"].as_str().unwrap().to_owned();
        (
            std::path::Path::new(&place).join(format!("results/{key}.json")),
            key,
        )
    };
    let (first, first_key) = description("dataset", None);
    let local = tempfile::tempdir().unwrap();
    fs::rename(
        project.path("data/train/김밥/000.png"),
        local.path().join("one.png"),
    )
    .unwrap();
    // The second version is pushed by another, whose results this project has not.
    let other = dishes();
    fs::remove_file(other.path("data/train/김밥/000.png")).unwrap();
    let right = other.json(&["run", FILE, "--remote", &place]);
    let (second, _) = description("dataset", Some(&first_key));
    // It says of the second version what the first gave, and has nothing of that.
    let read = |path: &std::path::Path| -> serde_json::Value {
        let text = fs::read_to_string(path).unwrap();
        serde_json::from_str(unseal(&text).unwrap()).unwrap()
    };
    let (was, mut lie) = (read(&first), read(&second));
    lie["record"]["outputs"] = was["record"]["outputs"].clone();
    fs::write(&second, seal(&lie.to_string())).unwrap();
    for output in was["record"]["outputs"].as_object().unwrap().values() {
        let digest = output["digest"].as_str().unwrap();
        let object = format!("objects/{digest}");
        fs::remove_file(std::path::Path::new(&place).join(object)).unwrap();
    }
    let plan = project.kfood(&["plan", FILE, "--remote", &place]).stdout;
    assert!(plan.contains("2 cached, 1 to fetch"), "{plan}");
    let ran = project.kfood(&["run", FILE, "--json", "--remote", &place, "--push", "never"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let run = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(outputs(&run), outputs(&right), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("dishes: its result in the remote cache is damaged"),
        "{}",
        ran.stderr
    );
}
