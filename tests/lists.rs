//! Lists of photographs, class names, given and drawn parts: from a pipeline text to what is stored and told.

mod foreign;
mod left_out;
mod parts;
mod reading;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Project, Ran};

/// 김밥 as macOS spells it.
const NFD: &str = "\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}";

/// The newest output of that name in the cache.
fn stored(project: &Project, name: &str) -> Value {
    fn look(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                look(&path, name, found);
            } else if path.ends_with(name) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    look(&project.path("cache"), name, &mut found);
    found.sort_by_key(|path| path.metadata().unwrap().modified().unwrap());
    serde_json::from_slice(&fs::read(found.last().unwrap()).unwrap()).unwrap()
}

/// How many images a split gives to each place.
fn members(project: &Project) -> [usize; 3] {
    let split = stored(project, "membership.json");
    let all = split["assignments"].as_array().unwrap();
    let count = |place: &str| all.iter().filter(|a| **a == *place).count();
    ["train", "validation", "test"].map(count)
}

/// The images of a split by path and where they are.
fn places(project: &Project) -> Vec<(String, String)> {
    let images = stored(project, "images.json");
    let split = stored(project, "membership.json");
    let paths = images["paths"].as_array().unwrap().iter();
    let paths = paths.map(|path| path.as_str().unwrap().to_owned());
    let all = split["assignments"].as_array().unwrap().iter();
    paths.zip(all.map(Value::to_string)).collect()
}

/// The paths of a data set, as stored.
fn paths(project: &Project) -> Vec<String> {
    let images = stored(project, "images.json");
    let paths = images["paths"].as_array().unwrap().iter();
    paths
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

/// A project with a list and the pictures that it may name: `a/0.png` to `a/3.png`, `b/0.png` to `b/3.png`.
fn with_list(list: &[u8]) -> (Project, Ran) {
    let project = Project::new();
    project.dishes("data", &["a", "b"], 4);
    fs::write(project.path("data/list.csv"), list).unwrap();
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\nmanifest = \"data/list.csv\"\n",
    );
    let ran = project.kfood(&["run", "pipelines/p.toml"]);
    (project, ran)
}

#[track_caller]
fn listed(list: &[u8]) -> (Vec<String>, Ran) {
    let (project, ran) = with_list(list);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (paths(&project), ran)
}

#[track_caller]
fn refused(list: &[u8], words: &[&str]) -> Ran {
    let (_, ran) = with_list(list);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    told(&ran, words);
    ran
}

#[track_caller]
fn told(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "{word}\n{}", ran.stderr);
    }
}

const NET: &str =
    "arch = \"resnet18\"\nepochs = 1\nbatch_size = 8\noptimizer.adam = { lr = 0.001 }\n";
