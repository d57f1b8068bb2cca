//! The optimizers held against PyTorch and timm.

use std::path::Path;

use serde_json::{Value, json};
use tch::{Device, Kind};

use super::*;
use crate::{
    files,
    model::{Mode, safetensors},
    native::Autocast,
    settings::Arch,
};

const START: [f64; 3] = [0.5, -1.25, 2.0];
const GRADIENTS: [[f64; 3]; 3] = [[0.1, -0.2, 0.3], [-0.4, 0.05, 0.25], [0.02, 0.6, -0.7]];
/// Repeats of the three numbers: enough for the vector loops of the kernels and a rest behind them.
const REPEATS: usize = 7;

fn tensor(three: [f64; 3]) -> Tensor {
    Tensor::from_slice(&three.repeat(REPEATS))
        .to_kind(Kind::Float)
        .to_device(Device::Cpu)
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double)).unwrap()
}

/// That of the names in these tests.
fn layout() -> Layout {
    Layout::of(Arch::Resnet18)
}

/// In the memory order of a model's weights.
fn channels_last(tensor: &Tensor) -> Tensor {
    if tensor.dim() == 4 {
        let last = tensor.permute([0, 2, 3, 1]).contiguous();
        return last.permute([0, 3, 1, 2]);
    }
    tensor.copy()
}

/// `tests/optimizer_parity.py` recorded the gradients of a small network, and where PyTorch's and timm's own optimizers take its
/// parameters by them.
#[test]
fn twenty_steps_are_those_of_pytorch_and_timm() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let cases: Vec<Value> = files::read_json(&fixtures.join("optimizers.json")).unwrap();
    let (recorded, _) = safetensors::read(&fixtures.join("optimizers.safetensors")).unwrap();
    let get = |name: &str| to_tensor(recorded.get(name).unwrap(), Device::Cpu);
    let names = recorded
        .iter()
        .filter_map(|(n, _)| n.strip_prefix("start."));
    let mut names: Vec<&str> = names.collect();
    // As in a model: the head is last.
    names.sort_by_key(|name| name.starts_with("fc."));
    assert_eq!((names.len(), cases.len()), (5, 12));
    for (case, settings) in cases.iter().enumerate() {
        let params: Vec<(String, Tensor)> = names
            .iter()
            .map(|name| {
                let start = channels_last(&get(&format!("start.{name}")));
                ((*name).to_owned(), start.set_requires_grad(true))
            })
            .collect();
        let clones = params.iter().map(|(n, p)| (n.clone(), p.shallow_clone()));
        let training = Training::plain(settings);
        let mut optimizer = Optimizer::new(&training, clones.collect(), &layout(), false).unwrap();
        for step in 0..20 {
            optimizer.begin().unwrap();
            for (name, param) in &params {
                // Autograd gives a contiguous gradient for some parameters that lie in channels_last order.
                let gradient = get(&format!("grad.{step}.{name}"));
                set_grad(param, Some(&gradient)).unwrap();
            }
            optimizer.set_lr(training.optimizer.lr()).unwrap();
            optimizer.collect(true).unwrap();
            optimizer.apply().unwrap();
        }
        for (name, param) in &params {
            let wanted = get(&format!("end.{case}.{name}"));
            let norm = |t: &Tensor| f64::try_from(t.norm()).unwrap();
            let difference = norm(&(param.detach() - &wanted)) / norm(&wanted);
            assert!(difference < 1e-6, "{settings}, {name}: {difference:e}");
            // Otherwise the case would prove nothing.
            let moved = norm(&(get(&format!("start.{name}")) - &wanted)) / norm(&wanted);
            assert!(moved > 1e-3, "{settings}, {name}: {moved:e}");
        }
    }
}

/// Autocast converts each weight before its use, and its gradient behind it; here all are converted together.
#[test]
fn gradients_through_bf16_copies_are_those_of_autocast_to_the_bit() {
    let fresh = || {
        let mut model = Network::new(Arch::Resnet18, 3, 1, Device::Cpu);
        model.to_channels_last();
        model
    };
    let images = Tensor::arange(2 * 3 * 32 * 32, (Kind::Float, Device::Cpu));
    let images = (images * 0.37).sin().reshape([2, 3, 32, 32]);
    let pass = |model: &Network| {
        let _autocast = Autocast::bf16(Device::Cpu).unwrap();
        let logits = model.forward(&images, Mode::Training(None));
        logits
            .log_softmax(1, Kind::Float)
            .select(1, 0)
            .sum(Kind::Float)
            .backward();
    };
    let mut plain = fresh();
    let mut halved = fresh();
    let settings = Training::plain(&json!({
        "optimizer": { "sgd": { "lr": 0.1 } }, "norm_weight_decay": 0.0, "layer_decay": 0.5,
    }));
    let mut optimizer = Optimizer::of(&settings, &mut halved, false, true).unwrap();
    for step in 0..2 {
        for (_, param) in plain.trainable() {
            set_grad(&param, None).unwrap();
        }
        optimizer.begin().unwrap();
        // The second pass adds to the gradients of the first.
        for first in [true, false] {
            pass(&plain);
            pass(&halved);
            optimizer.collect(first).unwrap();
        }
        let gradients = optimizer.gradients();
        assert_eq!(gradients.len(), plain.trainable().len());
        for ((name, param), gradient) in plain.trainable().iter().zip(gradients) {
            assert!(param.grad().equal(&gradient), "{name} in step {step}");
        }
        // Copies must follow to where the step leads.
        optimizer.apply().unwrap();
        plain.load_state(&halved.state()).unwrap();
    }
}

#[test]
fn a_saved_state_goes_on_to_the_same_bits() {
    for settings in [
        json!({ "sgd": { "lr": 0.1, "momentum": 0.9 } }),
        json!({ "adamw": { "lr": 0.1 } }),
        json!({ "rmsprop": { "lr": 0.1, "momentum": 0.9, "centered": true } }),
        json!({ "lamb": { "lr": 0.1 } }),
    ] {
        let settings = Training::plain(&json!({ "optimizer": settings, "layer_decay": 0.5 }));
        let names = ["layer4.0.bn1.weight", "fc.bias"];
        let fresh = || -> (Vec<Tensor>, Optimizer) {
            let params = Vec::from(names.map(|_| tensor(START).set_requires_grad(true)));
            let named = names.iter().zip(&params);
            let named = named.map(|(n, p)| ((*n).to_owned(), p.shallow_clone()));
            let optimizer = Optimizer::new(&settings, named.collect(), &layout(), true).unwrap();
            (params, optimizer)
        };
        let step = |params: &[Tensor], optimizer: &mut Optimizer, gradient| {
            for param in params {
                set_grad(param, Some(&tensor(gradient))).unwrap();
            }
            optimizer.collect(true).unwrap();
            optimizer.apply().unwrap();
        };
        let (params, mut optimizer) = fresh();
        step(&params, &mut optimizer, GRADIENTS[0]);
        step(&params, &mut optimizer, GRADIENTS[1]);
        let (again, mut resumed) = fresh();
        resumed.load(&optimizer.state()).unwrap();
        for (to, from) in again.iter().zip(&params) {
            to.detach().copy_(&from.detach());
        }
        step(&params, &mut optimizer, GRADIENTS[2]);
        step(&again, &mut resumed, GRADIENTS[2]);
        for (one, other) in params.iter().zip(&again) {
            assert_eq!(values(one), values(other));
        }
        assert_eq!(optimizer.state(), resumed.state());
    }
}

#[test]
fn a_layer_norm_is_a_norm_and_a_layer_scale_is_none() {
    let settings = Training::plain(&json!({
        "optimizer": { "adamw": { "lr": 0.1, "weight_decay": 0.25 } },
        "norm_weight_decay": 0.0, "layer_decay": 0.5,
    }));
    let mut model = Network::new(Arch::ConvnextTiny, 2, 1, Device::Cpu);
    let optimizer = Optimizer::of(&settings, &mut model, false, false).unwrap();
    for (name, wanted) in [
        ("features.0.1.weight", (0.03125, 0.0)),
        ("features.4.0.bias", (0.25, 0.0)),
        ("features.5.8.layer_scale", (0.25, 0.25)),
        ("features.5.8.block.3.bias", (0.25, 0.25)),
        ("classifier.0.weight", (1.0, 0.0)),
        ("classifier.2.weight", (1.0, 0.25)),
    ] {
        let mut groups = optimizer.groups.iter();
        let group = groups.find(|g| g.names.iter().any(|n| n == name)).unwrap();
        assert_eq!((group.lr_factor, group.weight_decay), wanted, "{name}");
    }
}

/// Each parameter's place among the groups: (learning rate's factor, weight decay).
#[test]
fn weight_decay_and_learning_rate_go_by_kind_and_layer() {
    let names = [
        "conv1.weight",
        "bn1.weight",
        "bn1.bias",
        "layer4.0.conv1.weight",
        "fc.weight",
        "fc.bias",
    ];
    let of = |settings: Value| -> Vec<(f64, f64)> {
        let params = names.map(|name| {
            let shape: &[i64] = match name {
                "fc.weight" => &[2, 2],
                name if name.contains("conv") => &[2, 2, 1, 1],
                _ => &[2],
            };
            let param = Tensor::zeros(shape, (Kind::Float, Device::Cpu));
            (name.to_owned(), param.set_requires_grad(true))
        });
        let mut all = settings;
        all["optimizer"] = json!({ "sgd": { "lr": 0.1, "weight_decay": 0.25 } });
        let optimizer =
            Optimizer::new(&Training::plain(&all), Vec::from(params), &layout(), false).unwrap();
        let find = |name: &str| {
            let mut groups = optimizer.groups.iter();
            let group = groups.find(|g| g.names.iter().any(|n| n == name)).unwrap();
            (group.lr_factor, group.weight_decay)
        };
        names.iter().map(|name| find(name)).collect()
    };
    let plain = (1.0, 0.25);
    assert_eq!(of(json!({})), [plain; 6]);
    let norms = (1.0, 0.0);
    assert_eq!(
        of(json!({ "norm_weight_decay": 0.0 })),
        [plain, norms, norms, plain, plain, plain]
    );
    assert_eq!(
        of(json!({ "norm_weight_decay": 0.0, "bias_weight_decay": 0.5 })),
        [plain, norms, (1.0, 0.5), plain, plain, (1.0, 0.5)]
    );
    let stem = (0.03125, 0.25);
    assert_eq!(
        of(json!({ "layer_decay": 0.5 })),
        [stem, stem, stem, (0.5, 0.25), plain, plain]
    );
}

#[test]
fn a_frozen_parameter_stays_bit_equal() {
    for (kind, settings) in [
        (
            "momentum_buffer",
            json!({ "sgd": { "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01 } }),
        ),
        (
            "exp_avg",
            json!({ "adam": { "lr": 0.1, "weight_decay": 0.01 } }),
        ),
        ("exp_avg_sq", json!({ "adamw": { "lr": 0.1 } })),
        (
            "square_avg",
            json!({ "rmsprop": { "lr": 0.1, "weight_decay": 0.01 } }),
        ),
        ("exp_avg", json!({ "lamb": { "lr": 0.1 } })),
    ] {
        let still = tensor(START).set_requires_grad(true);
        let moving = tensor(START).set_requires_grad(true);
        let params = vec![
            ("conv1.weight".to_owned(), still.shallow_clone()),
            ("fc.bias".to_owned(), moving.shallow_clone()),
        ];
        let settings = Training::plain(&json!({ "optimizer": settings }));
        let mut optimizer = Optimizer::new(&settings, params, &layout(), true).unwrap();
        let kept = |optimizer: &Optimizer| {
            let state = optimizer.state();
            [format!("{kind}.conv1.weight"), "step.0".to_owned()]
                .map(|name| state.get(&name).cloned().unwrap())
        };
        let before = kept(&optimizer);
        let still = still.set_requires_grad(false);
        set_grad(&moving, Some(&tensor(GRADIENTS[0]))).unwrap();
        optimizer.collect(true).unwrap();
        optimizer.apply().unwrap();
        assert_eq!(values(&still), START.repeat(REPEATS), "{kind}");
        assert_ne!(values(&moving), START.repeat(REPEATS), "{kind}");
        assert_eq!(kept(&optimizer), before, "{kind}");
    }
}
