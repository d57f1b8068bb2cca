//! Changes of colour.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{FactorRange, HueShift};
use crate::settings::{Positive, Probability, number};

/// `color_jitter = { brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0.1 }`; what is left out stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColorJitter {
    /// The factor of brightness: `0.4` stands for `[0.6, 1.4]`.
    #[serde(default = "unchanged")]
    pub brightness: FactorRange,
    /// The factor of contrast, likewise.
    #[serde(default = "unchanged")]
    pub contrast: FactorRange,
    /// The factor of saturation, likewise.
    #[serde(default = "unchanged")]
    pub saturation: FactorRange,
    /// The shift of hue in turns of the colour wheel: `0.1` stands for `[-0.1, 0.1]`.
    #[serde(default = "unturned")]
    pub hue: HueShift,
    /// The probability that it acts at all, torchvision's `RandomApply`; 1 by default.
    #[serde(default = "always")]
    pub p: Probability,
}

fn unchanged() -> FactorRange {
    FactorRange::known(1.0, 1.0)
}

fn unturned() -> HueShift {
    HueShift::known(0.0, 0.0)
}

fn always() -> Probability {
    Probability::known(1.0)
}

/// `gaussian_blur = { kernel_size = 23, sigma = [0.1, 2.0] }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianBlur {
    /// The side of the kernel in pixels; the image is reflected at its edges.
    pub kernel_size: KernelSize,
    /// The smallest and largest standard deviation in pixels; `[0.1, 2.0]` by default.
    #[serde(default = "sigma", deserialize_with = "number::ascending")]
    pub sigma: [Positive; 2],
    /// The probability that it acts at all, torchvision's `RandomApply`; 1 by default.
    #[serde(default = "always")]
    pub p: Probability,
}

fn sigma() -> [Positive; 2] {
    [Positive::known(0.1), Positive::known(2.0)]
}

/// An odd number of pixels, so that a kernel has a middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct KernelSize(u32);

impl KernelSize {
    /// The value as a plain number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for KernelSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = KernelSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole and odd number of at least 1")
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<KernelSize, E> {
                let odd = u32::try_from(v).ok().filter(|v| v % 2 == 1);
                odd.map(KernelSize)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(v), &self))
            }

            fn visit_u64<E: de::Error>(self, v: u64) -> Result<KernelSize, E> {
                let odd = u32::try_from(v).ok().filter(|v| v % 2 == 1);
                odd.map(KernelSize)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(v), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
