//! The residual networks of He et al. (2015).

use super::{Family, Part};

/// Stem, four layers of blocks, head.
pub(super) static FAMILY: Family = Family {
    layers: &[
        Part::new("conv1", &["conv1", "bn1"]),
        Part::new("layer1", &["layer1"]),
        Part::new("layer2", &["layer2"]),
        Part::new("layer3", &["layer3"]),
        Part::new("layer4", &["layer4"]),
        Part::new("fc", &["fc"]),
    ],
    least_side: 1,
    zero_init_residual: Some(false),
    stochastic_depth: None,
    dropout: None,
};
