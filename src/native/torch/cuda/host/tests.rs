use tch::{Device, Kind, Tensor};

use super::kernels_on_host;

const BF16: Kind = Kind::BFloat16;
const F32: Kind = Kind::Float;

fn random(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, (F32, Device::Cpu))
}

/// The largest difference, as a share of the largest value.
fn difference(found: &Tensor, wanted: &Tensor) -> f64 {
    let (found, wanted) = (found.to_kind(Kind::Double), wanted.to_kind(Kind::Double));
    let largest = wanted.abs().max().double_value(&[]).max(1e-12);
    (found - wanted).abs().max().double_value(&[]) / largest
}

/// A BatchNorm with what it gets: x [rows, channels], the gradient of its output, perhaps a residual, weight, bias, and running
/// mean and variance.
struct Norm {
    x: Tensor,
    gradient: Tensor,
    residual: Option<Tensor>,
    parameters: [Tensor; 4],
    rectify: bool,
}

impl Norm {
    fn new(rows: i64, channels: i64, with_residual: bool, rectify: bool) -> Self {
        let shape = [rows, channels];
        Self {
            x: (random(&shape) * 1.5 + 0.5).to_kind(BF16),
            gradient: random(&shape).to_kind(BF16),
            residual: with_residual.then(|| random(&shape).to_kind(BF16)),
            parameters: [
                Tensor::rand([channels], (F32, Device::Cpu)) + 0.5,
                random(&[channels]),
                random(&[channels]),
                Tensor::rand([channels], (F32, Device::Cpu)) + 0.5,
            ],
            rectify,
        }
    }

    /// y, dx, the residual's gradient if there is one, weight's, bias's, running mean and variance: by the kernels, as a GPU of so
    /// many multiprocessors runs them.
    fn by_kernels(&self, multiprocessors: i64) -> Vec<Tensor> {
        let (rows, channels) = self.x.size2().unwrap();
        let (rows, one) = ([rows, channels], [channels]);
        let mut inputs = vec![&self.x, &self.gradient];
        inputs.extend(&self.residual);
        inputs.extend(&self.parameters);
        let mut results: Vec<(Kind, &[i64])> = vec![(BF16, &rows), (BF16, &rows)];
        results.extend(self.residual.as_ref().map(|_| (BF16, &rows[..])));
        results.extend([(F32, &one[..]); 4]);
        let numbers = [
            multiprocessors,
            rows[0],
            channels,
            i64::from(self.residual.is_some()),
            i64::from(self.rectify),
        ];
        kernels_on_host("norm", &numbers, &inputs, &results)
    }

    /// The same by libtorch, in f32.
    fn by_libtorch(&self) -> Vec<Tensor> {
        let leaf = |x: &Tensor| x.to_kind(F32).copy().set_requires_grad(true);
        let x = leaf(&self.x);
        let residual = self.residual.as_ref().map(leaf);
        let (weight, bias) = (leaf(&self.parameters[0]), leaf(&self.parameters[1]));
        let (mean, var) = (self.parameters[2].copy(), self.parameters[3].copy());
        let moving = (Some(&mean), Some(&var));
        let mut y = x.batch_norm(
            Some(&weight),
            Some(&bias),
            moving.0,
            moving.1,
            true,
            0.1,
            1e-5,
            false,
        );
        if let Some(residual) = &residual {
            y += residual;
        }
        if self.rectify {
            y = y.relu();
        }
        (&y * self.gradient.to_kind(F32)).sum(F32).backward();
        let mut results = vec![y.detach(), x.grad()];
        results.extend(residual.map(|r| r.grad()));
        results.extend([weight.grad(), bias.grad(), mean, var]);
        results
    }
}

#[test]
fn batch_norm_of_the_gpu_agrees_with_libtorch_in_f32_forward_and_backward() {
    tch::manual_seed(3);
    for (rows, channels, multiprocessors, with_residual, rectify) in [
        (4 * 28 * 28, 64, 3, false, true),
        (4 * 14 * 14, 256, 2, true, true),
        (3 * 7 * 7, 512, 132, false, false),
        (3 * 7 * 7, 512, 132, true, false),
        (2 * 7 * 5, 2048, 132, true, true),
        (2 * 61 * 61, 16, 1, false, true),
        (9, 8, 132, true, true),
        (2, 64, 132, false, true),
    ] {
        let norm = Norm::new(rows, channels, with_residual, rectify);
        let name = format!("{rows} x {channels}, residual {with_residual}, rectified {rectify}");
        let (found, wanted) = (norm.by_kernels(multiprocessors), norm.by_libtorch());
        assert_eq!(found.len(), wanted.len());
        let f32s = found.len() - 4;
        for (i, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            let off = difference(found, wanted);
            // bf16 keeps eight bits: rounding moves a value by 1/256 of itself at most.
            let limit = if i < f32s { 0.004 } else { 1e-5 };
            assert!(off < limit, "{name}: result {i} is off by {off}");
        }
    }
}

#[test]
fn batch_norm_of_the_gpu_has_the_same_bits_however_its_threads_run() {
    tch::manual_seed(4);
    let norm = Norm::new(1500, 128, true, true);
    let (first, second) = (norm.by_kernels(2), norm.by_kernels(2));
    assert!(first.iter().zip(&second).all(|(a, b)| a.equal(b)));
}

#[test]
fn batch_norm_of_the_gpu_finds_a_small_variance_about_a_large_mean() {
    tch::manual_seed(5);
    let mut norm = Norm::new(4000, 32, false, false);
    norm.x = (random(&[4000, 32]) * 2.0 + 1000.0).to_kind(BF16);
    let (found, wanted) = (norm.by_kernels(1), norm.by_libtorch());
    let (found, wanted) = (found.last().unwrap(), wanted.last().unwrap());
    assert!(difference(found, wanted) < 1e-5, "running variance");
}

#[test]
fn batch_norm_of_the_gpu_lets_a_nan_be_seen() {
    let mut norm = Norm::new(300, 8, true, true);
    let _ = norm
        .residual
        .as_mut()
        .unwrap()
        .get(17)
        .get(3)
        .fill_(f64::NAN);
    let y = &norm.by_kernels(1)[0];
    assert!(y.double_value(&[17, 3]).is_nan() && y.isnan().sum(Kind::Int64).int64_value(&[]) == 1);
}

#[test]
fn max_pooling_of_the_gpu_is_that_of_libtorch_bit_for_bit() {
    tch::manual_seed(6);
    for [images, height, width, channels] in
        [[2, 32, 32, 64], [3, 7, 9, 8], [1, 1, 2, 16], [2, 1, 1, 8]]
    {
        // Rectified, so that many are equal: then the first counts.
        let x = random(&[images, height, width, channels])
            .relu()
            .to_kind(BF16);
        let (h, w) = ((height - 1) / 2 + 1, (width - 1) / 2 + 1);
        // Whole numbers, whose sums are exact in any order.
        let gradient = Tensor::randint_low(-9, 9, [images, h, w, channels], (F32, Device::Cpu));
        let sizes = [images, height, width, channels];
        let results = [(BF16, &[images, h, w, channels][..]), (BF16, &sizes[..])];
        let inputs = [&x, &gradient.to_kind(BF16)];
        let found = kernels_on_host("pool", &sizes, &inputs, &results);

        let input = x.to_kind(F32).set_requires_grad(true);
        let planes = input.permute([0, 3, 1, 2]);
        let y = planes
            .max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)
            .permute([0, 2, 3, 1]);
        (&y * &gradient).sum(F32).backward();
        assert!(found[0].to_kind(F32).equal(&y), "{sizes:?}");
        assert!(
            found[1].to_kind(F32).equal(&input.grad()),
            "{sizes:?}: gradient"
        );
    }
}

#[test]
fn max_pooling_of_the_gpu_lets_a_nan_be_seen() {
    let x = random(&[1, 9, 9, 8]).to_kind(BF16);
    let _ = x.get(0).get(4).get(4).get(2).fill_(f64::NAN);
    let gradient = random(&[1, 5, 5, 8]).to_kind(BF16);
    let results = [(BF16, &[1, 5, 5, 8][..]), (BF16, &[1, 9, 9, 8][..])];
    let y = &kernels_on_host("pool", &[1, 9, 9, 8], &[&x, &gradient], &results)[0];
    assert!(
        y.double_value(&[0, 2, 2, 2]).is_nan() && y.isnan().sum(Kind::Int64).int64_value(&[]) == 1
    );
}
