//! Policies that draw operations from a list, each with a strength from a scale.

use serde::{Deserialize, Serialize};

use crate::settings::Count;

/// `rand_augment = { num_ops = 2, magnitude = 9 }` (Cubuk et al., 2019), with torchvision's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandAugment {
    /// Operations one after the other; 2 by default.
    #[serde(default = "two")]
    pub num_ops: Count,
    /// The strength of all, from 0 to below `num_magnitude_bins`; 9 by default.
    #[serde(default = "nine")]
    pub magnitude: u32,
    /// Steps of the scale of strengths, at least 2; 31 by default.
    #[serde(default = "bins")]
    pub num_magnitude_bins: Count,
}

/// `trivial_augment_wide = {}` (Müller and Hutter, 2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrivialAugmentWide {
    /// Steps of the scale of strengths, at least 2; 31 by default.
    #[serde(default = "bins")]
    pub num_magnitude_bins: Count,
}

/// `auto_augment = "imagenet"` (Cubuk et al., 2018): a learnt policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Learnt on ImageNet: 25 pairs of operations with their probabilities and strengths.
    Imagenet,
}

fn two() -> Count {
    Count::known(2)
}

fn nine() -> u32 {
    9
}

fn bins() -> Count {
    Count::known(31)
}
