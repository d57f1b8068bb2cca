//! Model files that others wrote: wrapped, in pairs, without a head, in half precision, and those that lie.

use std::{
    fs,
    io::{Cursor, Read, Write},
};

use half::f16;
use kfood::{
    model::{DType, Network, StateDict, TensorData, load, pytorch, safetensors},
    settings::Arch,
};
use serde_json::{Value, json};
use tch::Device;

use crate::{pretrained::written, support::Project};

const OUT: &str = "out.safetensors";

fn network() -> StateDict {
    Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state()
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
    let average = Network::new(Arch::Resnet18, 3, 2, Device::Cpu).state();
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

/// The tensor in half precision.
fn half(tensor: TensorData) -> TensorData {
    let values = tensor.to_f32().into_iter().map(f16::from_f32);
    let bytes = values.flat_map(|v| v.to_le_bytes()).collect();
    TensorData::new(DType::F16, tensor.shape, bytes).unwrap()
}

#[test]
fn halves_of_everything_are_read_and_a_count_that_is_none_is_refused() {
    let project = Project::new();
    let state = network();
    let halved = behind("", &state).into_iter();
    let all = halved.map(|(name, tensor)| (name, half(tensor))).collect();
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
    let ran = transferred(
        &project,
        "{ file = \"headless.pth.tar\", weights = \"backbone\" }",
    );
    has(&ran, &["a new one is made", "`backbone`"]);
}

#[test]
fn a_transfer_says_what_it_left_over_and_what_has_another_shape() {
    let project = Project::with_dishes();
    let mut tensors = behind("model.", &network());
    for (name, tensor) in &mut tensors {
        if name == "model.bn1.num_batches_tracked" {
            *tensor = TensorData::new(DType::I64, vec![1], vec![0; 8]).unwrap();
        }
    }
    tensors.push(("criterion.weight".to_owned(), TensorData::i64_scalar(7)));
    file(&project, "lightning.ckpt", tensors);
    let told = transferred(&project, "\"lightning.ckpt\"");
    has(
        &told,
        &[
            "1 tensor in another shape: `bn1.num_batches_tracked`",
            "criterion.weight",
        ],
    );
    let record = fs::read_to_string(written(&project, "source.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["left_over"], json!(["criterion.weight"]));
    assert_eq!(record["reshaped"], json!(["bn1.num_batches_tracked"]));
    assert_eq!(record["taken"], 120);
}

/// What a run says that transfers this model.
fn transferred(project: &Project, model: &str) -> String {
    let text = format!(
        "[dataset.d]\ntrain = \"data/train\"\n\n[split.s]\ndataset = \"d\"\nvalidation = 0.2\n\n\
         [preprocess.p]\ndataset = \"d\"\nresize = {{ width = 32, height = 32 }}\n\n\
         [transfer.t]\nmodel = {model}\nnormalize = \"imagenet\"\n\
         data = \"p\"\nsplit = \"s\"\nepochs = 1\nbatch_size = 8\noptimizer.sgd = {{ lr = 0.01 }}\ntrain_layers = \"head\"\n",
    );
    project.write("pipelines/p.toml", &text);
    let ran = project.ok(&["run", "pipelines/p.toml"]);
    ran.stdout + &ran.stderr
}

#[test]
fn a_transfer_from_half_precision_says_that_nothing_is_lost() {
    let project = Project::with_dishes();
    let halved = |(name, tensor): (String, TensorData)| {
        let is_count = name.ends_with("num_batches_tracked");
        (name, if is_count { tensor } else { half(tensor) })
    };
    let all = behind("_orig_mod.module.", &network());
    file(&project, "half.pt", all.into_iter().map(halved).collect());
    let told = transferred(&project, "\"half.pt\"");
    has(
        &told,
        &["100 tensors stored in half precision are read as 32-bit floats, with the same values"],
    );
    assert!(!told.contains("in another shape"), "{told}");
}

/// The same PyTorch file with the tensor of a name rebuilt by another function.
fn rebuilt_by(project: &Project, name: &str, tensor: &str, function: &str) {
    let bytes = fs::read(project.path(name)).unwrap();
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..from.len() {
        let mut entry = from.by_index(i).unwrap();
        let file = entry.name().unwrap().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if file.ends_with("data.pkl") {
            let find = |what: &str, from: usize| {
                let at = content[from..]
                    .windows(what.len())
                    .position(|w| w == what.as_bytes());
                from + at.unwrap()
            };
            let known = "torch._utils\n_rebuild_tensor_v2\n";
            let at = find(known, find(tensor, 0));
            content.splice(at..at + known.len(), function.bytes());
        }
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        to.start_file(file, stored).unwrap();
        to.write_all(&content).unwrap();
    }
    fs::write(project.path(name), to.finish().unwrap().into_inner()).unwrap();
}

#[test]
fn a_head_of_an_unknown_kind_is_named_with_its_place_and_a_transfer_goes_on_without_it() {
    let project = Project::with_dishes();
    for function in ["torch._utils\n_rebuild_qtensor\n", "my.lib\nMyTensor\n"] {
        file(&project, "odd.pt", behind("model.", &network()));
        rebuilt_by(&project, "odd.pt", "model.fc.weight", function);
        let made_by = function.trim_end().replace('\n', ".");
        let named = format!("`model.fc.weight` is an object of `{made_by}`");
        let told = project.fails(2, &["export", "odd.pt", OUT]).stderr;
        has(&told, &["cannot be read", &named]);
        assert!(!told.contains("is missing"), "{told}");
        project.write(
            "pipelines/p.toml",
            "[dataset.d]\ntrain = \"data/train\"\n\n[split.s]\ndataset = \"d\"\nvalidation = 0.2\n\n\
             [preprocess.p]\ndataset = \"d\"\nresize = { width = 32, height = 32 }\n\n\
             [transfer.t]\nmodel = { file = \"odd.pt\" }\nnormalize = \"imagenet\"\n\
             data = \"p\"\nsplit = \"s\"\nepochs = 1\nbatch_size = 8\noptimizer.sgd = { lr = 0.01 }\ntrain_layers = \"head\"\n",
        );
        let ran = project.ok(&["run", "pipelines/p.toml"]);
        has(
            &(ran.stdout + &ran.stderr),
            &["the head of the file cannot be read", &named],
        );
    }
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

/// A changed copy of what a model of ours says about itself, in the entry or the metadata of its file.
fn saying(project: &Project, change: &dyn Fn(&mut Value)) {
    let mut said = json!({
        "format": 1, "arch": "resnet18", "classes": ["a", "b", "c"],
        "transform": {
            "pixels": {"resize": {"width": 64, "height": 64, "fit": "squash"}, "filter": "bilinear", "quality": "fast"},
            "center_crop": null, "normalize": {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]},
        },
        "epoch": {"epoch": 1, "of": 1, "lr": 0.1, "train": {"loss": 1.0, "top1": 0.5}, "validation": null},
        "provenance": {"pack": "00".repeat(32), "labels": "00".repeat(32), "split": "00".repeat(32), "fold": null, "source": null},
    });
    change(&mut said);
    let path = project.path("said.safetensors");
    safetensors::write(&path, &network(), None).unwrap();
    let bytes = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header["__metadata__"]["kfood"] = said.to_string().into();
    let header = header.to_string();
    let mut changed = (header.len() as u64).to_le_bytes().to_vec();
    changed.extend(header.bytes());
    changed.extend(&bytes[8 + length..]);
    fs::write(path, changed).unwrap();
}

#[expect(clippy::too_many_lines, reason = "a table of cases")]
#[test]
fn what_a_model_says_about_itself_is_held_against_sense_before_it_is_used() {
    let project = Project::new();
    project.picture("x.png", 0, 0);
    let predict = [
        "predict",
        "--model",
        "said.safetensors",
        "x.png",
        "--device",
        "cpu",
    ];
    saying(&project, &|_| ());
    project.ok(&predict);
    for (place, value, words) in [
        ("/format", json!(2), "`format` is 2"),
        (
            "/classes",
            json!(["a", "b", "a"]),
            "`classes` names `a` twice",
        ),
        ("/classes", json!(["a", "b", ""]), "`classes` names a class"),
        (
            "/transform/pixels/resize",
            json!({"width": 8192, "height": 8192}),
            "at most 2048 x 2048 pixels in all",
        ),
        (
            "/transform/pixels/resize",
            json!({"short_side": 4097, "crop": 9}),
            "a `short_side` of at most 4096",
        ),
        (
            "/transform/center_crop",
            json!(65),
            "`transform.center_crop` is 65, of 64 x 64 pixels",
        ),
        (
            "/transform/normalize/std/1",
            json!(0.0),
            "`transform.normalize.std` is 0, which divides",
        ),
        (
            "/transform/normalize/mean/0",
            json!(1e9),
            "`transform.normalize.mean`",
        ),
    ] {
        saying(&project, &|said| {
            *said.pointer_mut(place).unwrap() = value.clone();
        });
        let told = project.fails(1, &predict).stderr;
        has(&told, &["said.safetensors", words]);
    }
    // A narrow row, of which a shorter side of few pixels makes a long one.
    saying(&project, &|said| {
        said["transform"]["pixels"]["resize"] = json!({"width": 8192, "height": 1});
        said["transform"]["test_resolution"] = json!(2000);
    });
    let told = project.fails(1, &predict).stderr;
    has(
        &told,
        &["`transform.test_resolution` is 2000, of 8192 x 1 pixels"],
    );
}

#[test]
fn tensors_that_are_no_network_are_told_with_a_way_out() {
    let project = Project::new();
    let state = network();
    let without_statistics = |state: &StateDict| {
        let mut tensors = behind("", state);
        tensors.retain(|(name, _)| !name.contains("running_"));
        tensors
    };
    let mut gray = state.clone();
    let one_channel = TensorData::f32(vec![64, 1, 7, 7], &[0.0; 64 * 49]).unwrap();
    gray.insert("conv1.weight", one_channel);
    let mut whole = state.clone();
    whole.insert(
        "bn1.bias",
        TensorData::new(DType::I64, vec![64], vec![0; 512]).unwrap(),
    );
    for (name, tensors, words) in [
        (
            "parameters.pt",
            without_statistics(&state),
            ["`bn1.running_mean`", "help: save `model.state_dict()`"],
        ),
        (
            "gray.pt",
            behind("", &gray),
            [
                "`conv1.weight` is for images of 1 channel, and photographs have 3",
                "help: accepted are torchvision's",
            ],
        ),
        (
            "whole.safetensors",
            behind("", &whole),
            [
                "`bn1.bias` holds whole numbers (I64)",
                "help: accepted are torchvision's",
            ],
        ),
    ] {
        file(&project, name, tensors);
        let told = project.fails(1, &["export", name, OUT]).stderr;
        has(&told, &words);
    }
}

#[test]
fn a_zip_archive_that_pytorch_did_not_write_says_what_it_is() {
    let project = Project::new();
    for (entry, words) in [
        ("folder/best.pt", ["`folder/best.pt` in it", "unpack it"]),
        ("conv1.weight.npy", ["arrays of NumPy", "torch.tensor"]),
    ] {
        let mut zip = zip::ZipWriter::new(fs::File::create(project.path("x.pt")).unwrap());
        let plain = zip::write::SimpleFileOptions::default();
        zip.start_file(entry, plain).unwrap();
        zip.finish().unwrap();
        let told = project.fails(1, &["export", "x.pt", OUT]).stderr;
        has(&told, &words);
    }
}

#[test]
fn a_model_that_is_written_wrong_is_told_at_the_part_that_is_wrong() {
    let project = Project::new();
    for (written, words) in [
        (
            "5",
            [
                "invalid value `5` for `model`: expected the name of a stage, a model file",
                "9:9",
            ],
        ),
        (
            "{ file = \"x.pt\", wrong = 1 }",
            ["unknown key `wrong` in `model`", "9:26"],
        ),
        (
            "{ weights = \"ema\" }",
            ["missing `file` in `model`", "9:9"],
        ),
        (
            "{ file = \"x.pt\", weights = 4 }",
            ["invalid value `4` for `model.weights`", "9:36"],
        ),
    ] {
        let text = format!(
            "[dataset.d]\ntrain = \"t\"\n[split.s]\ndataset = \"d\"\n\
             [preprocess.p]\ndataset = \"d\"\nresize = {{ width = 32, height = 32 }}\n\
             [transfer.t]\nmodel = {written}\nnormalize = \"imagenet\"\ndata = \"p\"\nsplit = \"s\"\n\
             epochs = 1\nbatch_size = 8\noptimizer.sgd = {{ lr = 0.01 }}\ntrain_layers = \"head\"\n"
        );
        project.write("pipelines/p.toml", &text);
        let told = project.fails(2, &["check", "pipelines/p.toml"]).stderr;
        has(&told, &words);
    }
}

#[test]
fn layers_that_were_wrapped_one_by_one_are_a_network_all_the_same() {
    let project = Project::new();
    let state = network();
    for (layer, wrapper) in [
        ("layer1.", "_orig_mod."),
        ("layer2.0.", "_checkpoint_wrapped_module."),
        ("", "_fsdp_wrapped_module."),
        ("fc.", "_orig_mod."),
    ] {
        let wrapped = behind("", &state).into_iter().map(|(name, tensor)| {
            match name.strip_prefix(layer) {
                // With an empty name some of the layers are wrapped and some are not.
                Some(rest) if !layer.is_empty() || rest.starts_with("layer") => {
                    (format!("{layer}{wrapper}{rest}"), tensor)
                }
                _ => (name, tensor),
            }
        });
        file(&project, "w.pt", wrapped.collect());
        project.ok(&["export", "w.pt", OUT]);
        let (read, _) = safetensors::read(&project.path(OUT)).unwrap();
        for (name, tensor) in state.iter() {
            assert_eq!(read.get(name), Some(tensor), "{layer}: {name}");
        }
    }
}

#[test]
fn a_program_of_torch_export_is_called_so() {
    let project = Project::new();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let plain =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for name in [
        "data/weights/weight_0",
        "models/model.json",
        "archive_format",
    ] {
        zip.start_file(format!("exported/{name}"), plain).unwrap();
        zip.write_all(b"x").unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    fs::write(project.path("w.pt2"), bytes).unwrap();
    let told = project.fails(1, &["export", "w.pt2", OUT]).stderr;
    has(
        &told,
        &[
            "a program that `torch.export` wrote",
            "torch.export.load(FILE).state_dict",
        ],
    );
}
