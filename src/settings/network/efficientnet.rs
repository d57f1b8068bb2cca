//! The EfficientNets of Tan and Le (2019).

use super::{Family, Part};

/// Stem, seven stages of blocks, a last convolution, head.
pub(super) static FAMILY: Family = Family {
    layers: &[
        Part::new("features.0", &["features.0"]),
        Part::new("features.1", &["features.1"]),
        Part::new("features.2", &["features.2"]),
        Part::new("features.3", &["features.3"]),
        Part::new("features.4", &["features.4"]),
        Part::new("features.5", &["features.5"]),
        Part::new("features.6", &["features.6"]),
        Part::new("features.7", &["features.7"]),
        Part::new("features.8", &["features.8"]),
        Part::new("classifier", &["classifier"]),
    ],
    least_side: 1,
    zero_init_residual: None,
    stochastic_depth: Some(0.2),
    dropout: Some(0.2),
};
