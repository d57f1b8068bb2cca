//! What `kfood export` writes for the programs of others, read back.

use kfood::{
    model::{
        StateDict, TensorData,
        layout::{Role, Slot, slots},
        load,
        onnx::proto::{FLOAT, ModelProto, NodeProto, UINT8, ValueInfoProto},
        safetensors,
    },
    record::CheckpointInfo,
    settings::Arch,
};
use prost::Message;
use serde_json::{Value, json};

use crate::support::Project;

const PIPELINE: &str = r#"
[dataset.dishes]
train = "data/train"

[split.holdout]
dataset = "dishes"

[preprocess.pixels]
dataset = "dishes"
resize = { width = 40, height = 32 }

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 1
batch_size = 8
optimizer.sgd = { lr = 0.01 }
augment = [{ center_crop = 30 }]

[evaluate.checked]
model = "net"
on = ["validation"]

[calibrate.sure]
from = "checked"
"#;

/// A project with a finished training.
fn trained() -> Project {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", PIPELINE);
    project.ok(&["run", "pipelines/p.toml", "--device", "cpu"]);
    project
}

fn onnx(project: &Project, name: &str) -> ModelProto {
    let bytes = std::fs::read(project.path(name)).unwrap();
    ModelProto::decode(bytes.as_slice()).unwrap()
}

/// The element type and the sizes of a value, names of any size in front.
fn shape(value: &ValueInfoProto) -> (&str, i32, Vec<String>) {
    let tensor = value.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
    let dims = tensor.shape.as_ref().unwrap().dim.iter();
    let dims = dims.map(|dim| match (&dim.dim_param, dim.dim_value) {
        (Some(name), _) => name.clone(),
        (None, value) => value.unwrap_or_default().to_string(),
    });
    (&value.name, tensor.elem_type, dims.collect())
}

fn metadata<'a>(model: &'a ModelProto, key: &str) -> Option<&'a str> {
    let entry = model.metadata_props.iter().find(|entry| entry.key == key);
    entry.map(|entry| entry.value.as_str())
}

#[test]
fn an_onnx_file_goes_from_pixels_to_probabilities_and_says_its_classes() {
    let project = trained();
    let calibrated = ["--calibration", "pipelines/p.toml:sure"];
    let export = ["export", "pipelines/p.toml:net", "net.onnx"];
    project.ok(&[&export[..], &calibrated].concat());
    let model = onnx(&project, "net.onnx");
    let graph = model.graph.as_ref().unwrap();
    assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
    let [pixels] = &graph.input[..] else {
        panic!("{:?}", graph.input)
    };
    let sizes = ["batch", "3", "32", "40"].map(str::to_owned).to_vec();
    assert_eq!(shape(pixels), ("pixels", UINT8, sizes));
    let outputs: Vec<_> = graph.output.iter().map(shape).collect();
    let sizes = ["batch", "3"].map(str::to_owned).to_vec();
    let wanted = ["probabilities", "logits"].map(|name| (name, FLOAT, sizes.clone()));
    assert_eq!(outputs, wanted);
    let ops: Vec<_> = graph
        .node
        .iter()
        .map(|node| node.op_type.as_str())
        .collect();
    // A crop of 30 from 40 x 32, normalisation to 0..1 alone, the network, and the softmax under a temperature.
    assert_eq!(ops[..4], ["Cast", "Slice", "Div", "Conv"]);
    assert_eq!(ops[ops.len() - 4..], ["Gemm", "Identity", "Div", "Softmax"]);

    let said: Value = serde_json::from_str(metadata(&model, "kfood").unwrap()).unwrap();
    assert_eq!(said["classes"][2], "비빔밥");
    assert_eq!(metadata(&model, "imgsz"), Some("[32, 40]"));
    assert!(
        metadata(&model, "names")
            .unwrap()
            .contains(r#"2: "비빔밥""#)
    );
    // Of one epoch the best state is the last one, and stored once.
    let best = std::fs::read(found(&project, &["best.safetensors", "last.safetensors"])).unwrap();
    let digest = kfood::digest::Digest::of(&best).to_string();
    assert_eq!(metadata(&model, "kfood.model"), Some(digest.as_str()));
    // As the lock file has it; a file that stands alone has none.
    let key = metadata(&model, "kfood.key").unwrap().to_owned();
    let lock: toml::Table = project.read("pipelines/p.lock").parse().unwrap();
    assert_eq!(lock["stages"]["net"]["key"].as_str(), Some(key.as_str()));
    project.ok(&["export", "pipelines/p.toml:net", "card.md"]);
    assert!(project.read("card.md").contains(&key));
    let folder = [
        "export",
        "pipelines/p.toml:net",
        "of_timm",
        "--format",
        "timm",
    ];
    project.ok(&folder);
    let said: Value = serde_json::from_str(&project.read("of_timm/config.json")).unwrap();
    assert_eq!(said["kfood"], json!({ "model": digest, "key": key }));
    project.ok(&["export", "pipelines/p.toml:net", "alone.safetensors"]);
    project.ok(&["export", "alone.safetensors", "alone.onnx"]);
    assert_eq!(metadata(&onnx(&project, "alone.onnx"), "kfood.key"), None);
    let temperature = metadata(&model, "kfood.temperature").unwrap();
    assert!(temperature.parse::<f64>().unwrap() > 0.0);
}

/// The only file of that name among the results.
fn found(project: &Project, names: &[&str]) -> std::path::PathBuf {
    let entries = walkdir::WalkDir::new(project.path("cache/entries")).into_iter();
    let is = |entry: &walkdir::DirEntry| names.iter().any(|name| entry.file_name() == *name);
    let mut entries = entries.flatten().filter(is);
    entries.next().unwrap().into_path()
}

/// A network whose weights are 1; its counters are not.
fn ones(arch: Arch) -> StateDict {
    let tensor = |slot: Slot| {
        let one = vec![1.0; slot.shape.iter().product()];
        let tensor = match slot.role {
            Role::NormCount => TensorData::i64_scalar(7),
            _ => TensorData::f32(slot.shape, &one).unwrap(),
        };
        (slot.name, tensor)
    };
    slots(arch, 3).into_iter().map(tensor).collect()
}

#[test]
fn every_value_of_every_networks_nodes_is_made_before_it_is_used() {
    let project = Project::new();
    for arch in [Arch::Resnet50, Arch::ConvnextTiny, Arch::EfficientnetB0] {
        let state = ones(arch);
        safetensors::write(&project.path("net.safetensors"), &state, None).unwrap();
        project.ok(&[
            "export",
            "net.safetensors",
            "raw.onnx",
            "--raw",
            "--batch",
            "2",
        ]);
        let graph = onnx(&project, "raw.onnx").graph.unwrap();
        let sizes = ["2", "3", "height", "width"].map(str::to_owned).to_vec();
        assert_eq!(shape(&graph.input[0]), ("input", FLOAT, sizes));
        let weights = graph.initializer.iter().map(|tensor| tensor.name.as_str());
        let mut known: Vec<_> = weights.chain(["input"]).collect();
        for NodeProto { input, output, .. } in &graph.node {
            for name in input {
                assert!(known.contains(&name.as_str()), "{}: {name}", arch.name());
            }
            known.extend(output.iter().map(String::as_str));
        }
        assert!(known.contains(&"logits"));
        // All that a state dict has stands in the file, but for the counters.
        let all = state.iter().filter(|(_, tensor)| tensor.dtype.is_float());
        for (name, tensor) in all {
            let stands = graph.initializer.iter().find(|found| found.name == name);
            assert!(
                stands.is_some_and(|found| found.raw_data == tensor.bytes),
                "{name}"
            );
        }
    }
}

#[test]
fn a_model_that_does_not_say_its_normalisation_is_exported_raw_and_options_of_onnx_are_for_onnx() {
    let project = Project::new();
    let state = ones(Arch::Resnet18);
    safetensors::write(&project.path("net.safetensors"), &state, None).unwrap();
    let told = project.fails(2, &["export", "net.safetensors", "net.onnx"]);
    assert!(
        told.stderr
            .contains("does not say how its input is normalised")
    );
    assert!(told.stderr.contains("help: `--raw`"), "{}", told.stderr);
    let told = project.fails(2, &["export", "net.safetensors", "net.pt", "--raw"]);
    assert!(told.stderr.contains("`--raw` is of ONNX files alone"));
    assert!(!project.path("net.onnx").exists() && !project.path("net.pt").exists());
}

#[test]
fn a_card_tells_data_recipe_and_figures_of_its_model_and_an_exported_file_says_its_classes() {
    let project = trained();
    project.ok(&["export", "pipelines/p.toml:net", "card.md"]);
    let card = project.read("card.md");
    for words in [
        "---\nlicense: unknown\n",
        "A `resnet18` that tells 3 classes of photographs apart, of epoch 1 of 1.",
        "| class | validation |",
        "| 비빔밥 | 2 |",
        "| optimizer.sgd.lr | 0.01 |",
        "| centre crop | 30 pixels |",
        "## Evaluation `checked`",
        "## How sure `checked` is",
        "Its probabilities are calibrated",
        "`kfood predict --model pipelines/p.toml:net photo.jpg`",
    ] {
        assert!(card.contains(words), "`{words}` is not in:\n{card}");
    }

    // Of a file there is no more to tell than it says itself; it says its classes in every format.
    for name in ["net.pt", "net.safetensors"] {
        project.ok(&["export", "pipelines/p.toml:net", name]);
        project.ok(&["export", name, "file.md"]);
        let card = project.read("file.md");
        assert!(
            card.contains("| 비빔밥 |") && card.contains("no evaluation of this model is known")
        );
    }
    let predict = |model| {
        let ran = project.ok(&[
            "predict",
            "--model",
            model,
            "data/test",
            "--device",
            "cpu",
            "--json",
        ]);
        assert!(!ran.stderr.contains("does not say"), "{}", ran.stderr);
        ran.stdout
    };
    assert_eq!(predict("net.pt"), predict("pipelines/p.toml:net"));
    predictions_are_written(&project);

    project.ok(&["export", "net.pt", "timm", "--format", "timm"]);
    let config: Value = serde_json::from_str(&project.read("timm/config.json")).unwrap();
    assert_eq!(config["label_names"][2], "비빔밥");
    let known = &config["pretrained_cfg"];
    assert_eq!(known["input_size"], serde_json::json!([3, 30, 30]));
    assert_eq!(known["crop_mode"], "squash");
}

#[test]
fn a_card_tells_intervals_and_limits_and_copies_of_training_photographs_or_that_there_are_none() {
    let project = trained();
    let (card, limits) = card_and_limits(&project, "none.md");
    assert!(
        limits.contains("- Copies of training photographs were looked for by their pixels among those of validation, and none was found."),
        "{card}"
    );
    assert!(!card.contains("### Look-alikes"), "{card}");
    let top1 = with_interval(&judged(&project, 1)["parts"][0]);
    assert!(
        card.contains(&format!(
            "| checked | net (resnet18) | best, epoch 1 | {top1} |"
        )),
        "{top1} {card}"
    );

    // A test part of other photographs, and three of training's once more: at most two of a class are held out.
    project.dishes(
        "data/photographs_of_another_day",
        &["김밥", "비빔밥", "떡국_만두국"],
        4,
    );
    for name in ["000", "001", "002"] {
        let copy = format!("data/photographs_of_another_day/김밥/copy {name}.png");
        std::fs::copy(
            project.path(&format!("data/train/김밥/{name}.png")),
            project.path(&copy),
        )
        .unwrap();
    }
    project
        .edit(
            "pipelines/p.toml",
            "train = \"data/train\"\n",
            "train = \"data/train\"\ntest = \"data/photographs_of_another_day\"\n",
        )
        .edit(
            "pipelines/p.toml",
            "on = [\"validation\"]",
            "on = [\"validation\", \"test\"]",
        );
    project.ok(&["run", "pipelines/p.toml", "--device", "cpu"]);
    let (card, limits) = card_and_limits(&project, "copies.md");
    let leaks = &judged(&project, 2)["leaks"]["parts"][1];
    let copies = leaks["like_train"].as_u64().unwrap();
    assert!((1..=3).contains(&copies), "{leaks}");
    let row = format!("\n| test | 15 | {copies} | ");
    let told = card.split("\n### Look-alikes\n").nth(1).unwrap();
    assert!(told.split("\n#").next().unwrap().contains(&row), "{card}");
    assert!(
        !limits.contains("none was found") && !limits.contains("not looked at"),
        "{card}"
    );
}

/// The card of the training, and what stands in it below the heading of the limits.
fn card_and_limits(project: &Project, name: &str) -> (String, String) {
    project.ok(&["export", "pipelines/p.toml:net", name]);
    let card = project.read(name);
    let limits = card.split("\n## Limits\n\n").nth(1).unwrap();
    let limits = limits.split("\n## ").next().unwrap().to_owned();
    assert!(
        limits.starts_with("- It answers with one of its 3 classes whatever a photograph shows.\n"),
        "{card}"
    );
    (card, limits)
}

/// The figures of the evaluation of so many parts.
fn judged(project: &Project, parts: usize) -> Value {
    let entries = walkdir::WalkDir::new(project.path("cache/entries")).into_iter();
    let entries = entries
        .flatten()
        .filter(|entry| entry.file_name() == "metrics.json");
    let mut figures = entries.map(|entry| -> Value {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        serde_json::from_str(&text).unwrap()
    });
    let of = |figures: &Value| figures["parts"].as_array().unwrap().len() == parts;
    figures.find(of).unwrap()
}

/// "28.6% [8.2, 64.1]"
fn with_interval(part: &Value) -> String {
    let percent = |value: &Value| format!("{:.1}", 100.0 * value.as_f64().unwrap());
    let Value::Object(interval) = &part["top1_interval"] else {
        panic!("{part}");
    };
    format!(
        "{}% [{}, {}]",
        percent(&part["top1"]),
        percent(&interval["low"]),
        percent(&interval["high"])
    )
}

/// As a table and line by line, the paths from standard input.
fn predictions_are_written(project: &Project) {
    let model = [
        "predict", "--model", "net.pt", "--device", "cpu", "--top", "2",
    ];
    project
        .picture("=1,2.png", 1, 3)
        .write("bad.png", "no image")
        .picture("a b.png", 1, 3);
    let address = std::fs::canonicalize(project.path("a b.png")).unwrap();
    let address = address.display().to_string().replace(' ', "%20");
    let mut child = project.command(&[&model[..], &["-", "-o", "out.csv"]].concat());
    let mut child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut paths = child.stdin.take().unwrap();
    let lines = format!("=1,2.png\nbad.png\nfile://{address}\na%20b.png\n");
    std::io::Write::write_all(&mut paths, lines.as_bytes()).unwrap();
    drop(paths);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let table = project.read("out.csv");
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(
        lines[0],
        "path,error,unknown,class_1,probability_1,class_2,probability_2"
    );
    assert!(
        lines[1].contains("=1,2.png\",,,") && lines[2].contains("cannot use"),
        "{table}"
    );
    assert!(
        lines[3].contains("a b.png,,,") && lines.len() == 4,
        "{table}"
    );
    project.ok(&[&model[..], &["data/test", "-o", "out.jsonl"]].concat());
    let text = project.read("out.jsonl");
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (
            text.lines().count(),
            first["guesses"].as_array().unwrap().len()
        ),
        (12, 2)
    );
    let told = project.fails(2, &[&model[..], &["data/test", "-o", "out.txt"]].concat());
    assert!(
        told.stderr
            .contains("`out.txt` names no form of predictions")
    );
}

#[test]
fn a_network_under_timms_names_is_read_as_the_same_network() {
    let project = Project::new();
    for arch in [Arch::ConvnextTiny, Arch::EfficientnetB0] {
        let mut state = StateDict::new();
        for (i, (name, tensor)) in ones(arch).iter().enumerate() {
            let number = vec![i as f32; tensor.len()];
            let tensor = match tensor.dtype.is_float() {
                true => TensorData::f32(tensor.shape.clone(), &number).unwrap(),
                false => tensor.clone(),
            };
            state.insert(name, tensor);
        }
        let path = project.path("ours.safetensors");
        let saying = said(arch);
        safetensors::write(&path, &state, Some(&saying)).unwrap();
        project.ok(&["export", "ours.safetensors", "timm", "--format", "timm"]);
        let (theirs, _) = safetensors::read(&project.path("timm/model.safetensors")).unwrap();
        let mut all = state.iter();
        assert!(all.all(|(name, _)| theirs.get(name).is_none()));
        let back = load(&project.path("timm/model.safetensors")).unwrap();
        assert!(back.state == state, "{}", arch.name());
    }
}

/// What a checkpoint of that network says about itself.
fn said(arch: Arch) -> CheckpointInfo {
    serde_json::from_value(serde_json::json!({
        "format": 1, "arch": arch.name(), "classes": ["a", "b", "c"],
        "transform": {
            "pixels": {"resize": {"width": 64, "height": 64, "fit": "squash"}, "filter": "bilinear", "quality": "fast"},
            "center_crop": null, "normalize": {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]},
        },
        "epoch": {"epoch": 1, "of": 1, "lr": 0.1, "train": {"loss": 1.0, "top1": 0.5}, "validation": null},
        "provenance": {"pack": "00".repeat(32), "labels": "00".repeat(32), "split": "00".repeat(32), "fold": null, "source": null},
    }))
    .unwrap()
}
