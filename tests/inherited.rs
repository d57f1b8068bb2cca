//! What a process inherits, and what it leaves when it is stopped or killed.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    time::{Duration, SystemTime},
};

use super::{
    support::Ran,
    trust::{DATA, FILE, TRAINING, children, data, tell, through_shell, until},
};

/// Such as `T` for a stopped process.
fn state(id: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
    behind.chars().take(1).collect()
}

#[test]
fn signals_that_are_ignored_at_the_start_stay_ignored() {
    let project = data();
    project.write(FILE, &format!("{DATA}{TRAINING}"));
    let mut command = through_shell(&project, "trap '' HUP INT; exec \"$@\"", &["run", FILE]);
    let child = command.spawn().unwrap();
    until("a worker", || !children(child.id()).is_empty());
    tell(&child, "-HUP");
    tell(&child, "-INT");
    tell(&child, "-INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_hangup_that_is_not_ignored_ends_a_run_in_order() {
    let project = data();
    project.write(FILE, &format!("{DATA}{TRAINING}"));
    let child = project.start(&["run", FILE]);
    until("a worker", || !children(child.id()).is_empty());
    tell(&child, "-HUP");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.stderr);
}

#[test]
fn the_worker_stops_and_goes_on_with_the_runner() {
    let project = data();
    project.write(FILE, &format!("{DATA}{TRAINING}"));
    let child = project.start(&["run", FILE]);
    until("a worker", || !children(child.id()).is_empty());
    let worker = children(child.id()).remove(0);
    tell(&child, "-TSTP");
    let own = child.id().to_string();
    until("a stop", || state(&worker) == "T" && state(&own) == "T");
    tell(&child, "-CONT");
    until("going on", || state(&worker) != "T");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn what_makes_teams_of_threads_smaller_does_not_stop_a_training() {
    // With fewer threads than were asked for, a kernel of oneDNN for bf16 waits for the others for ever.
    let project = data();
    let training = TRAINING.replace("epochs = 1", "epochs = 1\nprecision = \"bf16\"");
    project.write(FILE, &format!("{DATA}{training}"));
    let limits = "OMP_THREAD_LIMIT=1 OMP_DYNAMIC=true OMP_MAX_ACTIVE_LEVELS=0";
    let script = format!("exec env {limits} timeout 120 \"$@\"");
    let mut command = through_shell(&project, &script, &["run", FILE]);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn where_no_thread_can_be_started_a_run_ends_with_a_way_out() {
    let project = data();
    project.write(FILE, &format!("{DATA}{TRAINING}"));
    // No memory holds such a stack: to a program it is as a limit on processes, which root has none of.
    let script = "RUST_MIN_STACK=70368744177664 exec \"$@\"";
    for command in [&["run", FILE][..], &["plan", FILE]] {
        let mut command = through_shell(&project, script, command);
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("ulimit -u"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_with_a_way_out() {
    let project = data();
    project.write(FILE, &format!("{DATA}{TRAINING}"));
    // In units of 512 bytes: the pack fits, the model does not.
    let mut command = through_shell(&project, "ulimit -f 4096; exec \"$@\"", &["run", FILE]);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("File too large"), "{}", ran.stderr);
    assert!(ran.stderr.contains("ulimit -f"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("signal"), "{}", ran.stderr);
}

#[test]
fn batch_sizes_that_were_measured_survive_the_kill_of_the_largest() {
    let project = data();
    project.write(FILE, &format!("{DATA}{TRAINING}"));
    let found = r#"{"tries":[{"batch_size":8,"images_per_second":40.0,"peak_memory":1000}],"ended":{"ended_by_system":{"batch_size":16}},"largest":8,"fastest":8}"#;
    let script = format!(
        "#!/bin/sh\nif grep -q '\"tune\"' \"$1\"; then echo '{found}' > \"$(dirname \"$1\")/tune.json\"; kill -9 $$; fi\nexit 1\n"
    );
    project.write("worker.sh", &script);
    fs::set_permissions(project.path("worker.sh"), Permissions::from_mode(0o755)).unwrap();
    let mut command = project.command(&["tune", "batch", &format!("{FILE}:net")]);
    let ran = Ran::of(
        command
            .env("KFOOD_WORKER", project.path("worker.sh"))
            .output()
            .unwrap(),
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("the system ended the trial at 16"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("was killed"), "{}", ran.stderr);
}

#[test]
fn what_killed_commands_left_is_gone_after_the_next_one() {
    let project = data();
    project.ok(&["run", FILE]);
    project.write("cache/runs/.1.2.3.keys", "");
    project.ok(&["run", FILE]);
    // What stays are records of runs.
    let left = fs::read_dir(project.path("cache/runs")).unwrap();
    let mut left = left.map(|e| e.unwrap().file_name().into_string().unwrap());
    assert!(left.all(|name| name.ends_with(".json") && !name.starts_with('.')));

    for name in ["kfood-dead", "kfood-used", "kfood-new", "kfood-others"] {
        project.write(&format!("tmp/{name}/.in-use"), "");
    }
    fs::remove_file(project.path("tmp/kfood-others/.in-use")).unwrap();
    let used = File::open(project.path("tmp/kfood-used/.in-use")).unwrap();
    used.lock().unwrap();
    let old = SystemTime::now() - Duration::from_hours(1);
    for name in ["kfood-dead", "kfood-used", "kfood-others"] {
        let folder = File::open(project.path(&format!("tmp/{name}"))).unwrap();
        folder.set_modified(old).unwrap();
    }
    let mut command = project.command(&["doctor"]);
    assert!(
        command
            .env("TMPDIR", project.path("tmp"))
            .output()
            .unwrap()
            .status
            .success()
    );
    let left = fs::read_dir(project.path("tmp")).unwrap();
    let mut left: Vec<_> = left.map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["kfood-new", "kfood-others", "kfood-used"]);
}
