//! Stages as jobs of Slurm: on a real cluster where one answers, and with programs in its place that say what one node cannot.

mod stand_ins;

use std::{
    fs,
    io::Read,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::support::{Project, Ran};

const FILE: &str = "pipelines/p.toml";
const DATA: &str = r#"
[dataset.dishes]
train = "data/train"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }
"#;

/// Data, and a training that runs as long as these epochs.
fn project(epochs: u32, more: &str) -> Project {
    let project = Project::new();
    project.dishes("data/train", &["a", "b", "c"], 8);
    let train = format!(
        "[train.net]\ndata = \"pixels\"\nsplit = \"holdout\"\narch = \"resnet18\"\nepochs = {epochs}\nbatch_size = 8\n\
         optimizer.adam = {{ lr = 0.001 }}\n{more}"
    );
    project.write(FILE, &format!("{DATA}{train}"));
    project.write(
        "kfood.toml",
        "[executor]\ndefault = \"slurm\"\n[executor.slurm]\ncpus = 1\n",
    );
    project
}

/// A run that goes on, and what it has said so far.
struct Going {
    child: Child,
    said: std::path::PathBuf,
}

impl Going {
    fn start(project: &Project, args: &[&str]) -> Self {
        Self::of(project, project.command(args))
    }

    fn of(project: &Project, mut command: Command) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let n = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let said = project.path(&format!("said-{n}"));
        let child = command
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said).unwrap())
            .spawn()
            .unwrap();
        Self { child, said }
    }

    fn said(&self) -> String {
        let mut text = String::new();
        let mut file = fs::File::open(&self.said).unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    /// Waits until it says this.
    #[track_caller]
    fn until(&mut self, part: &str) -> &mut Self {
        let since = Instant::now();
        while !self.said().contains(part) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "it ended before `{part}`:\n{}",
                self.said()
            );
            let patient = since.elapsed() < Duration::from_mins(4);
            assert!(patient, "it does not say `{part}`:\n{}", self.said());
            sleep(Duration::from_millis(100));
        }
        self
    }

    fn signal(&self, signal: &str) -> &Self {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
        self
    }

    fn ended(mut self) -> Ran {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran {
            code,
            stdout: String::new(),
            stderr: self.said(),
        }
    }
}

/// What a program of Slurm prints.
fn slurm(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Every job that an order of this project's cache had, over or not, as `id state`.
fn jobs(project: &Project) -> Vec<String> {
    let names = fs::read_dir(project.path("cache/jobs")).unwrap().flatten();
    let names = names.filter(|entry| entry.path().is_dir());
    let names: Vec<_> = names
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    let format = [
        "--me",
        "--array",
        "--states=all",
        "--noheader",
        "--format=%j %i %T",
    ];
    let text = slurm("squeue", &format);
    let of = |line: &&str| {
        names
            .iter()
            .any(|name| line.split(' ').next() == Some(name))
    };
    text.lines()
        .filter(of)
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect()
}

/// The digests of what a stage left, from a run's JSON.
fn outputs(ran: &serde_json::Value, id: &str) -> serde_json::Value {
    let stages = ran["stages"].as_array().unwrap();
    let stage = stages.iter().find(|stage| stage["id"] == id).unwrap();
    stage["outputs"].clone()
}

#[test]
#[ignore = "needs a Slurm that answers"]
fn slurm_runs_a_sweep_as_one_array_with_the_bits_of_this_machine() {
    let project = project(1, "matrix.seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]\n");
    let ran = project.kfood(&["run", FILE, "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("with 11 more jobs of the same array"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("15 stages: 15 ran"), "{}", ran.stderr);
    let far: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let again = project.ok(&["run", FILE]).stderr;
    assert!(again.contains("15 stages: 15 cached"), "{again}");
    // Nothing is left of jobs that did their work.
    let left: Vec<_> = fs::read_dir(project.path("cache/jobs"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let id = "net[seed=3]";
    // On as many cores: the last bits of sums hang on how they are shared out.
    let args = [
        "--cpu-list",
        "0",
        env!("CARGO_BIN_EXE_kfood"),
        "run",
        FILE,
        id,
        "--json",
    ];
    let near = Command::new("taskset")
        .args(args)
        .args(["--executor", "local"])
        .current_dir(project.path(""))
        .env("KFOOD_CACHE", "here")
        .env("XDG_CONFIG_HOME", project.path(".config"))
        .output();
    let near: serde_json::Value = serde_json::from_slice(&near.unwrap().stdout).unwrap();
    assert_eq!(outputs(&near, id), outputs(&far, id));
}

#[test]
#[ignore = "needs a Slurm that answers"]
fn slurm_jobs_are_neither_lost_nor_doubled_when_the_run_is_killed() {
    let project = project(20, "");
    let mut run = Going::start(&project, &["run", FILE]);
    run.until("net: epoch 1/20").signal("-9");
    run.ended();
    let mut run = Going::start(&project, &["run", FILE]);
    run.until("which an earlier run sent, is at it")
        .until("net: epoch 2/20");
    run.signal("-TERM");
    let ran = run.ended();
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    // An edit made while a job waits or runs is of the next run.
    let text = project.read(FILE);
    project.write(FILE, &format!("{text}\n# a comment\n"));
    let ran = project.ok(&["run", FILE]);
    assert!(
        ran.stderr.contains("which an earlier run sent, is at it"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("net: epoch 20/20"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("sent as job"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs a Slurm that answers"]
fn slurm_jobs_that_are_cancelled_fail_and_those_of_a_drained_node_wait() {
    let project = project(100_000, "");
    project.ok(&["run", FILE, "pixels", "holdout", "--executor", "local"]);
    let node = slurm("sinfo", &["--noheader", "--format=%n"]);
    let node = format!("nodename={}", node.lines().next().unwrap());
    slurm("scontrol", &["update", &node, "state=drain", "reason=test"]);
    let mut run = Going::start(&project, &["run", FILE]);
    run.until("waits: ");
    slurm("scontrol", &["update", &node, "state=resume"]);
    run.until("net: epoch 1/100000");
    let id = jobs(&project)[0].split(' ').next().unwrap().to_owned();
    slurm("scancel", &[&id]);
    let ran = run.ended();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&format!("job {id} was cancelled")),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("run again to send it anew"),
        "{}",
        ran.stderr
    );
}

#[test]
#[ignore = "needs a Slurm that answers"]
fn slurm_jobs_that_reach_their_limit_go_on_and_an_interrupt_cancels_them() {
    let project = project(100_000, "");
    project.ok(&["run", FILE, "pixels", "holdout", "--executor", "local"]);
    project.write(
        "kfood.toml",
        "[executor]\ndefault = \"slurm\"\n[executor.slurm]\ncpus = 1\n[executor.slurm.train]\ntime = 1\n",
    );
    let mut run = Going::start(&project, &["run", FILE]);
    run.until("reached its time limit; another one goes on from the last save");
    run.until("net: goes on after");
    run.signal("-INT");
    let ran = run.ended();
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    let alive = |jobs: &[String]| jobs.iter().any(|job| job.contains("RUNNING"));
    let since = Instant::now();
    while alive(&jobs(&project)) && since.elapsed() < Duration::from_mins(1) {
        sleep(Duration::from_millis(200));
    }
    assert!(!alive(&jobs(&project)), "{:?}", jobs(&project));
}
