//! The settings of a place: `kfood.toml`, a person's own file, the environment, the command line.

use crate::{
    commands::{FILE, small},
    support::Project,
};

/// The rows of `kfood config` that are of these settings.
fn told(project: &Project, args: &[&str], settings: &[&str]) -> Vec<String> {
    let text = project.ok(&[&["config"], args].concat()).stdout;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let of = |name: &&str| text.lines().find(|line| line.starts_with(*name)).map(words);
    settings.iter().filter_map(of).collect()
}

#[test]
fn each_setting_says_where_it_was_said_and_the_nearest_goes_first() {
    let project = Project::new();
    project
        .write("kfood.toml", "[run]\njobs = 3\n[executor.slurm]\npartition = \"gpu\"\n[executor.slurm.train]\ngpus = 2\n")
        .write(
            ".config/kfood/config.toml",
            "[run]\njobs = 7\ndevice = \"cpu\"\n[executor]\ndefault = \"slurm\"\nslurm.gpus = 1\n",
        )
        .write("pipelines/p.toml", "");
    let own = ".config/kfood/config.toml";
    let settings = [
        "run.jobs",
        "run.device",
        "run.keep_going",
        "executor.default",
        "executor.slurm.gpus",
        "executor.slurm.train.gpus",
    ];
    let expected = [
        "run.jobs 3 kfood.toml:2".to_owned(),
        format!("run.device \"cpu\" {own}:3"),
        "run.keep_going false default".to_owned(),
        format!("executor.default \"slurm\" {own}:5"),
        format!("executor.slurm.gpus 1 {own}:6"),
        "executor.slurm.train.gpus 2 kfood.toml:6".to_owned(),
    ];
    assert_eq!(told(&project, &["pipelines/p.toml"], &settings), expected);
    assert_eq!(
        told(&project, &["--jobs", "9"], &["run.jobs"]),
        ["run.jobs 9 the command line"]
    );
    let ran = project
        .command(&["config"])
        .env("KFOOD_CACHE", "/x")
        .output();
    let text = String::from_utf8(ran.unwrap().stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("cache.folder"));
    assert!(line.unwrap().ends_with("KFOOD_CACHE"), "{text}");
}

#[test]
fn every_mistake_of_both_files_is_told_with_its_place() {
    let project = Project::new();
    project
        .write("kfood.toml", "[run]\njobs = 0\ndevise = \"cpu\"\n[executor]\nlocal = [\"spilt\"]\n[executor.slurm]\nmemory = \"lots\"\n[exec]\n")
        .write(".config/kfood/config.toml", "[executor.slurm.trian]\ngpus = 1\n[cache]\nremote = 3\n");
    let told = project.fails(2, &["config"]).stderr;
    for part in [
        "7 mistakes found",
        "invalid value `0` for `jobs`: expected a whole number of at least 1\n --> kfood.toml:2:8",
        "unknown key `devise` in `run`\n --> kfood.toml:3:1",
        "did you mean `device`? accepted: `jobs`, `device` or `keep_going`",
        "`spilt` is no kind of stage\n --> kfood.toml:5:10",
        "did you mean `split`?",
        "expected a size such as `\"16G\"` or `\"800M\"`\n --> kfood.toml:7:10",
        "unknown key `exec`\n --> kfood.toml:8:2",
        "unknown key `trian` in `executor.slurm`",
        "did you mean `train`?",
        "expected a text without control characters",
        "remote = 3\n  |          ^",
    ] {
        assert!(told.contains(part), "no `{part}` in\n{told}");
    }
}

#[test]
fn a_run_does_as_the_place_says_and_no_key_knows_of_it() {
    let project = small();
    let ran = project.ok(&["run", FILE, "pixels"]);
    assert!(ran.stderr.contains("2 ran"), "{}", ran.stderr);
    project.write(
        "kfood.toml",
        "[run]\njobs = 2\ndevice = \"cpu\"\nkeep_going = true\n",
    );
    let ran = project.ok(&["run", FILE, "pixels"]);
    assert!(ran.stderr.contains("2 cached"), "{}", ran.stderr);
    project.write(
        "kfood.toml",
        "[cache]\nfolder = \"${ELSEWHERE:-other}/results\"\n",
    );
    let ran = project.ok(&["run", FILE, "pixels"]);
    assert!(ran.stderr.contains("2 ran"), "{}", ran.stderr);
    assert!(project.path("other/results").is_dir());
}

#[test]
fn a_pipeline_called_as_the_settings_are_is_told_apart() {
    let project = Project::new();
    project.write("kfood.toml", "[train.net]\nepochs = 1\n");
    let told = project.fails(2, &["config"]).stderr;
    assert!(told.contains("`train` is a kind of stage"), "{told}");
    assert!(told.contains("a pipeline has another name"), "{told}");
}
