//! One cache for a team: what one computes, others fetch, and nothing that is lost or damaged on the way reaches a result.

mod azure;
mod clearing;
mod damage;
mod gcs;
mod object_store;
mod proxy;
mod server;
mod sharing;
mod store;
mod xml_api;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

use crate::support::Project;

const FILE: &str = "pipelines/dishes.toml";

/// Without tensors: all of it takes a moment.
const DISHES: &str = r#"
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
"#;

fn dishes() -> Project {
    let project = Project::with_dishes();
    project.write(FILE, DISHES);
    project
}

/// A project that has run everything, and a folder that it has pushed it into.
fn pushed() -> (Project, tempfile::TempDir, String) {
    let project = dishes();
    let remote = tempfile::tempdir().unwrap();
    let place = remote.path().join("team").to_str().unwrap().to_owned();
    project.ok(&["run", FILE]);
    project.ok(&["cache", "push", &place, FILE]);
    (project, remote, place)
}

/// The digest of each output of each stage in the JSON of a run.
fn outputs(run: &serde_json::Value) -> BTreeMap<String, serde_json::Value> {
    let stages = run["stages"].as_array().unwrap().iter();
    let of = |s: &serde_json::Value| (s["id"].as_str().unwrap().to_owned(), s["outputs"].clone());
    stages.map(of).collect()
}

/// How many stages of a run ended so.
fn how_many(run: &serde_json::Value, outcome: &str) -> usize {
    let stages = run["stages"].as_array().unwrap().iter();
    stages.filter(|s| s["outcome"] == outcome).count()
}

/// The files below a folder by their path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let found = WalkDir::new(folder).into_iter().map(Result::unwrap);
    let found = found.filter(|entry| entry.file_type().is_file());
    found
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap().to_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The warnings of a run, but for that of the sample itself, whose test images are copies of others.
fn warnings(said: &str) -> Vec<&str> {
    let told = |line: &&str| line.contains("warning") && !line.contains("byte for byte");
    said.lines().filter(told).collect()
}
