//! Published weights by name, and heads whose rows are carried over by the name of the class.

mod published;

use std::fs;

use kfood::{
    config::{ModelSource, Settings},
    model::{Network, StateDict, TensorData, pytorch},
    settings::{Arch, Normalize},
};
use serde_json::{Value, json};
use tch::Device;

use crate::support::{Project, Ran, asked};

const FILE: &str = "pipelines/p.toml";
const V2: &str = "torchvision/resnet50.IMAGENET1K_V2";

/// A transfer from this model, with more lines.
fn transfer(model: &str, more: &str) -> String {
    format!(
        r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[preprocess.pixels]
dataset = "dishes"
resize = {{ width = 32, height = 32 }}

[split.holdout]
dataset = "dishes"

[transfer.net]
model = "{model}"
data = "pixels"
split = "holdout"
epochs = 1
batch_size = 8
optimizer.adam = {{ lr = 0.001 }}
{more}
"#
    )
}

/// Runs the program where torch's folder is one of the project's.
fn ran(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command(args);
    Ran::of(
        command
            .env("TORCH_HOME", project.path("torch"))
            .output()
            .unwrap(),
    )
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn weights_bring_their_normalisation_and_lie_where_torch_or_the_project_keeps_them() {
    let Settings::Transfer(settings) = asked(&transfer(V2, ""), "net") else {
        panic!("no transfer");
    };
    assert!(settings.keep_normalize);
    let ModelSource::File {
        path,
        normalize,
        pretrained,
        ..
    } = settings.model
    else {
        panic!("no file");
    };
    assert_eq!(normalize, Some(Normalize::Imagenet));
    assert_eq!(pretrained.map(|weights| weights.name), Some(V2));
    assert!(
        path.path.ends_with("weights/resnet50-11ad3fa6.pth"),
        "{:?}",
        path.path
    );

    let project = Project::with_dishes();
    project.write(FILE, &transfer(V2, ""));
    let lacks = ran(&project, &["run", FILE, "net"]);
    assert_eq!(lacks.code, 2, "{}", lacks.stderr);
    has(
        &lacks.stderr,
        &[
            "torch/hub/checkpoints/resnet50-11ad3fa6.pth",
            "`kfood fetch torchvision/resnet50.IMAGENET1K_V2`",
            "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
            FILE,
        ],
    );
    has(&ran(&project, &["check", FILE]).stdout, &["not there", V2]);
}

#[test]
fn a_name_that_is_not_quite_one_is_told_with_those_that_are() {
    let project = Project::with_dishes();
    for (name, told) in [
        (
            "torchvision/resnet50",
            "name them: `torchvision/resnet50.IMAGENET1K_V1`, `torchvision/resnet50.IMAGENET1K_V2`",
        ),
        (
            "torchvision/resnet50.IMAGENET1K_V22",
            "did you mean `torchvision/resnet50.IMAGENET1K_V2`?",
        ),
        (
            "torchvision/vit_b_16.IMAGENET1K_V1",
            "kfood has no network `vit_b_16`",
        ),
        (
            "timm/vit_base_patch16_224.augreg_in21k",
            "it has `resnet18`, `resnet34`, `resnet50`, `resnet101`, `resnet152`, `convnext_tiny`, `efficientnet_b0`",
        ),
        (
            "timm/convnext_tiny.fb_in1k",
            "download https://huggingface.co/timm/convnext_tiny.fb_in1k/resolve/main/model.safetensors",
        ),
    ] {
        project.write(FILE, &transfer(name, ""));
        let ran = project.fails(2, &["check", FILE]);
        has(&ran.stderr, &[told, &format!("{FILE}:14:9")]);
        has(&project.fails(2, &["fetch", name]).stderr, &[told]);
        assert!(!told.contains("vit") || !ran.stderr.contains("did you mean"));
    }
    has(
        &project.ok(&["fetch"]).stdout,
        &[V2, "timm/resnet50.a1_in1k", "timm/efficientnet_b0.ra_in1k"],
    );
}

#[test]
fn a_file_that_is_named_as_weights_and_is_another_is_refused() {
    let project = Project::with_dishes();
    let state = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    let file = "weights/resnet18-f37072fd.pth";
    project.write(file, "");
    pytorch::write(&project.path(file), &state, None).unwrap();
    project.write(FILE, &transfer("torchvision/resnet18.IMAGENET1K_V1", ""));
    let refused = project.fails(1, &["run", FILE, "net"]);
    has(
        &refused.stderr,
        &[
            "is not what it is named for",
            "instead of `f37072fd`",
            "kfood fetch",
        ],
    );
    let there = project.fails(1, &["fetch", "torchvision/resnet18", "--into", "weights"]);
    has(
        &there.stderr,
        &[
            "is not what it is named for",
            "remove `weights/resnet18-f37072fd.pth`",
        ],
    );
    // Somebody's own file of that name, with its normalisation, is taken as any file is.
    project.write(FILE, &transfer(file, "normalize = \"imagenet\""));
    let taken = project.ok(&["run", FILE, "net"]);
    has(
        &taken.stderr,
        &[
            "120 tensors of a `resnet18` are taken over; its head of 3 classes is replaced by one of 3",
        ],
    );
}

#[test]
fn rows_of_classes_of_the_same_name_are_carried_over() {
    let project = Project::with_dishes();
    project.dishes("small/train", &["김밥", "잡채"], 8);
    let text = transfer("source", "head = \"by_name\"\n")
        .replace("[dataset.dishes]", "[dataset.small]\ntrain = \"small/train\"\n\n[preprocess.small_pixels]\ndataset = \"small\"\nresize = { width = 32, height = 32 }\n\n[split.small_holdout]\ndataset = \"small\"\n\n[dataset.dishes]")
        .replace("[transfer.net]", "[train.source]\ndata = \"pixels\"\nsplit = \"holdout\"\narch = \"resnet18\"\nepochs = 1\nbatch_size = 8\noptimizer.adam = { lr = 0.001 }\n\n[transfer.net]")
        .replace("model = \"source\"\ndata = \"pixels\"\nsplit = \"holdout\"", "model = \"source\"\ndata = \"small_pixels\"\nsplit = \"small_holdout\"");
    project.write(FILE, &text);
    let ran = project.ok(&["run", FILE, "net"]);
    has(
        &ran.stderr,
        &["the rows of 1 class of the same name are carried over: `김밥`"],
    );
    let found: Value =
        serde_json::from_str(&fs::read_to_string(written(&project, "source.json")).unwrap())
            .unwrap();
    assert_eq!(found["carried"], json!(["김밥"]));
    assert_eq!(
        (&found["taken"], &found["source_classes"], &found["classes"]),
        (&json!(120), &json!(3), &json!(2))
    );
    assert_eq!(found["new"], json!(["fc.weight", "fc.bias"]));
}

/// The one file of this name in the cache.
pub(super) fn written(project: &Project, name: &str) -> std::path::PathBuf {
    let mut folders = vec![project.path("cache/entries")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with(name) {
                return path;
            }
        }
    }
    panic!("no {name}");
}

#[test]
fn a_head_by_name_begins_with_the_rows_of_the_source_and_the_rest_as_a_new_one_does() {
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let source = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    let (of_source, classes) = (names(&["a", "b", "c"]), names(&["b", "d"]));
    let network = || Network::new(Arch::Resnet18, 3, 5, Device::Cpu);
    let (mut carried, mut anew) = (network(), network());
    let named = carried
        .replace_head_by_name(&classes, &source, &of_source, 7)
        .unwrap();
    assert_eq!(named, ["b"]);
    anew.replace_head(2, 7);
    let row = |state: &StateDict, name: &str, row: usize| {
        state.get(name).unwrap().select_rows(&[row]).unwrap()
    };
    for name in ["fc.weight", "fc.bias"] {
        assert_eq!(row(&carried.state(), name, 0), row(&source, name, 1));
        assert_eq!(row(&carried.state(), name, 1), row(&anew.state(), name, 1));
    }
}

#[test]
fn a_source_that_names_no_classes_or_sees_other_channels_is_told() {
    let project = Project::with_dishes();
    let state = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    project.write("models/x.pt", "");
    pytorch::write(&project.path("models/x.pt"), &state, None).unwrap();
    project.write(
        FILE,
        &transfer("models/x.pt", "normalize = \"none\"\nhead = \"by_name\""),
    );
    has(
        &project.fails(2, &["run", FILE, "net"]).stderr,
        &["does not say which classes it tells apart"],
    );
    let mut grey = state;
    grey.insert(
        "conv1.weight",
        TensorData::f32(vec![64, 1, 7, 7], &vec![0.0; 64 * 49]).unwrap(),
    );
    pytorch::write(&project.path("models/grey.pt"), &grey, None).unwrap();
    let told = project.kfood(&["export", "models/grey.pt", "out.safetensors"]);
    has(
        &told.stderr,
        &["`conv1.weight` is for images of 1 channel, and photographs have 3"],
    );
}
