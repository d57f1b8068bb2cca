//! Crops and affine maps.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::Degrees;
use crate::settings::{Positive, Probability, Side, number};

/// `random_resized_crop = { size = 224 }` (Szegedy et al., 2014).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// The side of the result in pixels.
    pub size: Side,
    /// The smallest and largest share of the area; `[0.08, 1.0]` by default.
    #[serde(default = "scale", deserialize_with = "number::ascending")]
    pub scale: [Probability; 2],
    /// The smallest and largest width : height; `[0.75, 1.3333333333333333]` by default.
    #[serde(default = "ratio", deserialize_with = "number::ascending")]
    pub ratio: [Positive; 2],
}

fn scale() -> [Probability; 2] {
    [Probability::known(0.08), Probability::known(1.0)]
}

fn ratio() -> [Positive; 2] {
    [Positive::known(0.75), Positive::known(4.0 / 3.0)]
}

/// `random_affine = { degrees = 15, translate = [0.1, 0.1], scale = [0.9, 1.1], shear = 10 }`; what is left out does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomAffine {
    /// The angle of rotation: `15` stands for `[-15, 15]`; 0 by default.
    #[serde(default = "upright")]
    pub degrees: Degrees,
    /// The largest shift to either side as a share of width and height; `[0, 0]` by default.
    #[serde(default = "still")]
    pub translate: [Probability; 2],
    /// The smallest and largest magnification; `[1, 1]` by default.
    #[serde(default = "unscaled", deserialize_with = "number::ascending")]
    pub scale: [Positive; 2],
    /// The angle of shear; 0 by default.
    #[serde(default)]
    pub shear: Shear,
}

fn upright() -> Degrees {
    Degrees::known(0.0, 0.0)
}

fn still() -> [Probability; 2] {
    [Probability::known(0.0); 2]
}

fn unscaled() -> [Positive; 2] {
    [Positive::known(1.0); 2]
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

impl<'de> Deserialize<'de> for Shear {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Shear;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a shear from 0 to below 90 degrees, or 2 or 4 of them from -90 to 90, each pair the smaller one first",
                )
            }

            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Shear, E> {
                let found = (v >= 0.0).then(|| Shear::new([-v, v, 0.0, 0.0])).flatten();
                found.ok_or_else(|| E::invalid_value(de::Unexpected::Float(v), &self))
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Shear, E> {
                self.visit_f64(v as f64)
            }

            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Shear, E> {
                self.visit_f64(v as f64)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Shear, A::Error> {
                let mut angles = Vec::new();
                while let Some(angle) = seq.next_element::<f64>()? {
                    angles.push(angle);
                }
                let shear = match angles[..] {
                    [a, b] => Shear::new([a, b, 0.0, 0.0]),
                    [a, b, c, d] => Shear::new([a, b, c, d]),
                    _ => return Err(de::Error::invalid_value(de::Unexpected::Seq, &self)),
                };
                shear.ok_or_else(|| de::Error::invalid_value(de::Unexpected::Seq, &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
