//! A residual block, basic or bottleneck: a chain of convolutions beside a shortcut.

use tch::Tensor;

use super::{super::StateDict, Copies, Item, conv::Conv, norm::BatchNorm, tensor::Source};

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

    pub(super) fn norms(&self) -> impl Iterator<Item = &BatchNorm> {
        let pairs = self.convs.iter().chain(&self.downsample);
        pairs.map(|(_, norm)| norm)
    }

    /// Makes the block begin as its shortcut. To be called without gradients.
    pub(super) fn zero_residual(&mut self) {
        if let Some((_, norm)) = self.convs.last_mut() {
            norm.zero_weight();
        }
    }

    pub(super) fn follow(&self, share: Option<f64>) {
        for (_, norm) in self.convs.iter().chain(&self.downsample) {
            norm.follow(share);
        }
    }

    pub(super) fn train(&mut self, on: bool) {
        for (conv, norm) in self.convs.iter_mut().chain(&mut self.downsample) {
            conv.train(on);
            norm.train(on);
        }
    }

    pub(super) fn load(&mut self, state: &StateDict, name: &str) {
        for (i, (conv, norm)) in (1..).zip(&mut self.convs) {
            conv.load(state, &format!("{name}.conv{i}"));
            norm.load(state, &format!("{name}.bn{i}"));
        }
        if let Some((conv, norm)) = &mut self.downsample {
            conv.load(state, &format!("{name}.downsample.0"));
            norm.load(state, &format!("{name}.downsample.1"));
        }
    }

    pub(super) fn channels_last(&mut self) {
        for (conv, _) in self.convs.iter_mut().chain(&mut self.downsample) {
            conv.channels_last();
        }
    }

    pub(super) fn compute_with(&mut self, name: &str, copy: Copies<'_>) {
        for (i, (conv, _)) in (1..).zip(&mut self.convs) {
            conv.compute_with(&format!("{name}.conv{i}"), copy);
        }
        if let Some((conv, _)) = &mut self.downsample {
            conv.compute_with(&format!("{name}.downsample.0"), copy);
        }
    }

    pub(super) fn visit(&self, name: &str, see: &mut dyn FnMut(String, Item<'_>)) {
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
