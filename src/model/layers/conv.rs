//! A convolution.

use tch::{Device, Kind, Tensor};

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
        let weight = self.weight.used(train);
        let bias = self.bias.as_ref().map(|bias| bias.used(train));
        if !self.is_misread(x, &weight) {
            return self.convolved(x, &weight, bias.as_ref());
        }
        // Autocast leaves f64 alone, and other code computes it. Such inputs are a pixel or two wide: it costs nothing.
        let exact = |tensor: &Tensor| tensor.to_kind(Kind::BFloat16).to_kind(Kind::Double);
        let bias = bias.as_ref().map(exact);
        let y = self.convolved(&exact(x), &exact(&weight), bias.as_ref());
        y.to_kind(Kind::BFloat16)
    }

    fn convolved(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        x.conv2d(weight, bias, stride, padding, [1, 1], self.groups)
    }

    /// Whether oneDNN (as libtorch 2.11 has it, with AVX-512 and AMX) would read memory that nobody wrote: bf16 convolutions with a
    /// stride do where the result is one pixel wide, unless it is a single pixel of an input that is wider. Values, or gradients of the
    /// weight, then differ from run to run, and some are no numbers. Found by trying kernels of 1 to 7 on inputs of 1 to 8 pixels.
    fn is_misread(&self, x: &Tensor, weight: &Tensor) -> bool {
        // Nearly all convolutions end here: this is asked in every pass.
        if self.stride == 1 {
            return false;
        }
        let (&[.., height, width], Some(&k)) = (x.size().as_slice(), weight.size().last()) else {
            return false;
        };
        let after = |side: i64| (side + 2 * self.padding - k) / self.stride + 1;
        let bf16 = || {
            [x, weight]
                .iter()
                .any(|tensor| tensor.kind() == Kind::BFloat16)
        };
        let narrow = after(width) == 1 && (width == 1 || after(height) > 1);
        k > 1 && narrow && x.device() == Device::Cpu && bf16()
    }

    pub(in crate::model) fn visit(&self, name: &str, see: &mut See<'_>) {
        see(format!("{name}.weight"), Item::Parameter(&self.weight));
        if let Some(bias) = &self.bias {
            see(format!("{name}.bias"), Item::Parameter(bias));
        }
    }
}
