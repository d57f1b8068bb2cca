//! Changes of colour.

use serde::{Deserialize, Deserializer, Serialize};

use super::{FactorRange, HueShift};
use crate::settings::{
    Positive, Probability,
    declare::{Refused, Shape, Ways, plain, read_ways, settings},
    number,
};

settings! {
    /// Brightness, contrast, saturation and hue; what is left out stays as it is.
    #[example = "{ brightness = 0.4, hue = 0.1 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct ColorJitter {
        /// The factor of brightness: `0.4` stands for `[0.6, 1.4]`.
        pub brightness: FactorRange = FactorRange::known(1.0, 1.0),
        /// The factor of contrast, likewise.
        pub contrast: FactorRange = FactorRange::known(1.0, 1.0),
        /// The factor of saturation, likewise.
        pub saturation: FactorRange = FactorRange::known(1.0, 1.0),
        /// The shift of hue in turns of the colour wheel: `0.1` stands for `[-0.1, 0.1]`.
        pub hue: HueShift = HueShift::known(0.0, 0.0),
        /// The probability that it acts at all, torchvision's `RandomApply`.
        pub p: Probability = Probability::known(1.0),
    }
}

settings! {
    /// A Gaussian kernel over the image.
    #[example = "{ kernel_size = 23, sigma = [0.1, 2.0] }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct GaussianBlur {
        /// The side of the kernel in pixels; the image is reflected at its edges.
        #[accepts = "a whole and odd number of at least 1"]
        pub kernel_size: KernelSize,
        /// The smallest and largest standard deviation in pixels.
        #[by = number::ascending]
        pub sigma: [Positive; 2] = [Positive::known(0.1), Positive::known(2.0)],
        /// The probability that it acts at all, torchvision's `RandomApply`.
        pub p: Probability = Probability::known(1.0),
    }
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

plain! { KernelSize: Shape::Whole { least: 1, most: u32::MAX } }

impl Ways for KernelSize {
    fn expects() -> String {
        "a whole and odd number of at least 1".to_owned()
    }

    fn whole(number: i64) -> Result<Self, Refused> {
        let odd = u32::try_from(number).ok().filter(|v| v % 2 == 1);
        odd.map(Self).ok_or(Refused::Value)
    }
}

impl<'de> Deserialize<'de> for KernelSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}
