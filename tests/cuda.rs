//! What runs on a GPU, held against libtorch's own operations there.

use kfood::native::{CudaGraph, accelerated, load_cuda, max_pool, norm_act};
use tch::{Device, Kind, Tensor};

fn gpu() -> Device {
    load_cuda();
    assert!(tch::Cuda::is_available(), "there is no NVIDIA GPU here");
    Device::Cuda(0)
}

fn channels_last(x: &Tensor) -> Tensor {
    x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

fn random(shape: [i64; 4], device: Device) -> Tensor {
    let x = Tensor::randn(shape, (Kind::Float, device)) * 1.5 + 0.5;
    channels_last(&x).to_kind(Kind::BFloat16)
}

/// The largest difference, as a share of the largest value.
fn difference(found: &Tensor, wanted: &Tensor) -> f64 {
    let (found, wanted) = (found.to_kind(Kind::Double), wanted.to_kind(Kind::Double));
    let largest = wanted.abs().max().double_value(&[]).max(1e-12);
    (found - wanted).abs().max().double_value(&[]) / largest
}

struct Parameters {
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
}

fn parameters(channels: i64, device: Device) -> Parameters {
    let one = (Kind::Float, device);
    Parameters {
        weight: (Tensor::rand([channels], one) + 0.5).set_requires_grad(true),
        bias: Tensor::randn([channels], one).set_requires_grad(true),
        mean: Tensor::zeros([channels], one),
        var: Tensor::ones([channels], one),
    }
}

#[test]
#[ignore = "needs an NVIDIA GPU: `-- --ignored cuda`"]
fn own_kernels_compile_for_the_gpu_at_hand() {
    gpu();
    assert_eq!(accelerated(), None);
}

/// A copy with a gradient of its own.
fn learned(x: &Tensor) -> Tensor {
    x.detach().copy().set_requires_grad(true)
}

/// The same, one operation behind the other.
fn by_libtorch(x: &Tensor, q: &Parameters, residual: Option<&Tensor>, rectify: bool) -> Tensor {
    let (weight, bias) = (Some(&q.weight), Some(&q.bias));
    let (mean, var) = (Some(&q.mean), Some(&q.var));
    let mut y = x.batch_norm(weight, bias, mean, var, true, 0.1, 1e-5, true);
    if let Some(residual) = residual {
        y += residual;
    }
    // The mask of the rounded result, as the kernels see it.
    if rectify { y.relu() } else { y }
}

#[test]
#[ignore = "needs an NVIDIA GPU: `-- --ignored cuda`"]
fn fused_batch_norm_agrees_with_libtorch_in_f32_forward_and_backward() {
    let device = gpu();
    tch::manual_seed(3);
    for (shape, with_residual, rectify) in [
        ([4, 64, 56, 56], false, true),
        ([4, 256, 14, 14], true, true),
        ([3, 512, 7, 7], false, false),
        ([2, 2048, 7, 5], true, true),
        ([1, 8, 3, 3], true, true),
    ] {
        let (x, residual) = (random(shape, device), random(shape, device));
        let gradient = random(shape, device);
        let p = parameters(shape[1], device);
        let (x1, r1) = (learned(&x), learned(&residual));
        let y = norm_act(
            &x1,
            [&p.weight, &p.bias, &p.mean, &p.var],
            with_residual.then_some(&r1),
            rectify,
            0.1,
            1e-5,
        )
        .unwrap()
        .expect("the kernels serve this shape");
        (&y * &gradient).sum(Kind::Float).backward();
        let gradients = [x1.grad(), p.weight.grad(), p.bias.grad()];

        let q = Parameters {
            weight: learned(&p.weight),
            bias: learned(&p.bias),
            mean: p.mean.zeros_like(),
            var: p.var.ones_like(),
        };
        let (x2, r2) = (
            x.to_kind(Kind::Float).set_requires_grad(true),
            residual.to_kind(Kind::Float).set_requires_grad(true),
        );
        let wanted = by_libtorch(&x2, &q, with_residual.then_some(&r2), rectify);
        (&wanted * gradient.to_kind(Kind::Float))
            .sum(Kind::Float)
            .backward();
        let name = format!("{shape:?}, residual {with_residual}, rectified {rectify}");
        assert!(difference(&y, &wanted.detach()) < 0.008, "{name}: output");
        assert!(difference(&p.mean, &q.mean) < 1e-5, "{name}: running mean");
        assert!(
            difference(&p.var, &q.var) < 1e-4,
            "{name}: running variance"
        );
        for (what, (found, wanted)) in ["x", "weight", "bias"].iter().zip(gradients.iter().zip([
            x2.grad(),
            q.weight.grad(),
            q.bias.grad(),
        ])) {
            let off = difference(found, &wanted);
            assert!(off < 0.02, "{name}: gradient of {what} off by {off}");
        }
        if with_residual {
            let off = difference(&r1.grad(), &r2.grad());
            assert!(off < 0.01, "{name}: residual");
        }
    }
}

#[test]
#[ignore = "needs an NVIDIA GPU: `-- --ignored cuda`"]
fn fused_batch_norm_gives_the_same_bits_twice() {
    let device = gpu();
    let x = random([8, 128, 28, 28], device).set_requires_grad(true);
    let run = || {
        let p = parameters(128, device);
        let weight = p.weight.ones_like().set_requires_grad(true);
        let bias = p.bias.zeros_like().set_requires_grad(true);
        let y = norm_act(&x, [&weight, &bias, &p.mean, &p.var], None, true, 0.1, 1e-5)
            .unwrap()
            .unwrap();
        y.square().sum(Kind::Float).backward();
        (y.detach(), weight.grad().copy(), p.var)
    };
    let (first, second) = (run(), run());
    assert!(first.0.equal(&second.0) && first.1.equal(&second.1) && first.2.equal(&second.2));
}

#[test]
#[ignore = "needs an NVIDIA GPU: `-- --ignored cuda`"]
fn max_pooling_is_that_of_libtorch_bit_for_bit() {
    let device = gpu();
    for shape in [[2, 64, 112, 112], [3, 8, 7, 9], [1, 16, 1, 2]] {
        let x = random(shape, device).relu();
        let (a, b) = (
            x.detach().copy().set_requires_grad(true),
            x.detach().copy().set_requires_grad(true),
        );
        let found = max_pool(&a).unwrap().expect("the kernels serve this shape");
        let wanted = b.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        assert!(found.equal(&wanted), "{shape:?}");
        let gradient = random(
            [shape[0], shape[1], found.size()[2], found.size()[3]],
            device,
        );
        (&found * &gradient).sum(Kind::Float).backward();
        (&wanted * &gradient).sum(Kind::Float).backward();
        assert!(
            difference(&a.grad(), &b.grad()) < 0.008,
            "{shape:?}: gradient"
        );
    }
}

#[test]
#[ignore = "needs an NVIDIA GPU: `-- --ignored cuda`"]
fn a_recorded_step_does_what_the_step_does() {
    let device = gpu();
    let x = Tensor::zeros([4, 4], (Kind::Float, device));
    let mut sum = Tensor::zeros([4, 4], (Kind::Float, device));
    let mut graph = CudaGraph::new().unwrap();
    let mut step = || {
        let _guard = tch::no_grad_guard();
        let _ = sum.g_add_(&x.matmul(&x));
        Ok(())
    };
    graph.warm_up(&mut step).unwrap();
    graph.capture(&mut step).unwrap();
    let mut input = x.shallow_clone();
    for value in [1.0, 2.0] {
        let _guard = tch::no_grad_guard();
        let _ = input.fill_(value);
        graph.replay().unwrap();
    }
    // 4 * 1 + 4 * 4; the warm-up added zeros.
    assert_eq!(sum.double_value(&[0, 0]), 20.0);
}
