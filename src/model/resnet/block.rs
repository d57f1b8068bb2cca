//! A residual block, basic or bottleneck: a chain of convolutions beside a shortcut.

use tch::Tensor;

use super::super::layers::{BatchNorm, Conv, See, Source};

/// `relu(norm(conv(… x)) + shortcut(x))`.
pub(super) struct Block {
    /// Two of 3x3, or 1x1, 3x3 and 1x1.
    convs: Vec<(Conv, BatchNorm)>,
    /// 1x1, where the shape changes.
    downsample: Option<(Conv, BatchNorm)>,
}

impl Block {
    /// `halves`: it halves height and width, in its first 3x3 convolution and in the shortcut.
    pub(super) fn new(source: &Source<'_>, name: &str, bottleneck: bool, halves: bool) -> Self {
        let strides: &[i64] = match (bottleneck, halves) {
            (false, false) => &[1, 1],
            (false, true) => &[2, 1],
            (true, false) => &[1, 1, 1],
            (true, true) => &[1, 2, 1],
        };
        let pair = |conv: &str, norm: &str, stride| {
            let conv = Conv::new(source, &format!("{name}.{conv}"), stride);
            (conv, BatchNorm::new(source, &format!("{name}.{norm}")))
        };
        let convs = (1..)
            .zip(strides)
            .map(|(i, &stride)| pair(&format!("conv{i}"), &format!("bn{i}"), stride));
        let downsample = source.has(&format!("{name}.downsample.0.weight"));
        Self {
            convs: convs.collect(),
            downsample: downsample
                .then(|| pair("downsample.0", "downsample.1", if halves { 2 } else { 1 })),
        }
    }

    pub(super) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let shortcut = self
            .downsample
            .as_ref()
            .map(|(conv, norm)| norm.forward(&conv.forward(x, train), None, false, train));
        let shortcut = shortcut.as_ref().unwrap_or(x);
        let last = self.convs.len() - 1;
        let mut y = x.shallow_clone();
        for (i, (conv, norm)) in self.convs.iter().enumerate() {
            let residual = (i == last).then_some(shortcut);
            y = norm.forward(&conv.forward(&y, train), residual, true, train);
        }
        y
    }

    pub(super) fn visit(&self, name: &str, see: &mut See<'_>) {
        for (i, (conv, norm)) in (1..).zip(&self.convs) {
            conv.visit(&format!("{name}.conv{i}"), see);
            norm.visit(&format!("{name}.bn{i}"), see);
        }
        if let Some((conv, norm)) = &self.downsample {
            conv.visit(&format!("{name}.downsample.0"), see);
            norm.visit(&format!("{name}.downsample.1"), see);
        }
    }
}
