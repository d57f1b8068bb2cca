//! The first values of a network, drawn as its layout says.

use std::f64::consts::TAU;

use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use rayon::prelude::*;

use super::{
    DType, StateDict, TensorData,
    layout::{First, Role, Slot},
};
use crate::seed::{Seed, stream};

/// First values for these slots. Every tensor is drawn from its own stream, so its bits depend on the seed and its name alone.
pub(super) fn state(slots: &[Slot], seed: Seed) -> StateDict {
    let fill = |slot: &Slot| (slot.name.clone(), tensor(slot, seed));
    slots
        .par_iter()
        .map(fill)
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}

fn tensor(slot: &Slot, seed: Seed) -> TensorData {
    if slot.role == Role::NormCount {
        return TensorData::i64_scalar(0);
    }
    let count = slot.shape.iter().product();
    let mut rng = stream(seed, &format!("initialise {}", slot.name), &[]);
    let values = match slot.first {
        First::Constant(value) => vec![value; count],
        First::Normal(std) => normal(&mut rng, count, std),
        First::Uniform(bound) => (0..count)
            .map(|_| (bound * (2.0 * unit(&mut rng) - 1.0)) as f32)
            .collect(),
    };
    TensorData {
        dtype: DType::F32,
        shape: slot.shape.clone(),
        bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

/// Draws from N(0, std²) by the transform of Box and Muller (1958).
fn normal(rng: &mut ChaCha8Rng, count: usize, std: f64) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        // 1 - u lies in (0, 1], so that the logarithm is finite.
        let radius = std * (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
        let (sin, cos) = (TAU * unit(rng)).sin_cos();
        values.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    values.truncate(count);
    values
}

/// Uniform in [0, 1) with 53 bits.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conv(seed: Seed) -> Vec<f32> {
        let slot = Slot {
            name: "layer1.0.conv1.weight".to_owned(),
            shape: vec![64, 64, 3, 3],
            role: Role::Weight,
            first: First::kaiming(64, 3),
        };
        tensor(&slot, seed).to_f32()
    }

    #[test]
    fn convolutions_are_normal_with_the_spread_of_fan_out() {
        let values = conv(1);
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let var = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
        let kurtosis = values.iter().map(|&v| f64::from(v).powi(4)).sum::<f64>() / n / var.powi(2);
        assert!(mean.abs() < 1e-3, "{mean}");
        assert!(
            (var.sqrt() / (2.0f64 / 576.0).sqrt() - 1.0).abs() < 0.02,
            "{var}"
        );
        assert!((kurtosis - 3.0).abs() < 0.1, "{kurtosis}");
    }

    #[test]
    fn values_repeat_by_seed_and_differ_between_seeds() {
        assert_eq!(conv(7), conv(7));
        assert_ne!(conv(7), conv(8));
    }

    #[test]
    fn the_head_is_uniform_within_its_bound() {
        let slot = Slot {
            name: "fc.weight".to_owned(),
            shape: vec![50, 512],
            role: Role::HeadWeight,
            first: First::Uniform(1.0 / 512f64.sqrt()),
        };
        let values = tensor(&slot, 3).to_f32();
        let bound = 1.0 / 512f32.sqrt();
        let largest = values.iter().fold(0f32, |m, v| m.max(v.abs()));
        assert!(largest <= bound && largest > 0.99 * bound);
    }
}
