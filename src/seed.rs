//! Named random streams. A draw depends on (seed, purpose, position) alone: never on thread count, order of arrival or resume.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::digest::Parts;

/// A seed as written in a pipeline file.
pub type Seed = u32;

/// The generator for one purpose at one position, such as `("augment", [epoch, sample])`.
///
/// ChaCha8 seeded by the blake3 digest of seed, purpose and position (counter-based draws after Salmon et al., 2011).
#[must_use]
pub fn stream(seed: Seed, purpose: &str, position: &[u64]) -> ChaCha8Rng {
    let mut parts = Parts::new("kfood 2026 random stream");
    parts.part(seed.to_le_bytes()).part(purpose);
    for number in position {
        parts.part(number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(parts.finish().0)
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::Rng;

    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_position_and_repeat() {
        let first = |seed, purpose, at: &[u64]| stream(seed, purpose, at).next_u64();
        assert_eq!(first(1, "split", &[0]), first(1, "split", &[0]));
        assert_ne!(first(1, "split", &[0]), first(2, "split", &[0]));
        assert_ne!(first(1, "split", &[0]), first(1, "shuffle", &[0]));
        assert_ne!(first(1, "split", &[0]), first(1, "split", &[1]));
    }
}
