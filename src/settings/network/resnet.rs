//! The residual networks of He et al. (2015).

use super::{Family, LayerGroup};

/// Stem, four layers of blocks, head.
pub(super) static FAMILY: Family = Family {
    layers: &[
        LayerGroup::new("conv1", &["conv1", "bn1"]),
        LayerGroup::new("layer1", &["layer1"]),
        LayerGroup::new("layer2", &["layer2"]),
        LayerGroup::new("layer3", &["layer3"]),
        LayerGroup::new("layer4", &["layer4"]),
        LayerGroup::new("fc", &["fc"]),
    ],
    least_side: 1,
    zero_init_residual: Some(false),
    stochastic_depth: None,
    dropout: None,
    revision: None,
};
