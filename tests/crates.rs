//! The crates that kfood is built on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

/// The version stands in `build.rs`; the wheel and its package name it to pip, who wants it written out.
#[test]
fn python_is_asked_for_the_libtorch_that_is_built_for() {
    let wanted = env!("KFOOD_LIBTORCH").rsplit_once('.').unwrap().0;
    for file in ["pyproject.toml", "src/python/kfood/_load.py"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(path).unwrap();
        let asked = format!("\"torch=={wanted}.*\"");
        assert!(text.contains(&asked), "{file} has no {asked}");
        assert_eq!(text.matches("torch==").count(), 1, "{file}");
    }
}

#[test]
fn kfood_is_measured_against_the_torch_that_it_is_built_for() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/requirements.txt");
    let text = fs::read_to_string(path).unwrap();
    let asked = concat!("torch==", env!("KFOOD_LIBTORCH"));
    assert!(text.lines().any(|line| line == asked), "no {asked}");
}

/// Otherwise `cargo build` after `cargo test` compiles those crates, and all that is built on them, a second time.
#[test]
fn programs_ask_as_much_of_their_crates_as_the_tests_do() {
    let features = |edges: &str| {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--prefix", "none", "--no-dedupe"])
            .args(["--edges", edges, "--format", "{p}\t{f}"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(tree.status.success(), "{tree:?}");
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in String::from_utf8(tree.stdout).unwrap().lines() {
            let (package, asked) = line.split_once('\t').unwrap();
            let asked = asked.split(',').map(str::to_owned);
            found.entry(package.to_owned()).or_default().extend(asked);
        }
        found
    };
    let (programs, tests) = (features("normal,build"), features("normal,build,dev"));
    assert!(programs.len() > 200, "{}", programs.len());
    for (package, asked) in programs {
        let more: Vec<_> = tests[&package].difference(&asked).collect();
        assert!(more.is_empty(), "{package}: tests ask for {more:?} too");
    }
}
