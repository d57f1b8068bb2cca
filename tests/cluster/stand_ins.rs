//! What one node cannot show, with programs in the place of Slurm's: ended nodes, memory, waits, tickets.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{DATA, FILE, Going, project};
use crate::support::{Project, Ran};

/// Programs in the place of Slurm's: `sbatch` runs a script at once where the file `works` is there and else does nothing, and
/// `squeue` says of every job what stands in `state`.
fn stand_ins(project: &Project, state: &str) {
    let here = project.path("");
    let here = here.display();
    project.write("state", state);
    for (name, script) in [
        (
            "sbatch",
            format!(
                "n=$(($(cat {here}/count 2>/dev/null || echo 0) + 1)); echo $n >{here}/count\n\
                 for last; do :; done\n\
                 log=/dev/null; most=\n\
                 for word; do case $word in --job-name=*) name=\"${{word#*=}}\";; --output=*) log=\"${{word#*=}}\";; \
                 --array=0-*) most=\"${{word#--array=0-}}\";; esac; done\n\
                 go() {{ echo $1 $name >>{here}/sent; {{ test $n -gt \"$(cat {here}/dead 2>/dev/null || echo 0)\" && \
                 (while test -e {here}/hold; do sleep 0.1; done; bash \"$last\"); }} </dev/null >\"$2\" 2>&1 & }}\n\
                 if test -z $most; then export SLURM_JOB_ID=$n; go $n \"$log\"; else export SLURM_ARRAY_JOB_ID=$n; \
                 for i in $(seq 0 $most); do export SLURM_ARRAY_TASK_ID=$i; go ${{n}}_$i \"${{log//%a/$i}}\"; done; fi\n\
                 echo $n"
            ),
        ),
        (
            "squeue",
            format!(
                "test -e {here}/down && {{ echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1; }}\n\
                 while read n name; do if test ${{n%_*}} -gt \"$(cat {here}/dead 2>/dev/null || echo 0)\"; then s=RUNNING; \
                 else s=$(cat {here}/state); fi; echo \"$n|$name|$s|None\"; done <{here}/sent 2>/dev/null; exit 0"
            ),
        ),
        (
            "sacct",
            "echo 'Slurm accounting storage is disabled' >&2; exit 1".to_owned(),
        ),
        (
            "scancel",
            format!("test -e {here}/down && exit 1; echo \"$@\" >>{here}/cancelled"),
        ),
    ] {
        project.write(&format!("bin/{name}"), &format!("#!/bin/bash\n{script}\n"));
        let path = project.path(&format!("bin/{name}"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The program with those in its reach.
fn command(project: &Project, args: &[&str]) -> Command {
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", project.path("bin").display());
    let mut command = project.command(args);
    command.env("PATH", path);
    command
}

/// A run with those programs.
fn with_stand_ins(project: &Project, args: &[&str]) -> Ran {
    Ran::of(command(project, args).output().unwrap())
}

/// Split and photographs alone: no tensors.
fn small() -> Project {
    let project = project(1, "");
    project.write(FILE, DATA);
    project
}

#[test]
fn a_job_that_a_node_or_preemption_ended_is_sent_again() {
    for (state, words) in [
        ("NODE_FAIL", "was lost with its node"),
        ("PREEMPTED", "was preempted"),
    ] {
        let project = small();
        stand_ins(&project, state);
        project.write("dead", "1");
        let ran = with_stand_ins(&project, &["run", FILE, "dishes"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let told = format!("job 1 {words}; another one goes on from the last save");
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        assert!(ran.stderr.contains("sent as job 2"), "{}", ran.stderr);
        assert_eq!(project.read("sent").lines().count(), 2);
    }
}

#[test]
fn a_job_that_ran_out_of_memory_or_retries_fails_with_the_way_out() {
    let project = small();
    stand_ins(&project, "OUT_OF_MEMORY");
    project.write("dead", "9");
    let ran = with_stand_ins(&project, &["run", FILE, "dishes"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("job 1 ran out of memory"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("help: raise `memory` in `[executor.slurm]`"),
        "{}",
        ran.stderr
    );
    project.write("state", "TIMEOUT");
    project.write(
        "kfood.toml",
        "[executor]\ndefault = \"slurm\"\nslurm.retries = 1\n",
    );
    let ran = with_stand_ins(&project, &["run", FILE, "dishes"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("job 3 reached its time limit, as the last of 2 jobs"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("help: raise `time`"), "{}", ran.stderr);
}

#[test]
fn a_failed_stage_says_what_it_said_in_its_job() {
    let project = small();
    stand_ins(&project, "RUNNING");
    let alone = "[executor]\ndefault = \"slurm\"\nlocal = [\"dataset\", \"split\"]\n";
    project.write("kfood.toml", alone);
    project.write("data/train/a/000.png", "no picture");
    let ran = with_stand_ins(&project, &["run", FILE]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let here = with_stand_ins(&project, &["run", FILE, "--executor", "local"]);
    let error = |ran: &Ran| {
        ran.stderr
            .lines()
            .find(|l| l.starts_with("error: "))
            .map(str::to_owned)
    };
    assert!(error(&ran).is_some(), "{}", ran.stderr);
    assert_eq!(error(&ran), error(&here));
}

#[test]
fn kinds_that_stay_here_are_sent_nowhere_and_a_silent_slurm_refuses_the_rest() {
    let project = small();
    stand_ins(&project, "RUNNING");
    project.write(
        "kfood.toml",
        "[executor]\ndefault = \"slurm\"\nlocal = [\"dataset\", \"split\"]\n",
    );
    project.write("down", "");
    let ran = with_stand_ins(&project, &["run", FILE, "--keep-going"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("3 stages: 1 failed, 2 ran"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("`squeue` failed: slurm_load_jobs error"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_job_does_what_the_file_said_when_it_was_sent_and_a_busy_slurm_is_asked_again() {
    let project = small();
    stand_ins(&project, "RUNNING");
    project.write("hold", "");
    let mut run = Going::of(&project, command(&project, &["run", FILE, "pixels"]));
    run.until("dishes: sent as job 1");
    fs::remove_file(project.path(FILE)).unwrap();
    project.write("down", "");
    fs::remove_file(project.path("hold")).unwrap();
    run.until("pixels: warning: it is not sent yet, and will be: `squeue` failed");
    fs::remove_file(project.path("down")).unwrap();
    let ran = run.ended();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 stages: 2 ran"), "{}", ran.stderr);
}

#[test]
fn stages_that_become_ready_one_after_the_other_are_sent_together() {
    let project = small();
    stand_ins(&project, "RUNNING");
    let site = "[executor]\ndefault = \"slurm\"\nlocal = [\"dataset\"]\n";
    project.write("kfood.toml", site);
    let mut text = "[dataset.dishes]\ntrain = \"data/train\"\n".to_owned();
    for i in 10..22 {
        text += &format!(
            "[preprocess.p{i}]\ndataset = \"dishes\"\nresize = {{ width = {i}, height = 8 }}\n"
        );
        text += &format!(
            "[split.s{i}]\ndataset = \"dishes\"\ndata = \"p{i}\"\nleaks = \"group\"\nseed = {i}\n"
        );
    }
    project.write(FILE, &text);
    project.write("hold", "");
    let mut run = Going::of(&project, command(&project, &["run", FILE]));
    run.until("p10: sent as job 1_0, with 11 more jobs of the same array");
    // All twelve end while the run does not look.
    run.signal("-STOP");
    fs::remove_file(project.path("hold")).unwrap();
    let name = project.read("sent").lines().next().unwrap()[4..].to_owned();
    let ended = |i: usize| {
        let status = project.path(&format!("cache/jobs/{name}/status-{i}.json"));
        fs::read_to_string(status).is_ok_and(|status| status.contains("\"done\""))
    };
    while !(0..12).all(ended) {
        sleep(Duration::from_millis(100));
    }
    run.signal("-CONT");
    let ran = run.ended();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("25 stages: 25 ran"), "{}", ran.stderr);
    let sent: usize = project.read("count").trim().parse().unwrap();
    assert!(
        (2..=4).contains(&sent),
        "{sent} calls of `sbatch`: {}",
        ran.stderr
    );
}

/// A run of one stage whose job does not start before the file `hold` goes.
fn held(project: &Project, stage: &str) -> Going {
    project.write("hold", "");
    let mut run = Going::of(project, command(project, &["run", FILE, stage]));
    run.until(&format!("{stage}: sent as job"));
    run
}

fn let_go(project: &Project) {
    fs::remove_file(project.path("hold")).unwrap();
}

#[test]
fn a_job_looks_at_nothing_that_its_stage_does_not_read() {
    let project = small();
    stand_ins(&project, "RUNNING");
    project.write(
        "kfood.toml",
        "[executor]\ndefault = \"slurm\"\nlocal = [\"dataset\"]\n",
    );
    let run = held(&project, "holdout");
    // A split reads what the data set was found to hold, and no photograph.
    fs::rename(project.path("data"), project.path("elsewhere")).unwrap();
    let_go(&project);
    let ran = run.ended();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 stages: 2 ran"), "{}", ran.stderr);
}

#[test]
fn a_job_whose_input_changed_meanwhile_says_which_one_and_what_to_do() {
    let project = small();
    stand_ins(&project, "RUNNING");
    let run = held(&project, "dishes");
    fs::remove_file(project.path("data/train/a/000.png")).unwrap();
    let_go(&project);
    let ran = run.ended();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for part in [
        "stage `dishes`: its input `train` has changed since it was sent to the cluster",
        "help: run the pipeline again: it plans with what is there now",
    ] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    let again = with_stand_ins(&project, &["run", FILE, "dishes"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
}

#[test]
fn a_job_whose_input_left_the_cache_says_so() {
    let project = small();
    stand_ins(&project, "RUNNING");
    project.write(
        "kfood.toml",
        "[executor]\ndefault = \"slurm\"\nlocal = [\"dataset\"]\n",
    );
    let run = held(&project, "holdout");
    fs::remove_dir_all(project.path("cache/entries")).unwrap();
    fs::create_dir(project.path("cache/entries")).unwrap();
    let_go(&project);
    let ran = run.ended();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("the result of `dishes` has left the cache"),
        "{}",
        ran.stderr
    );
}

#[test]
fn jobs_of_one_key_in_two_caches_have_two_names() {
    let names = [small(), small()].map(|project| {
        stand_ins(&project, "RUNNING");
        let ran = with_stand_ins(&project, &["run", FILE, "dishes"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let sent = project.read("sent");
        sent.trim().split_once(' ').unwrap().1.to_owned()
    });
    let key = |name: &str| name.split('-').nth(1).unwrap().to_owned();
    assert_eq!(key(&names[0]), key(&names[1]));
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_second_run_that_would_send_says_that_it_waits_for_the_first() {
    let project = small();
    stand_ins(&project, "RUNNING");
    project.ok(&["run", FILE, "dishes", "--executor", "local"]);
    project.write("cache/jobs/submit.lock", "");
    let lock = fs::File::open(project.path("cache/jobs/submit.lock")).unwrap();
    lock.lock().unwrap();
    let mut run = Going::of(&project, command(&project, &["run", FILE, "holdout"]));
    run.until("holdout: waits for another run, which is sending jobs from this cache");
    lock.unlock().unwrap();
    let ran = run.ended();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_job_that_cannot_be_cancelled_keeps_its_ticket_and_is_found_again() {
    let project = small();
    stand_ins(&project, "RUNNING");
    let run = held(&project, "dishes");
    project.write("down", "");
    run.signal("-INT");
    let ran = run.ended();
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    assert!(ran.stderr.contains("goes on"), "{}", ran.stderr);
    fs::remove_file(project.path("down")).unwrap();
    let mut run = Going::of(&project, command(&project, &["run", FILE, "dishes"]));
    run.until("dishes: job 1, which an earlier run sent, is at it");
    let_go(&project);
    let ran = run.ended();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(project.read("sent").lines().count(), 1);
}

/// The only ticket there is.
fn ticket(project: &Project) -> PathBuf {
    let jobs = fs::read_dir(project.path("cache/jobs")).unwrap();
    let mut paths = jobs.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|e| e == "json"))
        .unwrap()
}

#[test]
fn a_job_whose_ticket_cannot_be_read_is_found_by_its_order_and_sent_once() {
    for (way, order_too) in [
        ("cut", false),
        ("garbage", false),
        ("empty", false),
        ("cut", true),
    ] {
        let project = small();
        stand_ins(&project, "RUNNING");
        let run = held(&project, "dishes");
        run.signal("-KILL");
        run.ended();
        let ticket = ticket(&project);
        let bytes = fs::read(&ticket).unwrap();
        let damaged = match way {
            "cut" => &bytes[..bytes.len() / 2],
            "garbage" => &[0xff, 0, 7, 0xfe],
            _ => &[],
        };
        fs::write(&ticket, damaged).unwrap();
        let order = order(&project);
        let said = fs::read(&order).unwrap();
        // One that cannot be read either has a name all the same.
        if order_too {
            fs::write(&order, "{").unwrap();
        }
        let mut run = Going::of(&project, command(&project, &["run", FILE, "dishes"]));
        run.until("dishes: job 1, which an earlier run sent, is at it");
        fs::write(&order, said).unwrap();
        let_go(&project);
        let ran = run.ended();
        assert_eq!(ran.code, 0, "{way}: {}", ran.stderr);
        assert!(
            ran.stderr
                .contains("dishes: warning: the ticket of its job cannot be read")
                && ran.stderr.contains("job 1 is found by its order"),
            "{way}: {}",
            ran.stderr
        );
        assert_eq!(project.read("sent").lines().count(), 1, "{way}");
        assert!(!ticket.exists(), "{way}");
    }
}

#[test]
fn a_ticket_that_cannot_be_read_and_has_no_job_is_told_and_the_stage_is_sent() {
    let project = small();
    stand_ins(&project, "RUNNING");
    let run = held(&project, "dishes");
    run.signal("-KILL");
    run.ended();
    fs::write(ticket(&project), "").unwrap();
    // Slurm knows nothing of it any more, and it left no word.
    fs::remove_file(project.path("sent")).unwrap();
    let mut run = Going::of(&project, command(&project, &["run", FILE, "dishes"]));
    run.until("no job of this stage lives or has made its result, and one is sent");
    let_go(&project);
    let ran = run.ended();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_report_tells_of_the_jobs_that_made_its_results() {
    let project = small();
    stand_ins(&project, "PREEMPTED");
    project.write("dead", "1");
    let ran = with_stand_ins(&project, &["run", FILE, "dishes"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let told = project.ok(&["report", FILE, "--output", "report.md"]);
    let report = project.read("report.md");
    let row = format!(
        "| `dishes` | 2 | {} | done | 2 | was preempted | - |",
        host.trim()
    );
    assert!(
        report.contains("## Jobs of the cluster") && report.contains(&row),
        "{}\n{report}",
        told.stderr
    );
    project.ok(&["report", FILE, "--output", "report.html", "--lang", "ko"]);
    let page = project.read("report.html");
    for part in ["클러스터 작업", "선점됨", "끝남"] {
        assert!(page.contains(part), "{part}");
    }
    // Of a job that failed the log is named, from the folder of the cache.
    project.write("data/train/a/001.png", "no picture");
    project.write(
        "kfood.toml",
        "[executor]\ndefault = \"slurm\"\nlocal = [\"dataset\", \"split\"]\n",
    );
    let ran = with_stand_ins(&project, &["run", FILE]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    project.ok(&["report", FILE, "--output", "report.md"]);
    let report = project.read("report.md");
    let row = report
        .lines()
        .find(|line| line.starts_with("| `pixels` | 3 |"));
    let row = row.unwrap_or_else(|| panic!("{report}"));
    assert!(row.contains(" | failed | 1 | - | `jobs/kfood-"), "{row}");
    let log = row.split('`').nth(3).unwrap();
    assert!(project.path("cache").join(log).is_file(), "{log}");
}

/// The only order there is.
fn order(project: &Project) -> PathBuf {
    let jobs = fs::read_dir(project.path("cache/jobs")).unwrap();
    let mut orders = jobs.map(|entry| entry.unwrap().path().join("order.json"));
    orders.find(|order| order.exists()).unwrap()
}

/// Gives it a form that only another kfood writes.
fn of_another_kfood(project: &Project) {
    let order = order(project);
    let text = fs::read_to_string(&order).unwrap();
    fs::write(order, text.replacen('{', "{\"of_old\": 1,", 1)).unwrap();
}

#[test]
fn a_job_that_another_kfood_has_sent_is_sent_anew_once_it_starts() {
    let project = small();
    stand_ins(&project, "RUNNING");
    let run = held(&project, "dishes");
    // It is killed, kfood is replaced, and only then the job starts, watched by a run.
    run.signal("-KILL");
    run.ended();
    of_another_kfood(&project);
    let mut run = Going::of(&project, command(&project, &["run", FILE, "dishes"]));
    run.until("dishes: job 1, which an earlier run sent, is at it");
    let_go(&project);
    // Slurm says of it that it failed.
    project.write("state", "FAILED");
    project.write("dead", "1");
    let ran = run.ended();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let why = "dishes: warning: job 1 cannot read its order, which another version of kfood may";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    assert_eq!(project.read("sent").lines().count(), 2);
}

#[test]
fn a_job_that_another_kfood_has_sent_says_so_where_nobody_watches_and_the_next_run_sends_it_anew() {
    let project = small();
    stand_ins(&project, "RUNNING");
    let run = held(&project, "dishes");
    run.signal("-KILL");
    run.ended();
    of_another_kfood(&project);
    let_go(&project);
    let status = || fs::read_to_string(order(&project).with_file_name("status-0.json")).ok();
    let begun = Instant::now();
    let said = loop {
        if let Some(said) = status() {
            break said;
        }
        let waited = begun.elapsed();
        assert!(waited < Duration::from_mins(2), "the job says nothing");
        sleep(Duration::from_millis(50));
    };
    assert!(
        said.contains("the job cannot read its order") && said.contains("of_old"),
        "{said}"
    );
    // Slurm's list still has it.
    let ran = with_stand_ins(&project, &["run", FILE, "dishes"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("dishes: sent as job 2"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.read("sent").lines().count(), 2);
}
