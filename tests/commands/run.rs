//! Runs: what is made anew, what is taken from the cache, and what an interruption leaves.

use std::{
    io::{BufRead, BufReader},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{FILE, SMALL, having, small};
use crate::support::Ran;

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_pipeline_runs_once_and_an_edit_reruns_only_what_it_touches() {
    let project = small();
    let all = [
        "dishes",
        "holdout",
        "pixels",
        "net",
        "best",
        "head",
        "result",
        "transferred",
    ];

    project.fails(3, &["plan", FILE]);
    let first = project.json(&["run", FILE]);
    assert_eq!(having(&first, "ran").len(), all.len());

    project.ok(&["plan", FILE]);
    let second = project.json(&["run", FILE]);
    assert_eq!(having(&second, "cached").len(), all.len());

    // The head alone is trained differently: nothing before it is touched.
    project.edit(
        FILE,
        "train_layers = \"head\"",
        "train_layers = { from = \"layer4\" }",
    );
    let plan = project.fails(3, &["plan", FILE]);
    assert!(plan.stdout.contains("train_layers"), "{}", plan.stdout);
    let third = project.json(&["run", FILE]);
    assert_eq!(having(&third, "ran"), ["head", "transferred"]);

    // Another split decodes nothing: two splits share one pack.
    project.write(FILE, &SMALL.replace("validation = 0.2", "validation = 0.3"));
    let split = project.json(&["run", FILE, "net"]);
    assert_eq!(having(&split, "cached"), ["dishes", "pixels"]);

    // Going back is free: the old result is still there.
    project.write(FILE, SMALL);
    project.ok(&["plan", FILE]);

    // Comments, blanks, the order of tables and the names of stages change nothing.
    project.edit(FILE, "[split.holdout]", "# eight to two\n[split.eight_two]");
    project.edit(FILE, "split = \"holdout\"", "split = \"eight_two\"");
    project.ok(&["plan", FILE]);
}

#[test]
fn a_new_image_reruns_what_depends_on_it_and_the_plan_names_it() {
    let project = small();
    project.ok(&["run", FILE, "pixels"]);
    project.picture("data/train/김밥/새 사진.png", 0, 99);
    let plan = project.fails(3, &["plan", FILE, "pixels"]);
    assert!(plan.stdout.contains("새 사진.png"), "{}", plan.stdout);
    assert!(plan.stdout.contains("waits on"), "{}", plan.stdout);
}

#[test]
fn a_run_from_another_folder_is_the_same_run() {
    let project = small();
    project.ok(&["run", FILE, "pixels", "holdout"]);
    let elsewhere = project
        .command(&["plan", "../pipelines/small.toml", "pixels", "holdout"])
        .current_dir(project.path("data"))
        .output()
        .unwrap();
    let elsewhere = Ran::of(elsewhere);
    assert_eq!(
        elsewhere.code, 0,
        "{}{}",
        elsewhere.stdout, elsewhere.stderr
    );
    assert!(project.path("cache").is_dir());
}

#[test]
fn kfood_cache_puts_the_cache_elsewhere() {
    let project = small();
    let ran = project
        .command(&["run", FILE, "holdout"])
        .env("KFOOD_CACHE", project.path("large disk"))
        .output()
        .unwrap();
    assert!(ran.status.success());
    assert!(project.path("large disk").is_dir());
    assert!(!project.path("cache").exists());
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn the_lock_file_is_written_after_a_whole_run_and_reproduced_on_another_cache() {
    let project = small();
    project.ok(&["run", FILE, "holdout"]);
    assert!(
        !project.path("pipelines/small.lock").exists(),
        "a part is not the whole"
    );
    project.ok(&["run", FILE]);
    let lock = project.read("pipelines/small.lock");
    let again = project
        .command(&["run", FILE, "--locked"])
        .env("KFOOD_CACHE", project.path("other"))
        .output()
        .unwrap();
    let again = Ran::of(again);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert!(again.stdout.contains("equal"), "{}", again.stdout);
    assert_eq!(project.read("pipelines/small.lock"), lock);

    // Another pipeline has another lock file.
    let text = project.read(FILE);
    project.write("pipelines/small.conf", &text);
    project.ok(&["run", "pipelines/small.conf"]);
    assert!(project.path("pipelines/small.conf.lock").is_file());
    let locks = ["pipelines/small.lock", "pipelines/small.conf.lock"];
    let compared = project.ok(&["compare", locks[0], locks[1]]).stdout;
    assert!(compared.contains("small.conf.lock"), "{compared}");
    project.write("pipelines/small", &text);
    let shared = project.fails(2, &["run", "pipelines/small"]).stderr;
    assert!(shared.contains("would have one lock file"), "{shared}");

    project.edit(FILE, "epochs = 2", "epochs = 1");
    let changed = project.fails(1, &["run", FILE, "--locked"]);
    assert!(changed.stdout.contains("different"), "{}", changed.stdout);
    assert_eq!(project.read("pipelines/small.lock"), lock);
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_killed_worker_is_a_failed_stage_with_a_clear_message() {
    let project = small();
    project.write("worker", "#!/bin/sh\nkill -9 $$\n");
    let mut permissions = std::fs::metadata(project.path("worker"))
        .unwrap()
        .permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(project.path("worker"), permissions).unwrap();
    let ran = project
        .command(&["run", FILE])
        .env("KFOOD_WORKER", project.path("worker"))
        .output()
        .unwrap();
    let ran = Ran::of(ran);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("`kfood-worker` was killed (signal 9)"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("net"), "{}", ran.stderr);
    // What was finished stays finished, and the real worker goes on from there.
    let second = project.json(&["run", FILE, "net"]);
    assert_eq!(having(&second, "ran"), ["net"]);
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_worker_that_died_is_started_again_as_often_as_is_asked_and_goes_on_to_the_same_bits() {
    let project = small();
    let unbroken = project.json(&["run", FILE, "net"]);
    let real = std::env::var("KFOOD_WORKER")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_kfood-worker").to_owned());
    // The first one is killed in the second of its two epochs, when the first is saved, before its shell is.
    project.write(
        "worker",
        &format!(
            "#!/bin/sh\n[ -f died ] && exec {real} \"$@\"\ntouch died\nexec 3<&0\n{real} \"$@\" <&3 >said &\n\
             until grep -q 'epoch 2/2' said; do kill -0 $! || exit 1; sleep 0.02; done\nkill -9 $!\nwait $!\nkill -9 $$\n"
        ),
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(project.path("worker"), mode).unwrap();
    let run = |retries: u32| {
        project.write("kfood.toml", &format!("[run]\nretries = {retries}\n"));
        let mut command = project.command(&["run", FILE, "net", "--force", "net", "--json"]);
        command.env("KFOOD_WORKER", project.path("worker"));
        Ran::of(command.output().unwrap())
    };
    assert_eq!(run(0).code, 1);
    std::fs::remove_file(project.path("died")).unwrap();
    let ran = run(1);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for told in [
        "it is started again, for the last time, and goes on from its last save: `kfood-worker` was killed (signal 9)",
        "goes on after epoch 1",
    ] {
        assert!(ran.stderr.contains(told), "{told}\n{}", ran.stderr);
    }
    let outputs = |ran: &Value| {
        let stages = ran["stages"].as_array().unwrap().iter();
        let net = stages.into_iter().find(|stage| stage["id"] == "net");
        net.unwrap()["outputs"].clone()
    };
    let again: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(outputs(&unbroken), outputs(&again));
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn ctrl_c_stops_cleanly_and_a_new_run_goes_on_to_the_same_bits() {
    let project = small();
    project.edit(FILE, "epochs = 2", "epochs = 12");
    let mut child = project.start(&["run", FILE, "net"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let since = Instant::now();
    for line in lines.by_ref().map_while(Result::ok) {
        if line.contains("epoch 2/12") {
            crate::support::interrupt(&child);
            break;
        }
        assert!(
            since.elapsed() < Duration::from_mins(2),
            "no second epoch: {line}"
        );
    }
    let rest: Vec<_> = lines.map_while(Result::ok).collect();
    assert!(rest.iter().any(|line| line.contains("is kept")), "{rest:?}");
    assert!(
        rest.iter().any(|line| line.contains("net: interrupted")),
        "{rest:?}"
    );
    assert!(!rest.iter().any(|line| line.contains("failed")), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let plan = project.command(&["plan", FILE, "net"]).output().unwrap();
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(plan.contains("goes on after "), "{plan}");

    let resumed = project.ok(&["run", FILE, "net"]);
    assert!(!resumed.stderr.contains("epoch 1/12"), "{}", resumed.stderr);
    assert!(resumed.stderr.contains("epoch 12/12"), "{}", resumed.stderr);

    let digest = |cache: &str| {
        let output = project
            .command(&["run", FILE, "net", "--json"])
            .env("KFOOD_CACHE", project.path(cache))
            .output()
            .unwrap();
        let run: Value = serde_json::from_slice(&output.stdout).unwrap();
        let stages = run["stages"].as_array().unwrap();
        let net = stages.iter().find(|s| s["id"] == "net").unwrap();
        net["outputs"].clone()
    };
    assert_eq!(digest("cache"), digest("unbroken"));
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_lock_file_notices_that_another_model_is_evaluated() {
    let project = small();
    project.ok(&["run", FILE]);
    project.edit(
        FILE,
        "[evaluate.result]\nmodel = \"best\"",
        "[evaluate.result]\nmodel = \"net\"\ncheckpoint = \"last\"",
    );
    let ran = project.fails(1, &["run", FILE, "--locked"]);
    assert!(ran.stdout.contains("different"), "{}", ran.stdout);
}
