//! Files that are named as models by mistake, and weights that nothing can be computed with: from a command to what is told.

use std::fs;

use kfood::{
    model::{Network, StateDict, TensorData, safetensors},
    settings::Arch,
};
use tch::Device;

use crate::support::Project;

fn network() -> StateDict {
    Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state()
}

/// A network of which one value of a tensor is another.
fn with(project: &Project, tensor: &str, value: f32) {
    let mut state = network();
    let old = state.get(tensor).unwrap();
    let mut values = old.to_f32();
    values[1] = value;
    let new = TensorData::f32(old.shape.clone(), &values).unwrap();
    state.insert(tensor, new);
    safetensors::write(&project.path("w.safetensors"), &state, None).unwrap();
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

/// A transfer from a file.
fn transfer(model: &str) -> String {
    format!(
        "[dataset.d]\ntrain = \"data/train\"\n\n[split.s]\ndataset = \"d\"\nvalidation = 0.2\n\n\
         [preprocess.p]\ndataset = \"d\"\nresize = {{ width = 32, height = 32 }}\n\n\
         [transfer.t]\nmodel = \"{model}\"\nnormalize = \"imagenet\"\ndata = \"p\"\nsplit = \"s\"\nepochs = 1\n\
         batch_size = 8\noptimizer.sgd = {{ lr = 0.01 }}\ntrain_layers = \"head\"\n"
    )
}

#[test]
fn weights_of_a_training_that_diverged_are_told_and_not_used() {
    let project = Project::with_dishes();
    project.picture("x.png", 0, 0);
    project.write("pipelines/p.toml", &transfer("w.safetensors"));
    for (tensor, value, told) in [
        (
            "layer1.0.conv1.weight",
            f32::NAN,
            "of the values of `layer1.0.conv1.weight` 1 of 36,864 is no number (NaN)",
        ),
        (
            "bn1.running_var",
            -1.0,
            "of the values of `bn1.running_var` 1 of 64 is below 0, and it is a variance",
        ),
    ] {
        with(&project, tensor, value);
        for command in [
            &["export", "w.safetensors", "w.pt"][..],
            &["predict", "--model", "w.safetensors", "x.png"],
            &["run", "pipelines/p.toml"],
        ] {
            has(&project.fails(1, command).stderr, &[told, "diverged"]);
        }
    }
    // A head that is replaced may be anything.
    with(&project, "fc.bias", f32::NAN);
    project.ok(&["run", "pipelines/p.toml"]);
    has(
        &project
            .fails(1, &["export", "w.safetensors", "w.pt"])
            .stderr,
        &["`fc.bias` 1 of 3"],
    );
}

#[test]
fn what_is_no_model_file_is_called_what_it_is() {
    let project = Project::with_dishes();
    project.picture("x.png", 0, 0);
    safetensors::write(&project.path("w.safetensors"), &network(), None).unwrap();
    project.ok(&["export", "w.safetensors", "w.onnx", "--raw"]);
    let onnx = [
        "it is ONNX, which kfood writes and does not read",
        "that it was exported from",
    ];
    has(
        &project
            .fails(1, &["predict", "--model", "w.onnx", "x.png"])
            .stderr,
        &onnx,
    );
    project.write("pipelines/p.toml", &transfer("w.onnx"));
    has(
        &project.fails(1, &["run", "pipelines/p.toml"]).stderr,
        &onnx,
    );

    let whole = fs::read(project.path("w.safetensors")).unwrap();
    fs::write(project.path("cut.safetensors"), &whole[..whole.len() / 2]).unwrap();
    let told = project
        .fails(1, &["export", "cut.safetensors", "w.pt"])
        .stderr;
    has(
        &told,
        &["bytes, and its tensors need", "copy or download it again"],
    );
    project.ok(&["export", "w.safetensors", "w.pt"]);
    let whole = fs::read(project.path("w.pt")).unwrap();
    fs::write(project.path("cut.pt"), &whole[..whole.len() / 2]).unwrap();
    let told = project.fails(1, &["export", "cut.pt", "other.pt"]).stderr;
    has(&told, &["most likely cut off", "copy or download it again"]);

    fs::create_dir(project.path("folder.pt")).unwrap();
    let told = project
        .fails(2, &["predict", "--model", "folder.pt", "x.png"])
        .stderr;
    has(&told, &["`folder.pt` is a folder, expected a model file"]);
    project.write("pipelines/p.toml", &transfer("folder.pt"));
    let told = project.fails(2, &["run", "pipelines/p.toml"]).stderr;
    has(
        &told,
        &["is a folder, expected a model file", "p.toml:13:9"],
    );
}

#[test]
fn a_folder_for_timm_predicts_as_what_it_was_exported_from() {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", &transfer("w.safetensors"));
    safetensors::write(&project.path("w.safetensors"), &network(), None).unwrap();
    project.ok(&["run", "pipelines/p.toml"]);
    project.ok(&["export", "pipelines/p.toml:t", "food", "--format", "timm"]);
    let told = project
        .fails(2, &["predict", "--model", "food", "data/test"])
        .stderr;
    has(
        &told,
        &[
            "`food` is a folder",
            "name the file in it: `food/model.safetensors`",
        ],
    );
    let predict = |model| project.ok(&["predict", "--model", model, "data/test", "--json"]);
    let there = predict("food/model.safetensors");
    assert_eq!(there.stdout, predict("pipelines/p.toml:t").stdout);
    assert!(!there.stderr.contains("does not say"), "{}", there.stderr);
}

#[test]
fn a_folder_of_a_model_says_which_file_is_meant_or_how_one_is_made() {
    let project = Project::with_dishes();
    project.picture("x.png", 0, 0);
    for (inside, words) in [
        (
            "pytorch_model.bin",
            &["name the file in it: `", "m/pytorch_model.bin`"][..],
        ),
        ("saved_model.pb", &["is a SavedModel of TensorFlow"]),
        (".metadata", &["of torch.distributed", "dcp_to_torch"]),
        ("zero_to_fp32.py", &["of DeepSpeed", "m/zero_to_fp32.py"]),
        ("model.safetensors.index.json", &["in several pieces"]),
        ("x", &["name a file in it"]),
    ] {
        project.write(&format!("m/{inside}"), "x");
        let predict = ["predict", "--model", "m", "x.png"];
        has(&project.fails(2, &predict).stderr, words);
        project.write("pipelines/p.toml", &transfer("./m"));
        let told = project.fails(2, &["run", "pipelines/p.toml"]).stderr;
        has(&told, words);
        fs::remove_dir_all(project.path("m")).unwrap();
    }
}

#[test]
fn a_list_of_class_names_has_one_on_each_line() {
    let project = Project::with_dishes();
    project.picture("x.png", 0, 0);
    let tensors = network()
        .iter()
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
        .collect();
    safetensors::write(&project.path("w.safetensors"), &tensors, None).unwrap();
    let predict = [
        "predict",
        "--model",
        "w.safetensors",
        "--classes",
        "names.txt",
        "x.png",
    ];
    for (names, line) in [("a\n\nb\n", 2), ("\na\nb\n", 1), ("a\n\u{200b}\nb\n", 2)] {
        project.write("names.txt", names);
        let told = project.fails(2, &predict).stderr;
        has(
            &told,
            &[&format!("line {line} of `names.txt` names no class")],
        );
    }
    project.write("names.txt", "a\nb\nb\n");
    has(
        &project.ok(&predict).stderr,
        &["lines 2 and 3 of `names.txt` both name `b`"],
    );
}
