//! Networks that are no ResNets, the way a user goes: trained, interrupted, transferred, averaged, exported, used.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use kfood::{
    config,
    model::{self, StateDict},
};

use super::support::Project;

const FILE: &str = "pipelines/p.toml";

/// A network on pictures of 32 x 32, and what follows from it.
fn pipeline(arch: &str) -> String {
    format!(
        r#"
seed = 5

[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.25

[preprocess.pixels]
dataset = "dishes"
resize = {{ width = 32, height = 32 }}

[train.net]
data = "pixels"
split = "holdout"
arch = "{arch}"
stochastic_depth = 0.5
epochs = 3
batch_size = 8
keep_last = 2
optimizer.adamw = {{ lr = 0.001 }}
norm_weight_decay = 0.0
precision = "f32"
save = {{ every = "1s" }}

[average.mean]
from = ["net"]
checkpoint = "kept"

[transfer.head]
model = "net"
data = "pixels"
split = "holdout"
train_layers = "head"
epochs = 1
batch_size = 8
optimizer.sgd = {{ lr = 0.1 }}
precision = "f32"

[evaluate.judged]
model = "mean"
on = ["test"]
"#
    )
}

fn project(text: &str) -> Project {
    let project = Project::with_dishes();
    project.write(FILE, text);
    project
}

/// Files of this name below a folder.
fn files_named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_named(&path, name));
        } else if path.file_name().is_some_and(|n| n == name) {
            found.push(path);
        }
    }
    found
}

/// The weights of a stage's model, as a file of the other kind has them.
fn exported(project: &Project, stage: &str, to: &str) -> StateDict {
    project.ok(&["export", &format!("{FILE}:{stage}"), to]);
    model::load(&project.path(to)).unwrap().state
}

fn goes_all_the_way(arch: &str, head: &str) {
    let whole = project(&pipeline(arch));
    let run = whole.ok(&["run", FILE]);
    assert!(run.stdout.contains("average of 2"), "{}", run.stdout);
    whole.ok(&["cache", "verify"]);

    // What a step drops must not depend on where a training was interrupted.
    let broken = project(&pipeline(arch));
    let mut run = broken.start(&["run", FILE, "net"]);
    while files_named(&broken.path("cache"), "state.json").is_empty() {
        assert!(
            run.try_wait().unwrap().is_none(),
            "it ended before it was interrupted"
        );
        sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    broken.ok(&["run", FILE, "net"]);
    let net = exported(&whole, "net", "net.pt");
    assert!(net == exported(&broken, "net", "net.safetensors"), "{arch}");

    let moved = exported(&whole, "head", "head.safetensors");
    for (name, tensor) in net.iter() {
        let kept = moved.get(name) == Some(tensor);
        assert_eq!(kept, !name.starts_with(head), "{arch} {name}");
    }

    let mean = exported(&whole, "mean", "mean.safetensors");
    let counted = |(name, _): &(&str, _)| name.ends_with("running_var");
    for (name, _) in mean.iter().filter(counted) {
        // Taken anew, not averaged.
        assert_ne!(mean.get(name), net.get(name), "{arch} {name}");
    }

    let photo = "data/test/김밥/000.png";
    let [ours, theirs] = ["net.pt", "net.safetensors"].map(|file| {
        let project = if file == "net.pt" { &whole } else { &broken };
        let told = project.json(&["predict", "--model", file, photo]);
        told[0]["guesses"].to_string()
    });
    assert_eq!(ours, theirs);
    assert!(ours.contains("김밥"), "{ours}");
}

#[test]
fn a_convnext_is_trained_interrupted_transferred_averaged_exported_and_used() {
    goes_all_the_way("convnext_tiny", "classifier");
}

#[test]
fn an_efficientnet_is_trained_interrupted_transferred_averaged_exported_and_used() {
    goes_all_the_way("efficientnet_b0", "classifier");
}

/// The mistakes of a pipeline text: place and message.
fn mistakes(text: &str) -> String {
    let project = project(text);
    match config::load_with(&project.path(FILE), &|_| None) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.render(),
    }
}

#[test]
fn a_setting_that_a_network_has_not_is_told_where_it_stands() {
    let told = mistakes(&pipeline("resnet18"));
    assert!(
        told.contains("`stochastic_depth` of a `resnet18`, which has no such setting")
            && told.contains("it is one of `convnext_tiny` or `efficientnet_b0`")
            && told.contains("| stochastic_depth = 0.5"),
        "{told}"
    );
    let residual =
        pipeline("efficientnet_b0").replace("keep_last", "zero_init_residual = true\nkeep_last");
    let told = mistakes(&residual);
    assert!(
        told.contains("`zero_init_residual` of an `efficientnet_b0`"),
        "{told}"
    );
    // The network of a source counts as well.
    let dropped = pipeline("convnext_tiny").replace("train_layers", "dropout = 0.5\ntrain_layers");
    let told = mistakes(&dropped);
    assert!(told.contains("`dropout` of a `convnext_tiny`"), "{told}");
}

#[test]
fn a_layer_that_a_network_has_not_is_told_where_it_stands() {
    let from = |layer: &str| {
        let layers = format!("train_layers = {{ from = \"{layer}\" }}");
        pipeline("convnext_tiny").replace("train_layers = \"head\"", &layers)
    };
    assert_eq!(mistakes(&from("features.4")), "");
    let told = mistakes(&from("layer3"));
    assert!(
        told.contains("a `convnext_tiny` has no layer `layer3`")
            && told.contains("`features.0`, `features.1`, `features.2`, `features.4`, `features.6` or `classifier`"),
        "{told}"
    );
}

#[test]
fn images_that_are_too_small_for_a_network_are_told_before_it_is_trained() {
    let small = pipeline("convnext_tiny").replace("width = 32", "width = 24");
    let told = mistakes(&small);
    assert!(told.contains("a side of 24 pixels"), "{told}");
    assert!(told.contains("32 x 32 pixels or more"), "{told}");
    assert_eq!(
        mistakes(&small.replace("convnext_tiny", "efficientnet_b0")),
        ""
    );
}
