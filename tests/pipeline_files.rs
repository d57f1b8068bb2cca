//! Pipeline files: what they stand for, and what a mistake in one looks like.

mod any_text;
mod committed;
mod files;
mod meaning;
mod references;
mod values;
mod words;

use kfood::config::{self, Instance, Pipeline};

const COMMITTED: [&str; 7] = [
    "pipelines/mission1.toml",
    "pipelines/mission2.toml",
    "pipelines/mission3.toml",
    "pipelines/quickstart.toml",
    "pipelines/korean/mission1.toml",
    "pipelines/korean/mission2.toml",
    "pipelines/korean/mission3.toml",
];

/// Five stages that most tests begin with: 13 lines.
pub(super) const HEAD: &str = r#"seed = 7
[dataset.dishes]
train = "data/train"
test = "data/test"
[preprocess.pixels]
dataset = "dishes"
resize = { width = 64, height = 64 }
[split.holdout]
dataset = "dishes"
[split.five]
dataset = "dishes"
folds = 5

"#;

/// A training, line 14 on.
const NET: &str = r#"[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 3
optimizer.sgd = { lr = 0.1 }
"#;

fn variables(name: &str) -> Option<String> {
    let set = ["SET", "KFOOD_REAL_DATA"].contains(&name);
    set.then(|| "/set".to_owned())
}

/// Loads the first of some files, written to a fresh folder. Mistakes as text, the folder left out.
fn load_files(files: &[(&str, &str)]) -> Result<Pipeline, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let here = folder.path().canonicalize().unwrap();
    config::load_with(&here.join(files[0].0), &variables)
        .map_err(|m| m.render().replace(&format!("{}/", here.display()), ""))
}

fn load(text: &str) -> Result<Pipeline, String> {
    load_files(&[("p.toml", text)])
}

/// A pipeline without mistakes.
#[track_caller]
pub(super) fn good(text: &str) -> Pipeline {
    load(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The text of the mistakes.
#[track_caller]
fn mistakes(text: &str) -> String {
    load(text).expect_err("a mistake")
}

/// The first lines of the mistakes, "LINE:COLUMN MESSAGE" each.
#[track_caller]
pub(super) fn told(text: &str) -> Vec<String> {
    rows(&mistakes(text))
}

fn rows(rendered: &str) -> Vec<String> {
    let lines: Vec<_> = rendered.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| {
        let message = pair[0].strip_prefix("error: ")?;
        let place = pair[1].trim().strip_prefix("--> ")?.split_once(':')?.1;
        Some(format!("{place} {message}"))
    });
    pairs.collect()
}

fn ids(pipeline: &Pipeline) -> Vec<&str> {
    pipeline.instances.iter().map(|i| i.id.as_str()).collect()
}

#[track_caller]
pub(super) fn instance<'a>(pipeline: &'a Pipeline, id: &str) -> &'a Instance {
    let found = pipeline.instances.iter().find(|i| i.id == id);
    found.unwrap_or_else(|| panic!("no `{id}` in {:?}", ids(pipeline)))
}

fn net(more: &str) -> String {
    format!("{HEAD}{NET}{more}")
}

fn changed(from: &str, to: &str) -> String {
    let text = net("");
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}
