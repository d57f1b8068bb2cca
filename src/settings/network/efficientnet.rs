//! The EfficientNets of Tan and Le (2019).

use super::{Family, LayerGroup};

/// Stem, seven stages of blocks, a last convolution, head.
pub(super) static FAMILY: Family = Family {
    layers: &[
        LayerGroup::new("features.0", &["features.0"]),
        LayerGroup::new("features.1", &["features.1"]),
        LayerGroup::new("features.2", &["features.2"]),
        LayerGroup::new("features.3", &["features.3"]),
        LayerGroup::new("features.4", &["features.4"]),
        LayerGroup::new("features.5", &["features.5"]),
        LayerGroup::new("features.6", &["features.6"]),
        LayerGroup::new("features.7", &["features.7"]),
        LayerGroup::new("features.8", &["features.8"]),
        LayerGroup::new("classifier", &["classifier"]),
    ],
    least_side: 1,
    zero_init_residual: None,
    stochastic_depth: Some(0.2),
    dropout: Some(0.2),
    // Until 30 November 2026 its gradients were PyTorch's but for the last bits.
    revision: Some(2),
};
