//! The programs themselves: what they link, allocate with and log; samples, completions, the doctor.

use std::process::Command;

use super::{FILE, small};
use crate::support::{Project, Ran};

/// The shared libraries that a program names.
fn needed(program: &str) -> String {
    let mut readelf = Command::new("readelf");
    let output = readelf.args(["-d", program]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let needed = text.lines().filter(|line| line.contains("(NEEDED)"));
    let needed: Vec<_> = needed.collect();
    assert!(needed.iter().any(|line| line.contains("libc.so")), "{text}");
    needed.join("\n")
}

#[test]
fn kfood_itself_needs_no_libtorch() {
    let kfood = needed(env!("CARGO_BIN_EXE_kfood"));
    assert!(
        !kfood.contains("torch") && !kfood.contains("libc10"),
        "{kfood}"
    );
}

#[test]
#[cfg(feature = "tensors")]
fn the_worker_needs_of_libtorch_what_every_machine_has() {
    let worker = needed(env!("CARGO_BIN_EXE_kfood-worker"));
    assert!(
        worker.contains("libtorch_cpu.so") && worker.contains("libc10.so"),
        "{worker}"
    );
    assert!(!worker.contains("libtorch_cuda"), "{worker}");
}

/// Its functions stand in the program's dynamic symbols, where libtorch finds them before those of libc.
#[test]
#[cfg(all(feature = "tensors", target_os = "linux", target_env = "gnu"))]
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
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn doctor_names_libtorch_and_completions_come_for_a_shell() {
    let project = Project::new();
    let doctor = project.ok(&["doctor"]).stdout;
    assert!(doctor.contains("2.11.0"), "{doctor}");
    assert!(doctor.contains("tensors.devices: device cpu, "), "{doctor}");
    assert!(
        doctor.contains("memory_left: ") && doctor.contains("B\n"),
        "{doctor}"
    );
    let built = "libtorch.found: where this program was built";
    assert!(doctor.contains(built), "{doctor}");
    assert!(
        !doctor.contains(['{', '[']) && !doctor.contains("null"),
        "{doctor}"
    );
    assert!(project.json(&["doctor"]).is_object());
    let completions = project.ok(&["completions", "bash"]).stdout;
    assert!(completions.contains("_kfood"));
}

#[test]
#[cfg(feature = "tensors")]
fn a_libtorch_of_another_version_is_refused_with_the_accepted_one_and_a_way_out() {
    let project = Project::new();
    project.write("torch/version.py", "__version__ = '2.5.1+cu121'\n");
    project.write("torch/lib/libtorch_cpu.so", "");
    let doctor = |libtorch: &str| {
        let mut command = project.command(&["doctor"]);
        let output = command.env("LIBTORCH", project.path(libtorch)).output();
        Ran::of(output.unwrap())
    };
    let other = doctor("torch");
    assert_eq!(other.code, 1, "{}", other.stderr);
    let said = "torch`, a libtorch 2.5.1+cu121, and kfood needs 2.11\nhelp: set it to the folder `torch` of a PyTorch 2.11, or unset it";
    assert!(other.stderr.contains(said), "{}", other.stderr);
    let none = doctor("nothing");
    assert_eq!(none.code, 1, "{}", none.stderr);
    assert!(
        none.stderr.contains("there is no libtorch in it"),
        "{}",
        none.stderr
    );
}

#[test]
fn completions_and_pages_of_the_manual_are_what_shells_and_man_read() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.ok(&["completions", shell]).stdout;
        assert!(script.contains("predict"), "{shell}");
        project.write(shell, &script);
    }
    project.ok(&["man", "man1"]);
    let page = project.read("man1/kfood-cache-gc.1");
    assert!(
        page.contains(".TH kfood\\-cache\\-gc 1") || page.contains(".TH kfood-cache-gc 1"),
        "{page}"
    );
    let pages = std::fs::read_dir(project.path("man1")).unwrap();
    let pages: Vec<_> = pages.map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 25, "{pages:?}");
    // Where the programs that read them are.
    let read = |program: &str, args: &[&str], files: &[std::path::PathBuf]| {
        let ran = Command::new(program).args(args).args(files).output();
        let Ok(ran) = ran else { return };
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && said.is_empty(), "{program}: {said}");
    };
    read("bash", &["-n"], &[project.path("bash")]);
    read("groff", &["-Kutf8", "-man", "-Tutf8", "-ww", "-z"], &pages);
}

#[test]
fn help_prints_pages_of_the_documentation_and_hides_no_command_and_no_kind() {
    let project = Project::new();
    let page = project.ok(&["help", "gpu"]).stdout;
    assert!(
        page.starts_with("GPU, arithmetic and speed\n====="),
        "{page}"
    );
    assert!(
        page.lines().all(|line| line.chars().count() <= 110),
        "{page}"
    );
    // The name of a command and of a page.
    let both = project.ok(&["help", "cache"]).stdout;
    let usage = both.find("Usage: kfood cache").expect("the command");
    assert!(both[usage..].contains("Lock files\n----------"), "{both}");
    let kind = project.ok(&["help", "train"]).stdout;
    assert!(
        kind.contains("batch_size") && !kind.contains("====="),
        "{kind}"
    );
    let near = project.fails(2, &["help", "trainin"]).stderr;
    assert!(near.contains("did you mean `kfood help train"), "{near}");
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
fn a_file_in_the_place_of_a_folder_to_be_made_comes_with_the_way_out() {
    let project = Project::new();
    project.write("man1", "x");
    let told = project.fails(1, &["man", "man1"]).stderr;
    assert!(
        told.contains("a file stands where a folder belongs: move it away"),
        "{told}"
    );
}
