//! The commands, run as a person runs them.

use std::{
    io::{BufRead, BufReader},
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{Project, Ran};

/// A pipeline with every kind of stage that trains in a few seconds.
const SMALL: &str = r#"
seed = 7

[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 2
batch_size = 8
optimizer.adam = { lr = 0.001 }
normalize = "dataset"

[select.best]
from = ["net"]
by = "validation.top1"

[transfer.head]
model = "best"
data = "pixels"
split = "holdout"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }
train_layers = "head"

[evaluate.result]
model = "best"

[evaluate.transferred]
model = "head"
on = ["test"]
"#;

const FILE: &str = "pipelines/small.toml";

fn small() -> Project {
    let project = Project::with_dishes();
    project.write(FILE, SMALL);
    project
}

/// The outcome of each stage in the JSON of a run: id to `ran` or `cached`.
fn outcomes(run: &serde_json::Value) -> Vec<(String, String)> {
    run["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            (
                s["id"].as_str().unwrap().to_owned(),
                s["outcome"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn having(run: &serde_json::Value, outcome: &str) -> Vec<String> {
    outcomes(run)
        .into_iter()
        .filter(|(_, o)| o == outcome)
        .map(|(id, _)| id)
        .collect()
}

#[test]
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

    project.edit(FILE, "epochs = 2", "epochs = 1");
    let changed = project.fails(1, &["run", FILE, "--locked"]);
    assert!(changed.stdout.contains("different"), "{}", changed.stdout);
    assert_eq!(project.read("pipelines/small.lock"), lock);
}

#[test]
fn a_missing_data_folder_says_what_to_put_where() {
    let project = Project::new();
    project.write(FILE, SMALL);
    let ran = project.fails(2, &["run", FILE]);
    for part in ["data/train", "one folder", "pipelines/small.toml:5:", "^"] {
        assert!(ran.stderr.contains(part), "no `{part}` in:\n{}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
}

#[test]
fn missing_folders_of_all_data_sets_are_told_at_once_with_the_variable_that_places_them() {
    let project = Project::new();
    project.write(
        FILE,
        "[dataset.a]\ntrain = \"${NOWHERE:-data}/a\"\ntest = \"${NOWHERE:-data}/a_test\"\n[dataset.b]\ntrain = \"data/b\"\n",
    );
    let ran = project.fails(2, &["plan", FILE]);
    for part in [
        "small.toml:2:",
        "small.toml:3:",
        "small.toml:5:",
        "or set `NOWHERE`",
    ] {
        assert!(ran.stderr.contains(part), "no `{part}` in:\n{}", ran.stderr);
    }
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_once_and_nothing_runs() {
    let project = small();
    project.edit(FILE, "epochs = 2", "epochs = 0");
    project.edit(
        FILE,
        "split = \"holdout\"\narch",
        "split = \"holdoutt\"\narch",
    );
    project.edit(FILE, "[select.best]", "[selekt.best]");
    let ran = project.fails(2, &["run", FILE]);
    for part in ["epochs", "holdout", "select", "small.toml:"] {
        assert!(ran.stderr.contains(part), "no `{part}` in:\n{}", ran.stderr);
    }
    assert!(!project.path("cache").exists());
    let json = project.json(&["check", FILE]);
    assert!(json["mistakes"].as_array().unwrap().len() >= 3, "{json}");
}

#[test]
fn kfood_itself_needs_no_libtorch_and_the_worker_only_what_every_machine_has() {
    let needed = |program: &str| {
        let output = Command::new("readelf")
            .args(["-d", program])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let needed: Vec<_> = text
            .lines()
            .filter(|line| line.contains("(NEEDED)"))
            .collect();
        assert!(needed.iter().any(|line| line.contains("libc.so")), "{text}");
        needed.join("\n")
    };
    let kfood = needed(env!("CARGO_BIN_EXE_kfood"));
    assert!(
        !kfood.contains("torch") && !kfood.contains("libc10"),
        "{kfood}"
    );
    let worker = needed(env!("CARGO_BIN_EXE_kfood-worker"));
    assert!(
        worker.contains("libtorch_cpu.so") && worker.contains("libc10.so"),
        "{worker}"
    );
    assert!(!worker.contains("libtorch_cuda"), "{worker}");
}

/// Its functions stand in the program's dynamic symbols, where libtorch finds them before those of libc.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn the_worker_and_libtorch_allocate_with_jemalloc_by_kfoods_settings() {
    let worker = env!("CARGO_BIN_EXE_kfood-worker");
    let output = Command::new("readelf")
        .args(["--dyn-syms", "--wide", worker])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for name in ["malloc", "posix_memalign", "realloc", "free"] {
        let mut found = text.lines().map(|line| line.split_whitespace());
        let line = found.find(|words| words.clone().next_back() == Some(name));
        let defined = line.is_some_and(|mut words| words.all(|word| word != "UND"));
        assert!(defined, "`{name}` in:\n{text}");
    }
    let output = Command::new(worker)
        .env("MALLOC_CONF", "confirm_conf:true")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    for setting in ["thp:always", "narenas:1", "oversize_threshold:0"] {
        assert!(
            said.contains(&format!("Set conf value: {setting}\n")),
            "{said}"
        );
    }
}

#[test]
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
fn ctrl_c_stops_cleanly_and_a_new_run_goes_on_to_the_same_bits() {
    let project = small();
    project.edit(FILE, "epochs = 2", "epochs = 12");
    let mut child = project.start(&["run", FILE, "net"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let since = Instant::now();
    for line in lines.by_ref().map_while(Result::ok) {
        if line.contains("epoch 2/12") {
            let pid = child.id().to_string();
            assert!(
                Command::new("kill")
                    .args(["-INT", &pid])
                    .status()
                    .unwrap()
                    .success()
            );
            break;
        }
        assert!(
            since.elapsed() < Duration::from_secs(120),
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
        let run: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let stages = run["stages"].as_array().unwrap();
        let net = stages.iter().find(|s| s["id"] == "net").unwrap();
        net["outputs"].clone()
    };
    assert_eq!(digest("cache"), digest("unbroken"));
}

#[test]
fn a_graph_is_drawn_as_text_dot_and_mermaid() {
    let project = small();
    let text = project.ok(&["graph", FILE]).stdout;
    assert!(text.contains("net") && text.contains("holdout"), "{text}");
    let dot = project.ok(&["graph", FILE, "--format", "dot"]).stdout;
    assert!(dot.starts_with("digraph") && dot.contains("->"), "{dot}");
    let mermaid = project.ok(&["graph", FILE, "--format", "mermaid"]).stdout;
    assert!(
        mermaid.starts_with("flowchart") && mermaid.contains("-->"),
        "{mermaid}"
    );
}

#[test]
fn a_learning_rate_and_a_batch_size_can_be_tried_out_and_nothing_of_it_is_kept() {
    let project = small();
    let stage = format!("{FILE}:net");
    let rates = project.json(&["tune", "lr", &stage, "--device", "cpu"]);
    let steps = rates["steps"].as_array().unwrap();
    assert!(steps.len() > 10, "{rates}");
    let lr = |i: usize| steps[i]["lr"].as_f64().unwrap();
    assert!(lr(0) < 1.1e-7 && lr(steps.len() - 1) > lr(0), "{rates}");

    let text = project
        .ok(&["tune", "batch", &stage, "--device", "cpu"])
        .stdout;
    assert!(
        text.contains("images/s") && text.contains("fastest: batch_size = "),
        "{text}"
    );

    let plan = project.json(&["plan", FILE, "net"]);
    let of = |id: &str| {
        let stages = plan["stages"].as_array().unwrap();
        stages.iter().find(|s| s["id"] == id).unwrap()["status"].clone()
    };
    assert_eq!(
        (of("pixels"), of("net")),
        ("cached".into(), "run".into()),
        "{plan}"
    );

    let wrong = project.fails(2, &["tune", "lr", &format!("{FILE}:pixels")]);
    assert!(
        wrong.stderr.contains("expected `train` or `transfer`"),
        "{}",
        wrong.stderr
    );
    project.fails(2, &["tune", "lr", FILE]);
}

#[test]
fn results_can_be_reported_explained_predicted_exported_and_compared() {
    let project = small();
    let early = project.fails(1, &["report", FILE]);
    assert!(early.stderr.contains("kfood run"), "{}", early.stderr);
    let run = project.ok(&["run", FILE]);
    assert!(
        run.stdout.contains("result") && run.stdout.contains("transferred"),
        "{}",
        run.stdout
    );

    let report = project.ok(&["report", FILE]).stdout;
    for part in ["# ", "result", "김밥", "|"] {
        assert!(report.contains(part), "no `{part}` in:\n{report}");
    }
    project.ok(&["report", FILE, "--tensorboard", "board"]);
    for part in ["train", "validation"] {
        let file = project.path(&format!("board/net/{part}/events.out.tfevents.kfood"));
        assert!(file.is_file(), "no {}", file.display());
    }
    project.ok(&["report", FILE, "--output", "report.md"]);
    assert_eq!(project.read("report.md"), report);

    let explained = project.ok(&["explain", FILE, "net"]).stdout;
    for part in ["lr", "resnet18", "best.safetensors"] {
        assert!(explained.contains(part), "no `{part}` in:\n{explained}");
    }
    let unknown = project.fails(2, &["explain", FILE, "nett"]);
    assert!(unknown.stderr.contains("`net`"), "{}", unknown.stderr);

    let model = format!("{FILE}:best");
    let guesses = project.json(&["predict", "--model", &model, "data/test"]);
    let guesses = guesses.as_array().unwrap();
    assert_eq!(guesses.len(), 12);
    assert_eq!(guesses[0]["guesses"].as_array().unwrap().len(), 3);
    let table = project
        .ok(&["predict", "--model", &model, "data/test/김밥/000.png"])
        .stdout;
    assert!(
        table.contains("000.png") && table.contains("김밥"),
        "{table}"
    );

    project.ok(&["export", &model, "best.pt"]);
    project.ok(&["export", &model, "best.safetensors"]);
    let same = project.json(&["predict", "--model", "best.safetensors", "data/test"]);
    assert_eq!(
        same.as_array().unwrap()[0]["guesses"],
        guesses[0]["guesses"]
    );

    let compared = project.ok(&["compare", FILE]).stdout;
    assert!(compared.contains("transferred"), "{compared}");
    assert!(project.json(&["compare", FILE]).is_object());
}

#[test]
fn a_training_is_browsed_epoch_by_epoch_before_it_is_run() {
    let project = small();
    project.edit(
        FILE,
        "batch_size = 8\noptimizer.adam = { lr = 0.001 }\nnormalize",
        "batch_size = 8\noptimizer.adam = { lr = 0.001 }\naugment = [{ random_horizontal_flip = 1 }, { random_erasing = { p = 1 } }]\nnormalize",
    );
    let net = format!("{FILE}:net");
    let told = project.json(&["browse", &net, "--epochs", "3", "--images", "4"]);
    assert_eq!(told["epochs"], serde_json::json!([1, 2, 3]));
    let lines = told["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 4);
    assert!(lines[0]["path"].as_str().unwrap().starts_with("train/"));
    let sheet = image::open(project.path("browse.png")).unwrap().into_rgb8();
    // A margin of 4, and 30 pixels of numbers at the left.
    assert_eq!(sheet.dimensions(), (30 + 4 + 4 * 36, 4 + 4 * 36));
    let picture = |column: u32, line: u32| {
        image::imageops::crop_imm(&sheet, 34 + column * 36, 4 + line * 36, 32, 32).to_image()
    };
    for line in 0..4 {
        let mirrored = image::imageops::flip_horizontal(&picture(0, line));
        let equal = |column: u32| {
            let seen = picture(column, line);
            let pixels = seen.pixels().zip(mirrored.pixels());
            pixels.filter(|(seen, wanted)| seen == wanted).count()
        };
        // All but the erased part, another one in every epoch, is the photograph itself.
        assert!((600..1024).contains(&equal(1)), "{} pixels", equal(1));
        assert_ne!(picture(1, line), picture(2, line));
    }
    project.ok(&[
        "browse",
        &net,
        "--epoch",
        "3",
        "--epochs",
        "1",
        "--images",
        "4",
        "--out",
        "third.png",
    ]);
    let third = image::open(project.path("third.png")).unwrap().into_rgb8();
    let third = image::imageops::crop_imm(&third, 34 + 36, 4, 32, 32).to_image();
    assert_eq!(third, picture(3, 0));

    let wrong = project.fails(2, &["browse", &format!("{FILE}:result")]);
    assert!(
        wrong.stderr.contains("expected `train` or `transfer`"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_transfer_is_browsed_under_the_normalisation_of_its_source_once_there_is_one() {
    let project = small();
    project.edit(
        FILE,
        "normalize = \"dataset\"",
        "normalize = { mean = [1, 0, 0], std = [1, 1, 1] }",
    );
    project.edit(
        FILE,
        "train_layers = \"head\"",
        "train_layers = \"head\"\naugment = [{ random_erasing = { p = 1 } }]",
    );
    let head = format!("{FILE}:head");
    // What is erased has the colour of the mean.
    let erased = |color: [u8; 3]| {
        let sheet = image::open(project.path("browse.png")).unwrap().into_rgb8();
        let of = |pixel: &&image::Rgb<u8>| pixel.0 == color;
        sheet.pixels().filter(of).count()
    };
    let args = ["browse", &head, "--epochs", "1", "--images", "4"];
    let told = project.ok(&args);
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(said.contains("`best` is not trained yet"), "{said}");
    assert!(erased([0; 3]) > 40 && erased([255, 0, 0]) == 0);
    project.ok(&["run", FILE, "best"]);
    let told = project.ok(&args);
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(!said.contains("not trained yet"), "{said}");
    assert!(erased([255, 0, 0]) > 40);
}

#[test]
fn the_cache_can_be_listed_verified_and_cleared_of_what_nobody_needs() {
    let project = small();
    project.ok(&["run", FILE, "pixels", "holdout"]);
    let listed = project.ok(&["cache", "ls"]).stdout;
    assert!(
        listed.contains("preprocess") && listed.contains("split"),
        "{listed}"
    );
    project.ok(&["cache", "verify"]);

    // A flipped byte is found, the result removed, and the next run makes it anew.
    let pack = find(&project.path("cache"), "pixels.pack");
    let mut bytes = std::fs::read(&pack).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "a private temporary file"
    )]
    permissions.set_readonly(false);
    std::fs::set_permissions(&pack, permissions).unwrap();
    std::fs::write(&pack, bytes).unwrap();
    let verify = project.fails(1, &["cache", "verify"]);
    assert!(verify.stdout.contains("pixels"), "{}", verify.stdout);
    let healed = project.json(&["run", FILE, "pixels"]);
    assert_eq!(having(&healed, "ran"), ["pixels"]);

    // Nothing refers to the split of another seed any more.
    project.edit(FILE, "seed = 7", "seed = 8");
    project.ok(&["run", FILE, "holdout"]);
    let dry = project.json(&["cache", "gc", "--dry-run"]);
    let done = project.json(&["cache", "gc"]);
    assert_eq!(dry["removed"], done["removed"]);
    assert_eq!(done["removed"].as_array().unwrap().len(), 1, "{done}");
    project.ok(&["plan", FILE, "pixels", "holdout"]);
}

fn find(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .find(|e| e.file_name() == name)
        .unwrap()
        .into_path()
}

#[test]
fn doctor_names_libtorch_and_completions_come_for_a_shell() {
    let project = Project::new();
    let doctor = project.ok(&["doctor"]).stdout;
    assert!(doctor.contains("2.11.0"), "{doctor}");
    assert!(doctor.contains("tensors.devices: device cpu, "), "{doctor}");
    assert!(
        !doctor.contains(['{', '[']) && !doctor.contains("null"),
        "{doctor}"
    );
    assert!(project.json(&["doctor"]).is_object());
    let completions = project.ok(&["completions", "bash"]).stdout;
    assert!(completions.contains("_kfood"));
}

#[test]
fn a_sample_is_the_same_for_the_same_seed() {
    let project = Project::new();
    project.ok(&["sample", "a"]);
    project.ok(&["sample", "b"]);
    project.ok(&["sample", "c", "--seed", "1"]);
    let content = |folder: &str| {
        let mut files: Vec<_> = walkdir::WalkDir::new(project.path(folder))
            .into_iter()
            .filter_map(Result::ok)
            .filter(|e| e.file_type().is_file())
            .map(|e| {
                let name = e
                    .path()
                    .strip_prefix(project.path(folder))
                    .unwrap()
                    .to_owned();
                (name, std::fs::read(e.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    assert!(content("a").len() > 100);
    assert_eq!(content("a"), content("b"));
    assert_ne!(content("a"), content("c"));
}

#[test]
fn logs_go_to_stderr_and_nothing_is_coloured() {
    let project = small();
    let plain = project
        .command(&["run", FILE, "holdout", "--json"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let plain = Ran::of(plain);
    assert!(!plain.stderr.contains("has the key"), "{}", plain.stderr);
    assert!(!(plain.stdout + &plain.stderr).contains('\u{1b}'));
    let verbose = project.ok(&["plan", FILE, "holdout", "--json", "-v"]);
    assert!(
        verbose.stderr.contains("holdout has the key"),
        "{}",
        verbose.stderr
    );
    serde_json::from_str::<serde_json::Value>(&verbose.stdout).unwrap();
    let by_variable = project
        .command(&["plan", FILE, "holdout", "--json"])
        .env("RUST_LOG", "kfood=info")
        .output()
        .unwrap();
    assert!(Ran::of(by_variable).stderr.contains("holdout has the key"));
}

#[test]
fn clearing_keeps_what_it_cannot_judge() {
    // A pipeline in a folder of its own is a project too.
    let project = Project::with_dishes();
    std::fs::remove_dir(project.path("pipelines")).unwrap();
    project.write("small.toml", SMALL);
    project.ok(&["run", "small.toml", "holdout"]);
    let kept = project.json(&["cache", "gc"]);
    assert_eq!(kept["removed"].as_array().unwrap().len(), 0, "{kept}");

    // Another project with the same cache loses nothing to this one.
    let other = small();
    let shared = other.path("cache");
    other.ok(&["run", FILE, "holdout"]);
    let ours = project
        .command(&["cache", "gc", "--json"])
        .env("KFOOD_CACHE", &shared)
        .output()
        .unwrap();
    let ours: serde_json::Value = serde_json::from_slice(&ours.stdout).unwrap();
    assert_eq!(ours["removed"].as_array().unwrap().len(), 0, "{ours}");

    // A file that cannot be understood might refer to anything.
    other.edit(FILE, "seed = 7", "seed = [");
    let refused = other.fails(1, &["cache", "gc"]);
    assert!(refused.stderr.contains("small.toml"), "{}", refused.stderr);
    other.ok(&["cache", "ls"]);
}

#[test]
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

#[test]
fn wrong_arguments_say_what_is_accepted() {
    let project = small();
    project.fails(2, &["run"]);
    project.fails(2, &["run", FILE, "--device", "gpu"]);
    let missing = project.fails(2, &["run", "pipelines/smal.toml"]);
    assert!(
        missing.stderr.contains("pipelines/smal.toml"),
        "{}",
        missing.stderr
    );
    let elsewhere = project.fails(2, &["run", FILE, "holdout", "--force", "pixels"]);
    assert!(
        elsewhere.stderr.contains("--force pixels"),
        "{}",
        elsewhere.stderr
    );
    let stage = project.fails(2, &["run", FILE, "nett"]);
    assert!(stage.stderr.contains("`net`"), "{}", stage.stderr);
}

/// Two more trainings beside those of [`SMALL`], and what can be done with several finished models.
const TOGETHER: &str = r#"
[train.folded]
data = "pixels"
split = "halves"
fold = "all"
arch = "resnet18"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }

[split.halves]
dataset = "dishes"
folds = 2

[ensemble.both]
from = ["net", "head"]

[ensemble.all_folds]
from = ["folded"]

[evaluate.both_result]
model = "both"

[evaluate.flipped]
model = "both"
on = ["test"]
tta = ["horizontal_flip"]

[evaluate.folds_result]
model = "all_folds"
"#;

#[test]
fn an_ensemble_is_evaluated_reported_compared_explained_and_predicts_like_a_model() {
    let project = small();
    project.write(FILE, &format!("{SMALL}{TOGETHER}"));
    let run = project.ok(&["run", FILE]).stdout;
    for part in ["ensemble of 2", "2: horizontal_flip", "views"] {
        assert!(run.contains(part), "no `{part}` in:\n{run}");
    }
    // Members that were validated on different folds: only the test part is left.
    let explained = project.ok(&["explain", FILE, "folds_result"]).stdout;
    assert!(explained.contains("on = [\"test\"]"), "{explained}");
    assert!(
        project
            .ok(&["explain", FILE, "both"])
            .stdout
            .contains("member.0001: best.safetensors of head")
    );
    assert!(project.ok(&["graph", FILE]).stdout.contains("both"));
    assert!(
        project
            .ok(&["report", FILE])
            .stdout
            .contains("ensemble of 2")
    );
    assert!(
        project
            .ok(&["compare", FILE])
            .stdout
            .contains("both_result")
    );

    let model = format!("{FILE}:both");
    let image = "data/test/김밥/000.png";
    let probabilities = |arguments: &[&str]| -> Vec<(String, f64)> {
        let guesses = project.json(arguments);
        let guesses = guesses[0]["guesses"].as_array().unwrap().clone();
        let pair = |g: &serde_json::Value| {
            let class = g["class"].as_str().unwrap().to_owned();
            (class, g["probability"].as_f64().unwrap())
        };
        let mut all: Vec<_> = guesses.iter().map(pair).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let both = probabilities(&["predict", "--model", &model, image]);
    let [net, head] = ["net", "head"]
        .map(|stage| probabilities(&["predict", "--model", &format!("{FILE}:{stage}"), image]));
    for (i, (class, found)) in both.iter().enumerate() {
        let mean = (net[i].1 + head[i].1) / 2.0;
        assert!((found - mean).abs() < 1e-9, "{class}: {found} and {mean}");
    }
    let flipped = probabilities(&[
        "predict",
        "--model",
        &model,
        "--tta",
        "horizontal_flip",
        image,
    ]);
    assert_ne!(flipped, both);
    let wrong = project.fails(2, &["predict", "--model", &model, "--tta", "flip", image]);
    assert!(
        wrong.stderr.contains("`horizontal_flip`"),
        "{}",
        wrong.stderr
    );
    let corners = project.fails(
        2,
        &["predict", "--model", &model, "--tta", "five_crop", image],
    );
    assert!(
        corners.stderr.contains("needs a centre crop"),
        "{}",
        corners.stderr
    );

    let refused = project.fails(2, &["export", &model, "both.pt"]);
    assert!(
        refused.stderr.contains("name one of its members"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("small.toml:head"),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_average_gives_a_model_like_any_other_and_that_of_equal_ones_is_the_model() {
    let project = small();
    let twin = SMALL
        .split("[train.net]")
        .nth(1)
        .unwrap()
        .split("[select.best]")
        .next()
        .unwrap();
    project.write(
        FILE,
        &format!(
            "{SMALL}[train.twin]{twin}[train.other]{twin}seed = 8\n\n{}",
            "[average.equal]\nfrom = [\"net\", \"twin\"]\nbatch_norm = \"average\"\n\n\
             [average.soup]\nfrom = [\"net\", \"other\"]\n\n\
             [average.greedy]\nfrom = [\"net\", \"other\"]\nrule = \"greedy\"\nby = \"validation.loss\"\n\n\
             [select.mean]\nfrom = [\"soup\", \"net\"]\nby = \"validation.loss\"\n\n\
             [transfer.onward]\nmodel = \"soup\"\ndata = \"pixels\"\nsplit = \"holdout\"\nepochs = 1\nbatch_size = 8\n\
             optimizer.adam = { lr = 0.001 }\ntrain_layers = \"head\"\n\n\
             [evaluate.souped]\nmodel = \"soup\"\n\n[evaluate.greedily]\nmodel = \"greedy\"\n"
        ),
    );
    let run = project.ok(&["run", FILE]).stdout;
    for part in ["average of 2", "of 2"] {
        assert!(run.contains(part), "no `{part}` in:\n{run}");
    }
    let exported = |stage: &str| {
        let to = format!("{stage}.pt");
        project.ok(&["export", &format!("{FILE}:{stage}"), &to]);
        kfood::model::load(&project.path(&to)).unwrap().state
    };
    let [net, equal, soup, other] = ["net", "equal", "soup", "other"].map(exported);
    assert!(net == equal, "a mean of equal models is not the model");
    let values = |state: &kfood::model::StateDict, name: &str| state.get(name).unwrap().to_f32();
    let [a, b, mean] = [&net, &other, &soup].map(|state| values(state, "layer1.0.conv1.weight"));
    for ((a, b), mean) in a.iter().zip(&b).zip(&mean) {
        let wanted = (f64::from(*a) + f64::from(*b)) / 2.0;
        assert!((f64::from(*mean) - wanted).abs() < 1e-7);
    }
    // Statistics are those of the averaged weights and no mean.
    let means = [&net, &other, &soup].map(|state| values(state, "layer4.1.bn2.running_mean"));
    let far =
        (0..means[0].len()).any(|i| (means[2][i] - (means[0][i] + means[1][i]) / 2.0).abs() > 1e-3);
    assert!(far, "BatchNorm's statistics were averaged");
    assert!(
        project
            .ok(&["explain", FILE, "greedy"])
            .stdout
            .contains("rule = \"greedy\"")
    );
    let model = format!("{FILE}:soup");
    project.ok(&["predict", "--model", &model, "data/test/김밥/000.png"]);
}
