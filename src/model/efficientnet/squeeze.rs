//! Squeeze and excitation (Hu et al., 2018): channels weighed by what the whole image shows.

use tch::Tensor;

use super::super::layers::{Conv, See, Source};

/// `x * sigmoid(conv(silu(conv(mean(x)))))`.
pub(super) struct SqueezeExcitation {
    fc1: Conv,
    fc2: Conv,
}

impl SqueezeExcitation {
    pub(super) fn new(source: &Source<'_>, name: &str) -> Self {
        Self {
            fc1: Conv::new(source, &format!("{name}.fc1"), 1),
            fc2: Conv::new(source, &format!("{name}.fc2"), 1),
        }
    }

    pub(super) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let mean = x.adaptive_avg_pool2d([1, 1]);
        let squeezed = self.fc1.forward(&mean, train).silu_();
        self.fc2.forward(&squeezed, train).sigmoid() * x
    }

    pub(super) fn visit(&self, name: &str, see: &mut See<'_>) {
        self.fc1.visit(&format!("{name}.fc1"), see);
        self.fc2.visit(&format!("{name}.fc2"), see);
    }
}
