//! What a person meets who shares a cache or comes back when the data are gone, and results that nobody may swap.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        process::CommandExt,
    },
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use super::{
    data::jpeg,
    layouts::{Names, zip_of},
    support::{Project, Ran},
};

pub(super) const FILE: &str = "pipelines/p.toml";

pub(super) const DATA: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"
[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }
"#;

pub(super) const TRAINING: &str = r#"
[split.holdout]
dataset = "dishes"
validation = 0.2
[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }
[evaluate.e]
model = "net"
on = ["validation", "test"]
"#;

pub(super) fn data() -> Project {
    let project = Project::with_dishes();
    project.write(FILE, DATA);
    project
}

pub(super) fn trained() -> Project {
    let project = Project::with_dishes();
    project.write(FILE, &format!("{DATA}{TRAINING}"));
    project.ok(&["run", FILE]);
    project
}

/// `sh -c SCRIPT kfood ARGUMENTS`, where the script ends in `exec "$@"`.
pub(super) fn through_shell(project: &Project, script: &str, args: &[&str]) -> Command {
    let kfood = project.command(args);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh"])
        .arg(kfood.get_program())
        .args(args)
        .current_dir(project.path("."))
        .env_remove("KFOOD_CACHE")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell
}

#[cfg(feature = "tensors")]
pub(super) fn tell(child: &std::process::Child, signal: &str) {
    let id = child.id().to_string();
    let told = Command::new("kill").args([signal, &id]).status().unwrap();
    assert!(told.success());
}

#[track_caller]
pub(super) fn until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if happened() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("{what} never happened");
}

/// The process ids of a process's children.
pub(super) fn children(of: u32) -> Vec<String> {
    let path = format!("/proc/{of}/task/{of}/children");
    let all = fs::read_to_string(path).unwrap_or_default();
    let mut found: Vec<_> = all.split_whitespace().map(str::to_owned).collect();
    // A thread may have started it.
    for entry in fs::read_dir(format!("/proc/{of}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let text = fs::read_to_string(entry.path().join("children")).unwrap_or_default();
        found.extend(text.split_whitespace().map(str::to_owned));
    }
    found
}

#[test]
fn results_come_before_a_lock_file_that_cannot_be_written() {
    let project = data();
    fs::create_dir_all(project.path("pipelines/p.lock/in the way")).unwrap();
    for _ in 0..2 {
        let ran = project.ok(&["run", FILE]);
        assert!(
            ran.stderr.contains("warning: the lock file is not written"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("2 stages"), "{}", ran.stderr);
    }
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn an_evaluation_of_a_chosen_model_that_was_made_for_the_training_shows_the_choice_all_the_same() {
    let project = trained();
    let chosen = "[select.best]\nfrom = [\"net\"]\n[evaluate.chosen]\nmodel = \"best\"\non = [\"validation\", \"test\"]\n";
    project.write(FILE, &format!("{DATA}{TRAINING}{chosen}"));
    let ran = project.ok(&["run", FILE]);
    assert!(ran.stderr.contains("6 cached, 1 ran"), "{}", ran.stderr);
    for command in ["report", "compare"] {
        let shown = project.ok(&[command, FILE]).stdout;
        assert!(shown.contains("chosen"), "{shown}");
        assert!(!shown.contains("newest finished"), "{shown}");
    }
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_model_is_within_reach_when_its_data_have_moved_or_grown() {
    let project = trained();
    let model = format!("{FILE}:net");
    project.ok(&["export", &model, "before.safetensors"]);
    let before = fs::read(project.path("before.safetensors")).unwrap();

    project.picture("data/train/김밥/more.png", 0, 99);
    let export = project.ok(&["export", &model, "grown.safetensors"]);
    assert!(
        export
            .stderr
            .contains("note: the newest finished result of `net`"),
        "{}",
        export.stderr
    );
    assert_eq!(fs::read(project.path("grown.safetensors")).unwrap(), before);
    let report = project.ok(&["report", FILE]);
    assert!(report.stdout.contains("net"), "{}", report.stdout);
    assert!(
        report
            .stderr
            .contains("`dishes`: an earlier result is shown"),
        "{}",
        report.stderr
    );

    fs::rename(project.path("data"), project.path("elsewhere")).unwrap();
    let export = project.ok(&["export", &model, "moved.safetensors"]);
    assert!(
        export.stderr.contains("cannot be read now"),
        "{}",
        export.stderr
    );
    assert_eq!(fs::read(project.path("moved.safetensors")).unwrap(), before);
    let said = project.ok(&["predict", "--model", &model, "elsewhere/test/김밥/000.png"]);
    assert!(said.stdout.contains('%'), "{}", said.stdout);
    let explained = project.ok(&["explain", FILE, "net"]);
    assert!(explained.stdout.contains("result "), "{}", explained.stdout);
    assert!(project.ok(&["report", FILE]).stdout.contains("net"));

    // What was asked for otherwise is another model.
    project.edit(FILE, "lr = 0.001", "lr = 0.002");
    project.fails(2, &["export", &model, "other.safetensors"]);
    fs::rename(project.path("elsewhere"), project.path("data")).unwrap();
    let refused = project.fails(1, &["export", &model, "other.safetensors"]);
    assert!(
        refused.stderr.contains("no finished result"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_relative_cache_is_one_for_the_whole_project_and_a_home_is_found() {
    let project = data();
    let run = |place: &str, folder: &str, file: &str| {
        let mut command = project.command(&["run", file]);
        command
            .env("KFOOD_CACHE", place)
            .env("HOME", project.path("home"));
        Ran::of(command.current_dir(project.path(folder)).output().unwrap())
    };
    assert!(run("stored", ".", FILE).stderr.contains("2 ran"));
    assert!(
        run("stored", "pipelines", "p.toml")
            .stderr
            .contains("2 cached")
    );
    assert!(project.path("stored/format").is_file());
    assert!(run("~/kept", ".", FILE).stderr.contains("2 ran"));
    assert!(project.path("home/kept/format").is_file() && !project.path("~").exists());
    for unexpanded in ["~kim/cache", "$HOME/cache"] {
        let refused = run(unexpanded, ".", FILE);
        assert_eq!(refused.code, 2);
        assert!(
            refused.stderr.contains("was not expanded"),
            "{}",
            refused.stderr
        );
    }
    for elsewhere in ["s3://dishes/cache", "s3:dishes", "D:\\cache"] {
        let refused = run(elsewhere, ".", FILE);
        assert_eq!(refused.code, 2, "{elsewhere}");
        let told = "an address or a path of Windows";
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
        let pushed = project.fails(2, &["cache", "push", "s3:dishes"]).stderr;
        assert!(pushed.contains("`s3://BUCKET/PLACE`"), "{pushed}");
    }
    assert!(!project.path("s3:").exists() && !project.path("s3:dishes").exists());
    // A folder may be called so all the same.
    assert!(run("./s3:dishes", ".", FILE).stderr.contains("2 ran"));
}

#[test]
fn a_folder_that_is_no_cache_is_left_alone() {
    let project = data();
    project
        .write("mine/runs/1.keys", "precious")
        .write("mine/notes.txt", "too");
    for place in ["mine", "mine/notes.txt"] {
        for args in [
            &["run", FILE][..],
            &["plan", FILE],
            &["cache", "gc"],
            &["cache", "ls"],
        ] {
            let mut command = project.command(args);
            let ran = Ran::of(
                command
                    .env("KFOOD_CACHE", project.path(place))
                    .output()
                    .unwrap(),
            );
            assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
            assert!(
                ran.stderr.contains("help: set KFOOD_CACHE to"),
                "{}",
                ran.stderr
            );
        }
    }
    assert_eq!(project.read("mine/runs/1.keys"), "precious");
    // What a fresh disk holds is nobody's.
    fs::create_dir_all(project.path("disk/lost+found")).unwrap();
    project.write("disk/.gitignore", "*");
    let mut command = project.command(&["run", FILE]);
    let ran = Ran::of(
        command
            .env("KFOOD_CACHE", project.path("disk"))
            .output()
            .unwrap(),
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn looking_makes_no_cache() {
    let project = data();
    project.fails(3, &["plan", FILE]);
    project.ok(&["graph", FILE]);
    project.ok(&["doctor"]);
    project.ok(&["explain", FILE, "pixels"]);
    project.ok(&["cache", "ls"]);
    project.ok(&["cache", "verify"]);
    project.ok(&["cache", "gc"]);
    assert!(!project.path("cache").exists());
}

#[test]
fn a_damaged_format_is_written_anew_where_there_are_results() {
    let project = data();
    project.ok(&["run", FILE]);
    for damage in [
        &b"kfood cbche 1\n"[..],
        b"",
        b"\0\0\0\0",
        b"kfood cache 1",
        b"\xff\xfe",
    ] {
        fs::write(project.path("cache/format"), damage).unwrap();
        let ran = project.ok(&["run", FILE]);
        assert!(
            ran.stderr.contains("written anew") && ran.stderr.contains("2 cached"),
            "{}",
            ran.stderr
        );
        assert_eq!(project.read("cache/format"), "kfood cache 1\n");
    }
    fs::remove_file(project.path("cache/format")).unwrap();
    project.ok(&["plan", FILE]);
}

#[test]
fn gc_says_whose_results_go_and_that_their_pipeline_is_gone() {
    let project = data();
    project.ok(&["run", FILE]);
    project.write(
        "pipelines/other.toml",
        &DATA.replace("width = 32", "width = 16"),
    );
    project.ok(&["run", "pipelines/other.toml"]);
    fs::remove_file(project.path("pipelines/other.toml")).unwrap();
    fs::remove_file(project.path("pipelines/other.lock")).unwrap();
    let said = project.ok(&["cache", "gc", "--dry-run"]).stdout;
    assert!(said.contains("pipelines/other.toml (gone)"), "{said}");
    assert!(!said.contains("p.toml"), "{said}");
    let json = project.json(&["cache", "gc", "--dry-run"]);
    assert_eq!(json["removed"][0]["pipeline_gone"], true);
}

#[test]
fn new_files_of_a_shared_cache_follow_its_folder() {
    let project = data();
    fs::create_dir(project.path("cache")).unwrap();
    fs::set_permissions(project.path("cache"), Permissions::from_mode(0o2775)).unwrap();
    let mut command = through_shell(&project, "umask 077; exec \"$@\"", &["run", FILE]);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut seen = 0;
    let mut look = vec![project.path("cache")];
    while let Some(folder) = look.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            let wanted = if meta.is_dir() { 0o2775 } else { 0o664 };
            assert_eq!(meta.mode() & 0o7777, wanted, "{}", entry.path().display());
            seen += 1;
            if meta.is_dir() {
                look.push(entry.path());
            }
        }
    }
    assert!(seen > 10);
    // What a person writes elsewhere is that person's.
    let lock = fs::metadata(project.path("pipelines/p.lock")).unwrap();
    assert_eq!(lock.mode() & 0o777, 0o600);
}

/// The program as somebody who may read everything and write nothing there.
pub(crate) fn as_somebody_else(project: &Project, args: &[&str]) -> Ran {
    const NOBODY: u32 = 65_534;
    fs::set_permissions(project.path("."), Permissions::from_mode(0o755)).unwrap();
    let mut command = project.command(args);
    command.uid(NOBODY).gid(NOBODY);
    Ran::of(command.output().unwrap())
}

#[test]
#[ignore = "needs root, and a checkout that all may read: `-- --ignored somebody_else`"]
fn a_finished_cache_serves_somebody_else_who_may_only_read_it() {
    let project = trained();
    fs::create_dir(project.path("theirs")).unwrap();
    fs::set_permissions(project.path("theirs"), Permissions::from_mode(0o777)).unwrap();
    let model = format!("{FILE}:net");
    let commands: [&[&str]; 9] = [
        &["run", FILE],
        &["plan", FILE],
        &["data", FILE],
        &["report", FILE],
        &["compare", FILE],
        &["explain", FILE, "net"],
        &["predict", "--model", &model, "data/test/김밥/000.png"],
        &["export", &model, "theirs/net.pt"],
        &["cache", "verify"],
    ];
    for args in commands {
        let ran = as_somebody_else(&project, args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        assert!(
            !ran.stderr.contains("ermission denied"),
            "{args:?}: {}",
            ran.stderr
        );
    }
    project.edit(FILE, "width = 32", "width = 24");
    let ran = as_somebody_else(&project, &["run", FILE]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("ermission denied"), "{}", ran.stderr);
    assert!(ran.stderr.contains("KFOOD_CACHE"), "{}", ran.stderr);
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_model_file_is_known_by_its_content_wherever_it_lies_and_whatever_it_is_called() {
    let project = trained();
    project.ok(&["export", &format!("{FILE}:net"), "a.safetensors"]);
    let of = |file: &str| {
        let judged = format!(
            "\n[evaluate.judged]\nmodel = \"{file}\"\ndata = \"pixels\"\nsplit = \"holdout\"\n"
        );
        project.write(FILE, &format!("{DATA}{TRAINING}{judged}"));
    };
    of("a.safetensors");
    project.ok(&["run", FILE]);
    fs::create_dir(project.path("models")).unwrap();
    let moved = project.path("models/net of May.safetensors");
    fs::rename(project.path("a.safetensors"), &moved).unwrap();
    of("models/net of May.safetensors");
    project.ok(&["plan", FILE]);
    // One bit of one weight is another model.
    let mut bytes = fs::read(&moved).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&moved, bytes).unwrap();
    let plan = project.json(&["plan", FILE]);
    let judged = plan["stages"].as_array().unwrap().last().unwrap();
    let why = "input `model`: 1 file changed: `models/net of May.safetensors`";
    assert_eq!(judged["id"], "judged");
    assert_eq!(judged["reasons"][0], why, "{plan}");
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn a_model_file_that_is_swapped_and_swapped_back_during_a_transfer_is_noticed() {
    let project = trained();
    for name in ["a.safetensors", "b.safetensors"] {
        project.ok(&["export", &format!("{FILE}:net"), name]);
    }
    symlink("a.safetensors", project.path("model.safetensors")).unwrap();
    let transfer = r#"
[transfer.again]
model = "model.safetensors"
data = "pixels"
split = "holdout"
train_layers = "head"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }
"#;
    project.write(FILE, &format!("{DATA}{TRAINING}{transfer}"));
    let child = project.start(&["run", FILE]);
    until("a worker", || !children(child.id()).is_empty());
    for name in ["b.safetensors", "a.safetensors"] {
        symlink(name, project.path("new")).unwrap();
        fs::rename(project.path("new"), project.path("model.safetensors")).unwrap();
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("its result is not stored"),
        "{}",
        ran.stderr
    );
    project.ok(&["run", FILE]);
}

#[test]
fn photographs_of_a_zip_that_is_touched_meanwhile_are_neither_dropped_nor_refused_for_good() {
    for unreadable in ["drop", "fail"] {
        let project = Project::new();
        let text = format!(
            "[dataset.d]\ntrain = \"d.zip\"\n[preprocess.p]\ndataset = \"d\"\nresize = {{ width = 8, height = 8 }}\nunreadable = \"{unreadable}\"\n"
        );
        project.write(FILE, &text);
        let files = (0..400_u16).map(|n| {
            let [a, b] = n.to_le_bytes();
            (
                format!("{}/{n}.jpg", ["a", "b"][usize::from(n % 2)]),
                jpeg([a, b, 90]),
            )
        });
        let zip = zip_of(&files.collect::<Vec<_>>(), Names::Flagged);
        fs::write(project.path("d.zip"), zip).unwrap();
        project.ok(&["run", FILE, "d"]);
        let mut child = project.start(&["run", FILE]);
        while child.try_wait().unwrap().is_none() {
            let file = fs::File::open(project.path("d.zip")).unwrap();
            file.set_modified(std::time::SystemTime::now()).unwrap();
        }
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(
            ran.stderr
                .contains("run again once the files stay as they are")
                || ran.stderr.contains("run again once the files stand still"),
            "{}",
            ran.stderr
        );
        // Of what was seen meanwhile nothing is kept as a verdict.
        let again = project.ok(&["run", FILE]);
        let said = format!("{}{}", again.stdout, again.stderr);
        assert!(!said.contains("dropped"), "{said}");
        let looked = project.json(&["data", FILE]);
        assert_eq!(looked["data"][0]["formats"]["JPEG"], 400, "{looked}");
    }
}

#[test]
#[ignore = "needs root, and a checkout that all may read: `-- --ignored somebody_else`"]
fn a_cache_that_somebody_else_may_not_read_or_write_into_says_so_before_any_work() {
    let project = Project::with_dishes();
    project.write(FILE, DATA);
    project.ok(&["run", FILE]);
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(project.path(name), Permissions::from_mode(mode)).unwrap();
    };
    mode("cache", 0o700);
    let ran = as_somebody_else(&project, &["run", FILE]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("chmod -R a+rX"), "{}", ran.stderr);
    fs::set_permissions(project.path(FILE), Permissions::from_mode(0o600)).unwrap();
    let ran = as_somebody_else(&project, &["run", FILE]);
    assert!(ran.stderr.contains("make it readable"), "{}", ran.stderr);
    fs::set_permissions(project.path(FILE), Permissions::from_mode(0o644)).unwrap();
    // All may write, but into one result.
    mode("cache", 0o777);
    for folder in ["attempts", "digests", "entries", "locks", "runs"] {
        mode(&format!("cache/{folder}"), 0o777);
    }
    for lock in fs::read_dir(project.path("cache/locks")).unwrap() {
        let lock = lock.unwrap().path();
        fs::set_permissions(lock, Permissions::from_mode(0o666)).unwrap();
    }
    for entry in fs::read_dir(project.path("cache/entries")).unwrap() {
        let entry = entry.unwrap().path();
        fs::set_permissions(entry, Permissions::from_mode(0o700)).unwrap();
    }
    let ran = as_somebody_else(&project, &["run", FILE]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("cannot write into `"), "{}", ran.stderr);
    assert!(ran.stderr.contains("KFOOD_CACHE"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("images in"), "{}", ran.stderr);
}
