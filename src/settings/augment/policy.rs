//! Policies that draw operations from a list, each with a strength from a scale.

use crate::settings::{
    Count,
    declare::{settings, words},
};

settings! {
    /// Some operations of one strength (Cubuk et al., 2019), with torchvision's defaults.
    #[example = "{ num_ops = 2, magnitude = 9 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct RandAugment {
        /// Operations one after the other.
        pub num_ops: Count = Count::known(2),
        /// The strength of all.
        #[accepts = "a whole number below `num_magnitude_bins`"]
        pub magnitude: u32 = 9,
        /// Steps of the scale of strengths.
        #[accepts = "a whole number of at least 2"]
        pub num_magnitude_bins: Count = Count::known(31),
    }
}

settings! {
    /// One operation of random strength (Müller and Hutter, 2021).
    #[example = "{}"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct TrivialAugmentWide {
        /// Steps of the scale of strengths.
        #[accepts = "a whole number of at least 2"]
        pub num_magnitude_bins: Count = Count::known(31),
    }
}

words! {
    /// A learnt policy (Cubuk et al., 2018).
    pub enum Policy {
        /// Learnt on ImageNet: 25 pairs of operations with their probabilities and strengths.
        Imagenet = "imagenet",
    }
}
