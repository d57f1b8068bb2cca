//! A linear layer.

use tch::Tensor;

use super::{Item, Parameter, See, Source};

/// [.., in] to [.., out].
pub(in crate::model) struct Linear {
    weight: Parameter,
    bias: Parameter,
}

impl Linear {
    pub(in crate::model) fn new(source: &Source<'_>, name: &str) -> Self {
        Self {
            weight: source.parameter(&format!("{name}.weight")),
            bias: source.parameter(&format!("{name}.bias")),
        }
    }

    pub(in crate::model) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        x.linear(&self.weight.used(train), Some(&self.bias.used(train)))
    }

    pub(in crate::model) fn visit(&self, name: &str, see: &mut See<'_>) {
        see(format!("{name}.weight"), Item::Parameter(&self.weight));
        see(format!("{name}.bias"), Item::Parameter(&self.bias));
    }
}
