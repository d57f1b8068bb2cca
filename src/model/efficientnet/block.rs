//! A block of an EfficientNet, torchvision's `MBConv`: wider, each channel by itself, weighed, narrower (Sandler et al., 2018).

use tch::Tensor;

use super::{
    super::{
        layers::{BatchNorm, Conv, See, Source},
        network::Mode,
    },
    layout::Stage,
    squeeze::SqueezeExcitation,
};

/// A convolution with its BatchNorm.
pub(super) struct ConvNorm(Conv, BatchNorm);

impl ConvNorm {
    /// `name` is that of torchvision's `Conv2dNormActivation`, of which the first is the convolution.
    pub(super) fn new(source: &Source<'_>, name: &str, stride: i64) -> Self {
        let conv = Conv::new(source, &format!("{name}.0"), stride);
        Self(conv, BatchNorm::new(source, &format!("{name}.1")))
    }

    fn depthwise(source: &Source<'_>, name: &str, stride: i64) -> Self {
        let conv = Conv::depthwise(source, &format!("{name}.0"), stride);
        Self(conv, BatchNorm::new(source, &format!("{name}.1")))
    }

    fn linear(&self, x: &Tensor, train: bool) -> Tensor {
        self.1
            .forward(&self.0.forward(x, train), None, false, train)
    }

    /// With the activation behind it.
    pub(super) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.linear(x, train).silu()
    }

    pub(super) fn visit(&self, name: &str, see: &mut See<'_>) {
        self.0.visit(&format!("{name}.0"), see);
        self.1.visit(&format!("{name}.1"), see);
    }
}

pub(super) struct Block {
    /// Not where there are no more channels within than before.
    widen: Option<ConvNorm>,
    depthwise: ConvNorm,
    squeeze: SqueezeExcitation,
    narrow: ConvNorm,
    /// Whether its input is added: where height, width and channels stay.
    pub(super) adds: bool,
}

impl Block {
    pub(super) fn new(source: &Source<'_>, name: &str, stage: &Stage, first: bool) -> Self {
        let stride = if first { stage.stride } else { 1 };
        let widens = stage.expand > 1;
        let at = |i: usize| format!("{name}.{}", i - usize::from(!widens));
        let widen = widens.then(|| ConvNorm::new(source, &at(0), 1));
        Self {
            widen,
            depthwise: ConvNorm::depthwise(source, &at(1), stride),
            squeeze: SqueezeExcitation::new(source, &at(2)),
            narrow: ConvNorm::new(source, &at(3), 1),
            // No first block of this family's networks has as many channels before as behind it.
            adds: !first,
        }
    }

    /// `number` is its place among all blocks.
    pub(super) fn forward(&self, x: &Tensor, number: usize, mode: Mode<'_>) -> Tensor {
        let train = mode.trains();
        let wide = self.widen.as_ref().map(|widen| widen.forward(x, train));
        let y = self.depthwise.forward(wide.as_ref().unwrap_or(x), train);
        let y = self.squeeze.forward(&y, train);
        let y = self.narrow.linear(&y, train);
        match self.adds {
            true => mode.drop_branch(number, y).g_add_(x),
            false => y,
        }
    }

    pub(super) fn visit(&self, name: &str, see: &mut See<'_>) {
        let mut number = 0..;
        let mut next = || format!("{name}.{}", number.next().unwrap_or_default());
        if let Some(widen) = &self.widen {
            widen.visit(&next(), see);
        }
        self.depthwise.visit(&next(), see);
        self.squeeze.visit(&next(), see);
        self.narrow.visit(&next(), see);
    }
}
