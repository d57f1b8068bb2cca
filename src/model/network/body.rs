//! What a family's networks do.

use tch::Tensor;

use super::{
    super::layers::{See, Source},
    Mode,
};

/// A network of some family.
pub(in crate::model) trait Body {
    /// Images [n, 3, height, width] to the last feature maps, [n, features, h, w].
    fn maps(&self, x: &Tensor, mode: Mode<'_>) -> Tensor;

    /// The means over those maps: what the head sees, [n, features].
    fn pooled(&self, maps: &Tensor) -> Tensor {
        maps.adaptive_avg_pool2d([1, 1]).flatten(1, -1)
    }

    /// Images [n, 3, height, width] to what the head sees, [n, features].
    fn features(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
        self.pooled(&self.maps(x, mode))
    }

    /// What the head sees to logits [n, classes].
    fn logits(&self, features: &Tensor, mode: Mode<'_>) -> Tensor;

    /// Images to logits.
    fn forward(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
        self.logits(&self.features(x, mode), mode)
    }

    /// Takes a new last linear layer.
    fn replace_head(&mut self, source: &Source<'_>);

    /// Shows every tensor by its name, in torchvision's order.
    fn visit(&self, see: &mut See<'_>);

    /// With which share of `stochastic_depth` each of its residual branches is dropped, in the order of the forward pass.
    fn depth(&self) -> Vec<f64> {
        Vec::new()
    }
}
