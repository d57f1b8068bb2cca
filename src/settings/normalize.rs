//! Normalisation of pixels: (value / 255 - mean) / std, a channel at a time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// `normalize = "dataset"`, `"imagenet"`, `"none"` or `{ mean = [r, g, b], std = [r, g, b] }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalize {
    /// Values stay in 0..1.
    #[default]
    None,
    /// Channel mean and standard deviation of the training part only.
    Dataset,
    /// ImageNet's mean and standard deviation, as in torchvision.
    Imagenet,
    /// As given.
    Given(MeanStd),
}

/// Channel means and standard deviations in red, green, blue; pixel values from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanStd {
    /// Subtracted.
    pub mean: [f64; 3],
    /// Divided by; above 0.
    pub std: [f64; 3],
}

impl MeanStd {
    /// Leaves values in 0..1.
    pub const IDENTITY: Self = Self {
        mean: [0.0; 3],
        std: [1.0; 3],
    };
    /// torchvision's constants for ImageNet.
    pub const IMAGENET: Self = Self {
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    };
}

const ACCEPTS: &str = "`\"dataset\"`, `\"imagenet\"`, `\"none\"` or `{ mean = [r, g, b], std = [r, g, b] }` with std above 0";

impl<'de> Deserialize<'de> for Normalize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Normalize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ACCEPTS)
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<Normalize, E> {
        match v {
            "none" => Ok(Normalize::None),
            "dataset" => Ok(Normalize::Dataset),
            "imagenet" => Ok(Normalize::Imagenet),
            _ => Err(E::invalid_value(de::Unexpected::Str(v), &self)),
        }
    }

    /// A table: the two arrays as a person writes them, or `given` around them as a job file has it.
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Normalize, A::Error> {
        let (mut mean, mut std) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "mean" => mean = Some(map.next_value()?),
                "std" => std = Some(map.next_value()?),
                "given" => return check(map.next_value()?),
                _ => return Err(de::Error::unknown_field(&key, &["mean", "std"])),
            }
        }
        let mean = mean.ok_or_else(|| de::Error::missing_field("mean"))?;
        let std = std.ok_or_else(|| de::Error::missing_field("std"))?;
        check(MeanStd { mean, std })
    }
}

fn check<E: de::Error>(given: MeanStd) -> Result<Normalize, E> {
    let finite = given.mean.iter().all(|v| v.is_finite());
    if finite && given.std.iter().all(|v| v.is_finite() && *v > 0.0) {
        return Ok(Normalize::Given(given));
    }
    Err(E::custom(format_args!("invalid value: expected {ACCEPTS}")))
}
