//! One buffer for many tensors.

use tch::Tensor;

use crate::error::Result;

/// The most elements of f32 that a vector of a processor holds (AVX-512).
const VECTOR: usize = 16;

/// A stretch of a flat buffer: as a whole, and as a tensor for each parameter that lies in it, one behind the other.
pub(super) struct Flat {
    /// Of one dimension.
    pub(super) whole: Tensor,
    /// Each of its parameter's shape and memory order.
    pub(super) pieces: Vec<Tensor>,
    /// The whole for kernels that compute in vectors, whose last bits are others for what is left behind whole vectors: on a CPU it
    /// ends with each parameter that has such a rest, where it ends for PyTorch, which steps parameter by parameter.
    pub(super) stretches: Vec<Tensor>,
}

impl Flat {
    /// The pieces of `whole` for these parameters, which fill it. A parameter lies densely in memory, in whatever order.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn new(whole: Tensor, params: &[Tensor]) -> Result<Self> {
        let mut pieces = Vec::with_capacity(params.len());
        let mut stretches = Vec::new();
        let (mut begun, mut start) = (0, 0);
        for (i, param) in params.iter().enumerate() {
            let length = param.numel() as i64;
            let piece = whole.f_narrow(0, start, length)?;
            pieces.push(piece.f_as_strided(param.size(), param.stride(), None)?);
            start += length;
            let rest = !param.device().is_cuda() && !param.numel().is_multiple_of(VECTOR);
            if rest || i + 1 == params.len() {
                stretches.push(whole.f_narrow(0, begun, start - begun)?);
                begun = start;
            }
        }
        Ok(Self {
            whole,
            pieces,
            stretches,
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::native::{AdamStep, SgdStep, fused_adam, fused_sgd};

    /// Lengths of parameters with rests amid them, as the squeezes of an EfficientNet have.
    const SIZES: [i64; 8] = [
        64 * 3 * 49,
        64,
        10,
        240 * 10,
        6,
        64 * 64 * 9,
        20 * 512 + 3,
        20,
    ];

    fn numbers(shift: f64) -> Tensor {
        let numbers = Tensor::arange(SIZES.iter().sum::<i64>(), (Kind::Double, Device::Cpu));
        (numbers.g_mul_scalar(0.7).g_add_scalar(shift).sin() * 0.1).to_kind(Kind::Float)
    }

    /// A step of SGD, Adam or AdamW of parameters, gradients, and two kinds of state.
    fn step(kind: usize, [params, grads, means, squares]: [&[Tensor]; 4], count: &Tensor) {
        let lr = Tensor::from(0.01);
        let sgd = SgdStep {
            lr: &lr,
            momentum: 0.9,
            weight_decay: 0.01,
            nesterov: false,
        };
        let adam = AdamStep {
            lr: &lr,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.01,
            decoupled: kind == 2,
        };
        match kind {
            0 => fused_sgd(params, grads, Some(means), sgd).unwrap(),
            _ => fused_adam(params, grads, means, squares, count, adam).unwrap(),
        }
    }

    #[test]
    fn a_step_of_stretches_is_that_of_the_parameters_one_by_one_to_the_bit() {
        for kind in 0..3 {
            let fresh = || {
                [
                    numbers(0.0),
                    numbers(1.0),
                    numbers(2.0) * 0.1,
                    numbers(3.0).square(),
                ]
            };
            let (flat, single) = (fresh(), fresh());
            let pieces = single.each_ref().map(|t| t.split_with_sizes(SIZES, 0));
            let flats = flat
                .each_ref()
                .map(|whole| Flat::new(whole.shallow_clone(), &pieces[0]).unwrap());
            assert_eq!(flats[0].stretches.len(), 4);
            for steps in 0..3 {
                let count = || Tensor::from(steps as f32);
                step(
                    kind,
                    flats.each_ref().map(|f| f.stretches.as_slice()),
                    &count(),
                );
                for i in 0..SIZES.len() {
                    let one = pieces.each_ref().map(|list| &list[i..=i]);
                    step(kind, one, &count());
                }
            }
            for (one, other) in flat.iter().zip(&single) {
                assert!(one.equal(other), "{kind}");
            }
        }
    }
}
