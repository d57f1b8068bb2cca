//! A convolution without bias.

use tch::Tensor;

use super::{
    super::StateDict,
    Copies, Item,
    tensor::{self, Source},
};

/// A k x k convolution, padded by (k - 1) / 2.
pub(super) struct Conv {
    weight: Tensor,
    /// Training passes compute with it in place of the weight.
    copy: Option<Tensor>,
    stride: i64,
    padding: i64,
}

impl Conv {
    pub(super) fn new(source: &Source<'_>, name: &str, stride: i64) -> Self {
        let weight = source.parameter(&format!("{name}.weight"));
        let padding = weight.size().last().map_or(0, |side| (side - 1) / 2);
        Self {
            weight,
            copy: None,
            stride,
            padding,
        }
    }

    pub(super) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let copy = self.copy.as_ref().filter(|_| train);
        x.conv2d(
            copy.unwrap_or(&self.weight),
            None::<Tensor>,
            [self.stride, self.stride],
            [self.padding, self.padding],
            [1, 1],
            1,
        )
    }

    pub(super) fn train(&mut self, on: bool) {
        let _ = self.weight.set_requires_grad(on);
        if let Some(copy) = &self.copy {
            let _ = copy.set_requires_grad(on);
        }
    }

    pub(super) fn compute_with(&mut self, name: &str, copy: Copies<'_>) {
        self.copy = copy(&format!("{name}.weight"));
    }

    pub(super) fn load(&mut self, state: &StateDict, name: &str) {
        tensor::copy(&mut self.weight, state, &format!("{name}.weight"));
    }

    /// `set_data` and not a new tensor: an optimizer may already hold a clone.
    pub(super) fn channels_last(&mut self) {
        let last = self
            .weight
            .detach()
            .permute([0, 2, 3, 1])
            .contiguous()
            .permute([0, 3, 1, 2]);
        self.weight.set_data(&last);
    }

    pub(super) fn visit(&self, name: &str, see: &mut dyn FnMut(String, Item<'_>)) {
        see(format!("{name}.weight"), Item::Tensor(&self.weight));
    }
}
