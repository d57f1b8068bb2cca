//! Crops and affine maps.

use serde::{Deserialize, Deserializer, Serialize};

use super::Degrees;
use crate::settings::{
    Positive, Probability, Side,
    declare::{End, Interval, Refused, Shape, Ways, plain, read_ways, settings},
    number,
};

settings! {
    /// A crop of random area and aspect, resized to a square (Szegedy et al., 2014).
    #[example = "{ size = 224 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct RandomResizedCrop {
        /// The side of the result in pixels.
        pub size: Side,
        /// The smallest and largest share of the area.
        #[by = number::ascending]
        pub scale: [Probability; 2] = [Probability::known(0.08), Probability::known(1.0)],
        /// The smallest and largest width : height.
        #[by = number::ascending]
        pub ratio: [Positive; 2] = [Positive::known(0.75), Positive::known(4.0 / 3.0)],
    }
}

settings! {
    /// Rotation, translation, scale and shear about the centre; what is left out does nothing.
    #[example = "{ degrees = 15, translate = [0.1, 0.1] }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct RandomAffine {
        /// The angle of rotation: `15` stands for `[-15, 15]`.
        pub degrees: Degrees = Degrees::known(0.0, 0.0),
        /// The largest shift to either side as a share of width and height.
        pub translate: [Probability; 2] = [Probability::known(0.0); 2],
        /// The smallest and largest magnification.
        #[by = number::ascending]
        pub scale: [Positive; 2] = [Positive::known(1.0); 2],
        /// The angle of shear, along x and y.
        #[accepts = "a number of degrees, or 2 or 4 of them"]
        #[unset = "0"]
        pub shear: Shear = Shear::default(),
    }
}

/// Angles of shear in degrees, as torchvision reads them: `10` is -10 to 10 along x, `[a, b]` is a to b along x, and
/// `[a, b, c, d]` is c to d along y as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Shear([f64; 4]);

impl Shear {
    /// The smallest and largest angle along x.
    #[must_use]
    pub const fn x(self) -> [f64; 2] {
        [self.0[0], self.0[1]]
    }

    /// The smallest and largest angle along y.
    #[must_use]
    pub const fn y(self) -> [f64; 2] {
        [self.0[2], self.0[3]]
    }

    fn new(angles: [f64; 4]) -> Option<Self> {
        let within = angles.iter().all(|a| a.abs() < 90.0);
        (within && angles[0] <= angles[1] && angles[2] <= angles[3]).then_some(Self(angles))
    }
}

const ANGLE: Shape = Shape::Number(Interval {
    low: End::Without(-90.0),
    high: End::Without(90.0),
});

plain! {
    Shear: {
        let list = |length| Shape::List { item: Box::new(ANGLE), length: Some(length) };
        Shape::Ways(vec![ANGLE, list(2), list(4)])
    }
}

impl Ways for Shear {
    const LISTS: bool = true;

    fn expects() -> String {
        "a shear from 0 to below 90 degrees, or 2 or 4 of them from -90 to 90, each pair the smaller one first".to_owned()
    }

    fn number(number: f64) -> Result<Self, Refused> {
        let shear = Self::new([-number, number, 0.0, 0.0]);
        shear.filter(|_| number >= 0.0).ok_or(Refused::Value)
    }

    fn numbers(numbers: &[f64]) -> Result<Self, Refused> {
        let shear = match *numbers {
            [a, b] => Self::new([a, b, 0.0, 0.0]),
            [a, b, c, d] => Self::new([a, b, c, d]),
            _ => None,
        };
        shear.ok_or(Refused::Value)
    }
}

impl<'de> Deserialize<'de> for Shear {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}
