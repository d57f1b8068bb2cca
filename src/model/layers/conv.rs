//! A convolution.

use tch::Tensor;

use super::{Item, Parameter, See, Source};

/// A k x k convolution; with a bias where the state dict has one.
pub(in crate::model) struct Conv {
    weight: Parameter,
    bias: Option<Parameter>,
    stride: i64,
    padding: i64,
    groups: i64,
}

impl Conv {
    /// Padded by (k - 1) / 2.
    pub(in crate::model) fn new(source: &Source<'_>, name: &str, stride: i64) -> Self {
        let weight = source.parameter(&format!("{name}.weight"));
        let padding = weight.value.size().last().map_or(0, |side| (side - 1) / 2);
        let bias = format!("{name}.bias");
        Self {
            weight,
            bias: source.has(&bias).then(|| source.parameter(&bias)),
            stride,
            padding,
            groups: 1,
        }
    }

    /// The same, each channel by itself.
    pub(in crate::model) fn depthwise(source: &Source<'_>, name: &str, stride: i64) -> Self {
        let conv = Self::new(source, name, stride);
        let channels = conv.weight.value.size().first().copied();
        Self {
            groups: channels.unwrap_or(1),
            ..conv
        }
    }

    /// Of squares that lie side by side: the stride is their side, nothing is padded.
    pub(in crate::model) fn patches(source: &Source<'_>, name: &str) -> Self {
        let conv = Self::new(source, name, 1);
        let side = conv.weight.value.size().last().copied();
        Self {
            stride: side.unwrap_or(1),
            padding: 0,
            ..conv
        }
    }

    pub(in crate::model) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        x.conv2d(
            &self.weight.used(train),
            self.bias.as_ref().map(|bias| bias.used(train)),
            [self.stride, self.stride],
            [self.padding, self.padding],
            [1, 1],
            self.groups,
        )
    }

    pub(in crate::model) fn visit(&self, name: &str, see: &mut See<'_>) {
        see(format!("{name}.weight"), Item::Parameter(&self.weight));
        if let Some(bias) = &self.bias {
            see(format!("{name}.bias"), Item::Parameter(bias));
        }
    }
}
