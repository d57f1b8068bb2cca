//! A residual block of a ConvNeXt.

use tch::Tensor;

use super::super::{
    layers::{Conv, Item, LayerNorm, Linear, Parameter, See, Source},
    network::Mode,
};

/// `x + scale * linear(gelu(linear(norm(depthwise(x)))))`, behind the convolution with the channels last.
pub(super) struct Block {
    scale: Parameter,
    depthwise: Conv,
    norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Block {
    pub(super) fn new(source: &Source<'_>, name: &str) -> Self {
        Self {
            scale: source.parameter(&format!("{name}.layer_scale")),
            depthwise: Conv::depthwise(source, &format!("{name}.block.0"), 1),
            norm: LayerNorm::new(source, &format!("{name}.block.2")),
            widen: Linear::new(source, &format!("{name}.block.3")),
            narrow: Linear::new(source, &format!("{name}.block.5")),
        }
    }

    /// `number` is its place among all blocks.
    pub(super) fn forward(&self, x: &Tensor, number: usize, mode: Mode<'_>) -> Tensor {
        let train = mode.trains();
        let y = self.depthwise.forward(x, train).permute([0, 2, 3, 1]);
        let y = self.widen.forward(&self.norm.forward(&y), train);
        let y = self.narrow.forward(&y.gelu("none"), train);
        let y = &self.scale.value * y.permute([0, 3, 1, 2]);
        mode.drop_branch(number, y).g_add_(x)
    }

    pub(super) fn visit(&self, name: &str, see: &mut See<'_>) {
        see(format!("{name}.layer_scale"), Item::Parameter(&self.scale));
        self.depthwise.visit(&format!("{name}.block.0"), see);
        self.norm.visit(&format!("{name}.block.2"), see);
        self.widen.visit(&format!("{name}.block.3"), see);
        self.narrow.visit(&format!("{name}.block.5"), see);
    }
}
