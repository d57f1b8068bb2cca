//! Numbers from a random stream.

use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// From 0 to below 1, with 53 bits.
pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Between two numbers.
pub(crate) fn uniform(rng: &mut ChaCha8Rng, [low, high]: [f64; 2]) -> f64 {
    low + (high - low) * unit(rng)
}

/// A whole number from 0 to below `n`.
pub(crate) fn below(rng: &mut ChaCha8Rng, n: f64) -> f64 {
    (unit(rng) * n).floor()
}

/// Two independent numbers of a normal distribution with mean 0 and standard deviation 1 (Box and Muller, 1958).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> [f64; 2] {
    // From above 0 to 1, or its logarithm would not be finite.
    let radius = (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * unit(rng)).sin_cos();
    [radius * cos, radius * sin]
}
