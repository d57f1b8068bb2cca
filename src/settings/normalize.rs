//! Normalisation of pixels: (value / 255 - mean) / std, a channel at a time.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess},
};

use super::declare::{Refused, Setting, Shape, Ways, Word, read_ways, settings};

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

settings! {
    /// Channel means and standard deviations in red, green, blue; pixel values from 0 to 1.
    #[example = "{ mean = [r, g, b], std = [r, g, b] }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct MeanStd {
        /// Subtracted.
        pub mean: [f64; 3],
        /// Divided by.
        #[accepts = "three numbers above 0"]
        pub std: [f64; 3],
    }
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

const WORDS: [(&str, &str); 3] = [
    (
        "dataset",
        "Channel mean and standard deviation of the training part only.",
    ),
    (
        "imagenet",
        "ImageNet's mean and standard deviation, as in torchvision.",
    ),
    ("none", "Values stay in 0..1."),
];

impl Setting for Normalize {
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        let words = WORDS.map(|(name, doc)| Word { name, doc });
        Shape::Ways(vec![Shape::Word(words.to_vec()), MeanStd::shape()])
    }

    fn accepts() -> String {
        "`\"dataset\"`, `\"imagenet\"`, `\"none\"` or `{ mean = [r, g, b], std = [r, g, b] }`"
            .to_owned()
    }
}

impl Ways for Normalize {
    fn expects() -> String {
        format!("{} with std above 0", Self::accepts())
    }

    fn word(word: &str) -> Result<Self, Refused> {
        match word {
            "none" => Ok(Self::None),
            "dataset" => Ok(Self::Dataset),
            "imagenet" => Ok(Self::Imagenet),
            _ => Err(Refused::Value),
        }
    }

    /// The two arrays as a person writes them, or `given` around them as a job file has it.
    fn table<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
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

impl<'de> Deserialize<'de> for Normalize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}

fn check<E: de::Error>(given: MeanStd) -> Result<Normalize, E> {
    let finite = given.mean.iter().all(|v| v.is_finite());
    if finite && given.std.iter().all(|v| v.is_finite() && *v > 0.0) {
        return Ok(Normalize::Given(given));
    }
    let expects = Normalize::expects();
    Err(E::custom(format_args!("invalid value: expected {expects}")))
}
