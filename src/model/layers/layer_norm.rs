//! LayerNorm as in PyTorch (Ba et al., 2016), with the epsilon of ConvNeXt.

use tch::Tensor;

use super::{Item, Parameter, See, Source};

const EPSILON: f64 = 1e-6;

/// Normalises over the last dimension.
pub(in crate::model) struct LayerNorm {
    weight: Parameter,
    bias: Parameter,
}

impl LayerNorm {
    pub(in crate::model) fn new(source: &Source<'_>, name: &str) -> Self {
        Self {
            weight: source.parameter(&format!("{name}.weight")),
            bias: source.parameter(&format!("{name}.bias")),
        }
    }

    /// [.., channels].
    pub(in crate::model) fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(
            self.weight.value.size(),
            Some(&self.weight.value),
            Some(&self.bias.value),
            EPSILON,
            true,
        )
    }

    /// [n, channels, h, w], over the channels of each pixel (torchvision's `LayerNorm2d`).
    pub(in crate::model) fn forward_2d(&self, x: &Tensor) -> Tensor {
        let last = self.forward(&x.permute([0, 2, 3, 1]));
        last.permute([0, 3, 1, 2])
    }

    pub(in crate::model) fn visit(&self, name: &str, see: &mut See<'_>) {
        see(format!("{name}.weight"), Item::Parameter(&self.weight));
        see(format!("{name}.bias"), Item::Parameter(&self.bias));
    }
}
