//! Model files that others wrote: wrapped, in pairs, without a head, in half precision, and those that lie.

use half::f16;
use kfood::{
    model::{DType, ResNet, StateDict, TensorData, load, pytorch, safetensors},
    settings::Arch,
};
use tch::Device;

use crate::support::Project;

const OUT: &str = "out.safetensors";

fn network() -> StateDict {
    ResNet::new(Arch::Resnet18, 3, 1, Device::Cpu).state()
}

/// Every name behind a prefix.
fn behind(prefix: &str, state: &StateDict) -> Vec<(String, TensorData)> {
    let all = state.iter();
    all.map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone()))
        .collect()
}

fn file(project: &Project, name: &str, tensors: Vec<(String, TensorData)>) {
    let path = project.path(name);
    let state = tensors.into_iter().collect();
    if name.ends_with(".safetensors") {
        safetensors::write(&path, &state, None).unwrap();
    } else {
        pytorch::write(&path, &state, None).unwrap();
    }
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn a_network_is_found_behind_any_prefix_in_both_formats_and_the_rest_is_told() {
    let project = Project::new();
    let state = network();
    for (prefix, name, beside) in [
        ("model.", "lightning.ckpt", "criterion.weight"),
        ("module._orig_mod.", "compiled.safetensors", "n_averaged"),
    ] {
        let mut tensors = behind(prefix, &state);
        tensors.push((beside.to_owned(), TensorData::i64_scalar(7)));
        file(&project, name, tensors);
        let told = project.ok(&["export", name, OUT]).stderr;
        has(
            &told,
            &[&format!("`{}`", prefix.trim_end_matches('.')), beside],
        );
        assert!(load(&project.path(OUT)).unwrap().state == state, "{name}");
    }
}

#[test]
fn of_two_sets_of_weights_one_has_to_be_chosen() {
    let project = Project::new();
    let state = network();
    let average = ResNet::new(Arch::Resnet18, 3, 2, Device::Cpu).state();
    let mut both = behind("student.", &state);
    both.extend(behind("teacher.", &average));
    file(&project, "two.pt", both);
    let told = project.fails(2, &["export", "two.pt", OUT]).stderr;
    has(
        &told,
        &[
            "2 sets of weights: `student`, `teacher`",
            "--weights teacher",
        ],
    );
    assert!(!project.path(OUT).exists());
    project.ok(&["export", "two.pt", OUT, "--weights", "teacher"]);
    assert!(load(&project.path(OUT)).unwrap().state == average);
    let told = project
        .fails(2, &["export", "two.pt", OUT, "--weights", "ema"])
        .stderr;
    has(&told, &["no weights named `ema`", "`student`, `teacher`"]);
}

#[test]
fn halves_of_everything_are_read_and_a_count_that_is_none_is_refused() {
    let project = Project::new();
    let state = network();
    let halved = |(name, tensor): (String, TensorData)| {
        let values = tensor.to_f32().into_iter().map(f16::from_f32);
        let bytes = values.flat_map(|v| v.to_le_bytes()).collect();
        (
            name,
            TensorData::new(DType::F16, tensor.shape, bytes).unwrap(),
        )
    };
    let all = behind("", &state).into_iter().map(halved).collect();
    file(&project, "half.pt", all);
    project.ok(&["export", "half.pt", OUT]);
    let read = load(&project.path(OUT)).unwrap().state;
    let count = read.get("bn1.num_batches_tracked").unwrap();
    assert_eq!((count.dtype, count.as_i64()), (DType::I64, Some(0)));

    let mut odd = state;
    odd.insert("bn1.num_batches_tracked", TensorData::i64_scalar(i64::MAX));
    file(&project, "odd.safetensors", behind("", &odd));
    let told = project
        .fails(1, &["export", "odd.safetensors", "never.pt"])
        .stderr;
    has(&told, &["`bn1.num_batches_tracked` is 9223372036854775807"]);
}

#[test]
fn a_transfer_takes_a_network_with_another_head_or_none_and_others_say_that_it_is_missing() {
    let project = Project::with_dishes();
    let mut tensors = behind("backbone.", &network());
    tensors.retain(|(name, _)| !name.contains(".fc."));
    let other = TensorData::f32(vec![2, 512], &[0.0; 1024]).unwrap();
    tensors.push(("head.fc.weight".to_owned(), other));
    file(&project, "headless.pth.tar", tensors);
    let told = project
        .fails(2, &["export", "headless.pth.tar", OUT])
        .stderr;
    has(
        &told,
        &["head", "of another kind: `head.fc.weight`", "`transfer`"],
    );
    project.write(
        "pipelines/p.toml",
        "[dataset.d]\ntrain = \"data/train\"\n\n[split.s]\ndataset = \"d\"\nvalidation = 0.2\n\n\
         [preprocess.p]\ndataset = \"d\"\nresize = { width = 32, height = 32 }\n\n\
         [transfer.t]\nmodel = { file = \"headless.pth.tar\", weights = \"backbone\" }\nnormalize = \"imagenet\"\n\
         data = \"p\"\nsplit = \"s\"\nepochs = 1\nbatch_size = 8\noptimizer.sgd = { lr = 0.01 }\ntrain_layers = \"head\"\n",
    );
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    has(
        &(ran.stdout + &ran.stderr),
        &["a new one is made", "`backbone`"],
    );
}

#[test]
fn an_exported_file_predicts_under_any_name_and_a_foreign_one_with_numbers_or_given_names() {
    let project = Project::new();
    project.picture("x.png", 0, 0);
    file(&project, "foreign.pt", behind("", &network()));
    let ran = project.ok(&[
        "predict",
        "--model",
        "foreign.pt",
        "x.png",
        "--device",
        "cpu",
    ]);
    has(&ran.stderr, &["does not say", "--classes"]);
    has(&ran.stdout, &["2 "]);
    project.write("names.txt", "김밥\n냉면\n비빔밥\n");
    let ran = project.ok(&[
        "predict",
        "--model",
        "foreign.pt",
        "--classes",
        "names.txt",
        "x.png",
        "--device",
        "cpu",
    ]);
    has(&ran.stdout, &["냉면"]);
    project.write("names.txt", "김밥\n냉면\n");
    let told = project.fails(
        2,
        &[
            "predict",
            "--model",
            "foreign.pt",
            "--classes",
            "names.txt",
            "x.png",
        ],
    );
    has(&told.stderr, &["2 class names", "3 outputs"]);
}

#[test]
fn a_failed_export_keeps_the_file_that_was_there() {
    let project = Project::new();
    project
        .write("old.pt", "precious")
        .write("bad.pt", "no model");
    project.fails(1, &["export", "bad.pt", "old.pt"]);
    assert_eq!(project.read("old.pt"), "precious");
}
