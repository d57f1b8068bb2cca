//! The ConvNeXts of Liu et al. (2022).

use super::{Family, LayerGroup};

/// Stem, four stages, head. Each stage but the first begins with the module that halves height and width.
pub(super) static FAMILY: Family = Family {
    layers: &[
        LayerGroup::new("features.0", &["features.0"]),
        LayerGroup::new("features.1", &["features.1"]),
        LayerGroup::new("features.2", &["features.2", "features.3"]),
        LayerGroup::new("features.4", &["features.4", "features.5"]),
        LayerGroup::new("features.6", &["features.6", "features.7"]),
        LayerGroup::new("classifier", &["classifier"]),
    ],
    least_side: 32,
    zero_init_residual: None,
    stochastic_depth: Some(0.1),
    dropout: None,
    revision: None,
};
