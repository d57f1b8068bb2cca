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
    // As a run with these options would take them.
    let team = ["cache.remote", "cache.push"];
    assert_eq!(
        told(
            &project,
            &["--remote", "s3://dishes/team", "--push", "never"],
            &team
        ),
        [
            "cache.remote \"s3://dishes/team\" the command line",
            "cache.push \"never\" the command line"
        ]
    );
}

#[test]
fn what_a_variable_or_an_option_says_wrongly_is_told_with_a_way_out() {
    let project = Project::new();
    let ran = project
        .command(&["config"])
        .env("KFOOD_CACHE", "/data/a\nb")
        .output();
    let ran = crate::support::Ran::of(ran.unwrap());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    for part in [
        "KFOOD_CACHE",
        "`cache.folder`",
        "without control characters",
        "help: set KFOOD_CACHE to another value",
    ] {
        assert!(ran.stderr.contains(part), "no `{part}` in\n{}", ran.stderr);
    }
    let told = project
        .fails(2, &["config", "--remote", "s3://a\nb"])
        .stderr;
    for part in [
        "the command line",
        "`cache.remote`",
        "help: give the option",
    ] {
        assert!(told.contains(part), "no `{part}` in\n{told}");
    }
}

#[test]
fn gc_leaves_the_settings_of_a_place_wherever_they_lie() {
    let project = small();
    project.write("kfood.toml", "[cache]\nfolder = \"results\"\n");
    project.write("pipelines/kfood.toml", "[cache]\nfolder = \"results\"\n");
    project.ok(&["run", FILE, "pixels"]);
    assert!(project.path("results/entries").is_dir());
    project.write("results/kfood.toml", "[run]\njobs = 2\n");
    project.edit(FILE, "seed = 7", "seed = 8");
    let gc = project.json(&["cache", "gc", "--max-size", "0"]);
    assert_eq!(gc["leftovers"].as_array().unwrap().len(), 0, "{gc}");
    for place in ["kfood.toml", "pipelines/kfood.toml", "results/kfood.toml"] {
        assert!(project.path(place).is_file(), "{place}");
    }
}

#[test]
fn what_a_kind_of_stage_takes_of_the_machine_is_said_in_the_file_and_in_no_key() {
    let project = small();
    project.ok(&["run", FILE, "pixels"]);
    project.write(
        "kfood.toml",
        "[run]\ncores = 4\nmemory = \"8G\"\n[run.preprocess]\ncores = 3\nmemory = \"2G\"\n",
    );
    let ran = project.ok(&["run", FILE, "pixels"]).stderr;
    assert!(ran.contains("2 cached"), "{ran}");
    let settings = [
        "run.cores",
        "run.memory",
        "run.preprocess.cores",
        "run.preprocess.memory",
    ];
    assert_eq!(
        told(&project, &[], &settings),
        [
            "run.cores 4 kfood.toml:2",
            "run.memory \"8G\" kfood.toml:3",
            "run.preprocess.cores 3 kfood.toml:5",
            "run.preprocess.memory \"2G\" kfood.toml:6"
        ]
    );
    project.write(
        "kfood.toml",
        "[run.preproces]\ncores = 3\n[run.train]\ncore = 1\n",
    );
    let told = project.fails(2, &["config"]).stderr;
    assert!(
        told.contains("did you mean `preprocess`?") && told.contains("did you mean `cores`?"),
        "{told}"
    );
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
        "did you mean `device`? accepted: `jobs`, `device`",
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
fn the_files_that_the_docs_show_have_no_mistakes() {
    let project = Project::new();
    let mut shown = 0;
    for page in ["docs/config.md", "docs/cluster.md", "docs/cache.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let text = std::fs::read_to_string(path).unwrap();
        for block in text.split("```toml\n").skip(1) {
            project.write("kfood.toml", block.split("```").next().unwrap());
            let ran = project.command(&["config"]).env("SCRATCH", "/x").output();
            let ran = crate::support::Ran::of(ran.unwrap());
            assert_eq!(ran.code, 0, "{page}: {}", ran.stderr);
            shown += 1;
        }
    }
    assert!(shown > 2, "{shown}");
}

/// Which of these begins first in a text.
#[cfg(feature = "tensors")]
fn first<'a>(text: &str, parts: [&'a str; 2]) -> &'a str {
    let place = |part: &&str| {
        text.find(*part)
            .unwrap_or_else(|| panic!("no `{part}` in\n{text}"))
    };
    parts.into_iter().min_by_key(place).unwrap()
}

#[cfg(feature = "tensors")]
#[test]
fn each_declared_device_has_one_training_at_a_time() {
    let project = small();
    project.edit(FILE, "epochs = 2", "matrix.seed = [1, 2]\nepochs = 2");
    project.write("kfood.toml", "[run]\ndevices = [\"cpu\", \"cpu\"]\n");
    let together = project.ok(&["run", FILE, "net"]).stderr;
    let order = ["· net[seed=2]: ", "✓ net[seed=1]: "];
    assert_eq!(first(&together, order), order[0], "{together}");
    // One device on the command line goes before several in a file.
    let forced = ["run", FILE, "net", "--force", "net", "--device", "cpu"];
    let apart = project.ok(&forced).stderr;
    assert_eq!(first(&apart, order), order[1], "{apart}");
}

#[test]
fn a_pipeline_called_as_the_settings_are_is_told_apart() {
    let project = Project::new();
    project.write("kfood.toml", "[train.net]\nepochs = 1\n");
    let told = project.fails(2, &["config"]).stderr;
    assert!(told.contains("`train` is a kind of stage"), "{told}");
    assert!(told.contains("a pipeline has another name"), "{told}");
}
