//! Tests of models: the networks against torchvision, and files of PyTorch and safetensors.
//!
//! The files under `tests/fixtures` were made by PyTorch (`tests/fixtures/make.py`). `tests/pytorch_parity.py` compares all
//! architectures and both directions of exchange with an installed PyTorch.

mod files;

use std::path::{Path, PathBuf};

use kfood::{
    error::Error,
    model::{
        Mode, Network, StateDict, TensorData, export, forward_file,
        layout::{Role, slots},
        load, pytorch, safetensors, to_data, to_tensor,
    },
    record::{CheckpointInfo, Epoch, Forward, Measure, ModelFile, Provenance, Transform},
    settings::{Arch, Layer, MeanStd, NetworkSettings, Pixels, TrainLayers},
};
use tch::{Device, Kind, Tensor, no_grad_guard};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

#[track_caller]
fn refused(result: Result<impl Sized, Error>, words: &[&str]) {
    let error = result.map(drop).unwrap_err();
    let text = format!("{error} {}", error.help_text().unwrap_or_default());
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

// ---- files of ours ----

fn info(arch: Arch, classes: usize) -> CheckpointInfo {
    let digest = kfood::digest::Digest::of(b"x");
    CheckpointInfo {
        format: 1,
        arch,
        classes: (0..classes).map(|i| format!("음식{i}")).collect(),
        transform: Transform {
            pixels: Pixels::new(serde_json::from_str(r#"{"width":64,"height":64}"#).unwrap()),
            center_crop: None,
            test_resolution: None,
            normalize: MeanStd::IMAGENET,
        },
        epoch: Epoch {
            epoch: 1,
            of: 2,
            lr: 0.001,
            train: Measure {
                loss: 1.0,
                top1: 0.5,
            },
            validation: None,
        },
        provenance: Provenance {
            pack: digest,
            labels: digest,
            split: digest,
            fold: None,
            source: None,
        },
    }
}

#[test]
fn a_model_survives_safetensors_and_pytorch_files_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs, back] =
        ["a.safetensors", "b.pt", "c.safetensors"].map(|name| folder.path().join(name));
    let state = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    let info = info(Arch::Resnet18, 3);
    safetensors::write(&ours, &state, Some(&info)).unwrap();
    let bytes = std::fs::read(&ours).unwrap();
    safetensors::write(&ours, &state, Some(&info)).unwrap();
    assert!(
        bytes == std::fs::read(&ours).unwrap(),
        "equal content, equal bytes"
    );

    let read = load(&ours).unwrap();
    assert_eq!(
        (read.arch, read.classes, read.info.as_ref()),
        (Arch::Resnet18, 3, Some(&info))
    );
    assert!(read.state == state, "tensors and their order");
    export(&ours, &theirs, None).unwrap();
    export(&theirs, &back, None).unwrap();
    let read = load(&back).unwrap();
    assert!(read.state == state);
    assert_eq!(
        read.info.as_ref(),
        Some(&info),
        "classes and transform went along"
    );
    refused(
        export(&ours, &folder.path().join("model.onnx"), None),
        &["model.onnx", "`.pt` (PyTorch) or `.safetensors`"],
    );
}

#[test]
fn a_file_of_another_shape_names_the_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let whole = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    let without: StateDict = whole
        .clone()
        .into_iter()
        .filter(|(name, _)| name != "layer3.1.bn2.running_var")
        .collect();
    safetensors::write(&path, &without, None).unwrap();
    refused(
        load(&path),
        &[
            "model.safetensors",
            "missing are `layer3.1.bn2.running_var`",
        ],
    );

    let mut odd = whole.clone();
    odd.insert("bn1.bias", TensorData::f32(vec![2], &[0.0, 0.0]).unwrap());
    odd.insert("layer2.0.se.fc1.weight", TensorData::i64_scalar(1));
    safetensors::write(&path, &odd, None).unwrap();
    refused(
        load(&path),
        &[
            "`bn1.bias` is F32 [2] instead of [64]",
            "unexpected are `layer2.0.se.fc1.weight`",
        ],
    );

    safetensors::write(&path, &whole, Some(&info(Arch::Resnet34, 3))).unwrap();
    refused(
        load(&path),
        &["says that it is a `resnet34`", "those of a `resnet18`"],
    );
    safetensors::write(&path, &whole, Some(&info(Arch::Resnet18, 4))).unwrap();
    refused(load(&path), &["names 4 classes, and its head has 3"]);
}

#[test]
fn counters_that_old_files_leave_out_are_zero() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.pt");
    let state = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    let old: StateDict = state
        .clone()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("tracked"))
        .collect();
    pytorch::write(&path, &old, None).unwrap();
    assert!(load(&path).unwrap().state == state);
}

// ---- the networks ----

/// Numbers in [-0.5, 0.5) that any language can make; `formula` of `tests/pytorch_parity.py`.
fn formula(seed: usize, count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(move |i| {
        let mut h = (i + seed * 1_000_003) as u32;
        for _ in 0..2 {
            h = (h ^ (h >> 16)).wrapping_mul(0x045d_9f3b);
        }
        f64::from(h ^ (h >> 16)) / 2f64.powi(32) - 0.5
    })
}

/// `formula_state` of `tests/pytorch_parity.py`.
fn formula_state(arch: Arch) -> StateDict {
    let gain = if arch == Arch::EfficientnetB0 {
        1.9
    } else {
        1.0
    };
    let fill = move |(seed, slot): (usize, kfood::model::layout::Slot)| {
        let count = slot.shape.iter().product();
        let scale: Box<dyn Fn(f64) -> f64> = match slot.role {
            Role::NormCount => return (slot.name, TensorData::i64_scalar(seed as i64)),
            Role::Weight if slot.shape.len() == 4 => {
                let scale = (24.0 / slot.shape[1..].iter().product::<usize>() as f64).sqrt();
                Box::new(move |u| u * scale)
            }
            Role::Weight | Role::HeadWeight => Box::new(|u| u * 0.1),
            Role::NormVar => Box::new(|u| 1.0 + 0.5 * u),
            Role::NormWeight => Box::new(move |u| gain * (0.6 + 0.4 * u)),
            Role::NormBias | Role::NormMean | Role::Bias | Role::HeadBias | Role::Scale => {
                Box::new(|u| 0.2 * u)
            }
        };
        let values: Vec<f32> = formula(seed, count).map(|u| scale(u) as f32).collect();
        (slot.name, TensorData::f32(slot.shape, &values).unwrap())
    };
    slots(arch, 5).into_iter().enumerate().map(fill).collect()
}

/// Logits printed by `tests/pytorch_parity.py --golden` with torch 2.11.0 and torchvision 0.26.0, two images of 64x64.
const LOGITS: [(Arch, [[f32; 5]; 2]); 5] = [
    (
        Arch::Resnet18,
        [
            [-0.207107, 0.044326, 0.01389, 0.148192, -0.1778],
            [-0.22762, -0.01226, -0.034947, 0.11575, -0.129745],
        ],
    ),
    (
        Arch::Resnet50,
        [
            [0.258033, -0.136284, 0.451469, 0.131566, 0.377438],
            [0.288021, -0.109048, 0.443944, 0.125062, 0.383571],
        ],
    ),
    (
        Arch::Resnet101,
        [
            [0.073895, -1.648768, 0.532475, -0.802494, 0.591856],
            [0.035342, -1.682681, 0.617612, -0.818798, 0.652188],
        ],
    ),
    (
        Arch::ConvnextTiny,
        [
            [0.188593, -0.003666, 0.049372, 0.631979, 0.011273],
            [0.840034, -0.306079, -0.240961, -0.186555, -0.530439],
        ],
    ),
    (
        Arch::EfficientnetB0,
        [
            [0.264223, -1.142709, 0.938864, 0.695336, 0.226814],
            [0.42981, -1.334152, 0.725752, 0.431388, 0.584972],
        ],
    ),
];

#[test]
fn logits_are_torchvisions() {
    let _guard = no_grad_guard();
    let values: Vec<f32> = formula(1000, 2 * 3 * 64 * 64)
        .map(|u| (2.0 * u) as f32)
        .collect();
    let x = to_tensor(
        &TensorData::f32(vec![2, 3, 64, 64], &values).unwrap(),
        Device::Cpu,
    );
    let x_last = x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
    for (arch, wanted) in LOGITS {
        let mut model = Network::from_state(&formula_state(arch), arch, Device::Cpu).unwrap();
        let largest = |found: &Tensor| {
            let found = to_data(found).to_f32();
            assert_eq!(found.len(), 10);
            found
                .iter()
                .zip(wanted.concat())
                .map(|(a, b)| (a - b).abs())
                .fold(0f32, f32::max)
        };
        assert!(
            largest(&model.forward(&x, Mode::Evaluation)) < 1e-4,
            "{}",
            arch.name()
        );
        model.to_channels_last();
        assert!(
            largest(&model.forward(&x_last, Mode::Evaluation)) < 1e-4,
            "{} channels_last",
            arch.name()
        );
    }
}

#[test]
fn a_new_model_depends_on_its_seed_alone_and_repeats() {
    let state = |seed| Network::new(Arch::Resnet18, 4, seed, Device::Cpu).state();
    let first = state(1);
    assert!(first == state(1));
    assert!(first.get("conv1.weight") != state(2).get("conv1.weight"));
    assert!(
        first
            .get("bn1.weight")
            .unwrap()
            .to_f32()
            .iter()
            .all(|&v| v == 1.0)
    );
    let mut model = Network::new(Arch::Resnet18, 9, 1, Device::Cpu);
    model.replace_head(4, 1);
    assert_eq!(model.classes(), 4);
    assert!(
        model.state() == first,
        "a head is drawn the same wherever it comes from"
    );
}

/// One step of plain gradient descent on random images.
fn step(model: &Network) {
    let x = to_tensor(&random_images(), Device::Cpu);
    let loss = model
        .forward(&x, Mode::Training(None))
        .cross_entropy_for_logits(&Tensor::from_slice(&[0i64, 1, 2, 0]));
    loss.backward();
    let _guard = no_grad_guard();
    for (_, mut parameter) in model.trainable() {
        let gradient = parameter.grad();
        let _ = parameter.g_sub_(&(gradient * 0.1));
    }
}

fn random_images() -> TensorData {
    let values: Vec<f32> = formula(5, 4 * 3 * 32 * 32).map(|u| u as f32).collect();
    TensorData::f32(vec![4, 3, 32, 32], &values).unwrap()
}

/// Names of tensors that differ.
fn moved(before: &StateDict, after: &StateDict) -> Vec<String> {
    before
        .iter()
        .filter(|(name, tensor)| after.get(name) != Some(*tensor))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn training_moves_everything_and_counts_batches() {
    let model = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
    let before = model.state();
    step(&model);
    let after = model.state();
    assert_eq!(moved(&before, &after).len(), before.len());
    assert_eq!(
        after
            .get("layer4.1.bn2.num_batches_tracked")
            .and_then(TensorData::as_i64),
        Some(1)
    );
    let order: Vec<String> = model
        .trainable()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let wanted: Vec<String> = slots(Arch::Resnet18, 3)
        .into_iter()
        .filter(|slot| !slot.name.contains("running") && slot.role != Role::NormCount)
        .map(|slot| slot.name)
        .collect();
    assert_eq!(order, wanted);
}

#[test]
fn frozen_layers_stay_bit_equal_with_their_statistics() {
    for (layers, kept) in [
        (
            TrainLayers::From(Layer::named("layer3").unwrap()),
            &["conv1", "bn1", "layer1", "layer2"][..],
        ),
        (
            TrainLayers::Head,
            &["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"],
        ),
        (TrainLayers::All, &[]),
    ] {
        let mut model = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
        model.freeze(TrainLayers::Head).unwrap();
        model.freeze(layers).unwrap();
        let before = model.state();
        step(&model);
        let moved = moved(&before, &model.state());
        let is_kept = |name: &str| kept.contains(&name.split('.').next().unwrap());
        for (name, _) in before.iter() {
            assert_ne!(
                moved.iter().any(|m| m == name),
                is_kept(name),
                "{layers:?} {name}"
            );
        }
    }
}

#[test]
fn loading_a_state_keeps_the_tensors_that_an_optimizer_holds() {
    let other = Network::new(Arch::Resnet18, 3, 2, Device::Cpu).state();
    let mut model = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
    let held = model.trainable();
    model.to_channels_last();
    model.load_state(&other).unwrap();
    assert!(model.state() == other);
    assert!(
        held.iter()
            .all(|(name, tensor)| Some(&to_data(tensor)) == other.get(name))
    );
    assert!(held.iter().all(|(_, tensor)| tensor.requires_grad()));
    let wrong = Network::new(Arch::Resnet34, 3, 2, Device::Cpu).state();
    refused(
        model.load_state(&wrong),
        &["not those of a `resnet18`", "unexpected are", "more"],
    );
    assert!(model.state() == other, "a refused state changes nothing");
}

#[test]
fn features_are_what_the_head_sees() {
    let _guard = no_grad_guard();
    let model = Network::new(Arch::Resnet50, 3, 1, Device::Cpu);
    let features = model.features(&to_tensor(&random_images(), Device::Cpu), Mode::Evaluation);
    assert_eq!(
        (features.size(), features.kind()),
        (vec![4, 2048], Kind::Float)
    );
}

#[test]
fn a_forward_job_reads_a_model_and_an_input_and_writes_logits() {
    let folder = tempfile::tempdir().unwrap();
    let [model, input] = ["model.pt", "input.safetensors"].map(|name| folder.path().join(name));
    let net = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
    pytorch::write(&model, &net.state(), None).unwrap();
    let mut x = StateDict::new();
    x.insert("x", random_images());
    safetensors::write(&input, &x, None).unwrap();
    let mut job = Forward {
        model: ModelFile {
            path: model.clone(),
            normalize: None,
            classes: None,
            weights: None,
            pretrained: None,
        },
        input,
        device: "cpu".to_owned(),
        threads: 1,
        out: folder.path().to_owned(),
    };
    forward_file(&job, Device::Cpu).unwrap();
    let (logits, _) = safetensors::read(&folder.path().join("logits.safetensors")).unwrap();
    assert_eq!(logits.get("logits").unwrap().shape, [4, 3]);
    job.input = model;
    assert!(forward_file(&job, Device::Cpu).is_err());
}

#[test]
fn a_block_whose_last_norm_is_zero_begins_as_its_shortcut() {
    for (arch, last) in [(Arch::Resnet18, "bn2"), (Arch::Resnet50, "bn3")] {
        let before = Network::new(arch, 3, 1, Device::Cpu).state();
        let settings = NetworkSettings {
            zero_init_residual: Some(true),
            ..NetworkSettings::of(arch)
        };
        let model = Network::of(&settings, 3, 1, Device::Cpu);
        for (name, tensor) in model.state().iter() {
            let zeroed = name.starts_with("layer") && name.ends_with(&format!(".{last}.weight"));
            if zeroed {
                assert!(tensor.to_f32().iter().all(|v| *v == 0.0), "{name}");
            } else {
                assert_eq!(Some(tensor), before.get(name), "{name}");
            }
        }
    }
}
