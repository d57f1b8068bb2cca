//! Random erasing.

use serde::{Deserialize, Deserializer, Serialize};

use crate::settings::{
    Positive, Probability,
    declare::{End, Interval, Refused, Shape, Ways, Word, plain, read_ways, settings},
    number,
};

settings! {
    /// A rectangle set to a value (Zhong et al., 2017), with torchvision's defaults.
    #[example = "{ p = 0.25 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct RandomErasing {
        /// The probability that an image loses a rectangle.
        pub p: Probability = Probability::known(0.5),
        /// The smallest and largest share of the area.
        #[by = number::ascending]
        pub scale: [Probability; 2] = [Probability::known(0.02), Probability::known(0.33)],
        /// The smallest and largest height : width.
        #[by = number::ascending]
        pub ratio: [Positive; 2] = [Positive::known(0.3), Positive::known(3.3)],
        /// What the rectangle holds then, in normalised values.
        pub value: Erased = Erased::default(),
    }
}

/// What an erased rectangle holds: `0`, `[r, g, b]` or `"random"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Erased {
    /// A value for each channel.
    Constant([f64; 3]),
    /// Each value of its own from a normal distribution of mean 0 and standard deviation 1.
    Random,
}

impl Default for Erased {
    fn default() -> Self {
        Self::Constant([0.0; 3])
    }
}

impl Serialize for Erased {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(values) => values.serialize(serializer),
            Self::Random => serializer.serialize_str("random"),
        }
    }
}

const NUMBER: Shape = Shape::Number(Interval {
    low: End::Open,
    high: End::Open,
});

plain! {
    Erased: Shape::Ways(vec![
        NUMBER,
        Shape::List { item: Box::new(NUMBER), length: Some(3) },
        Shape::Word(vec![Word {
            name: "random",
            doc: "Each value of its own from a normal distribution of mean 0 and standard deviation 1.",
        }]),
    ])
}

impl Ways for Erased {
    const LISTS: bool = true;

    fn expects() -> String {
        "a number, three of them for red, green and blue, or `\"random\"`".to_owned()
    }

    fn word(word: &str) -> Result<Self, Refused> {
        match word {
            "random" => Ok(Self::Random),
            _ => Err(Refused::Value),
        }
    }

    fn number(number: f64) -> Result<Self, Refused> {
        Self::numbers(&[number; 3])
    }

    fn numbers(numbers: &[f64]) -> Result<Self, Refused> {
        match *numbers {
            [r, g, b] if numbers.iter().all(|v| v.is_finite()) => Ok(Self::Constant([r, g, b])),
            _ => Err(Refused::Value),
        }
    }
}

impl<'de> Deserialize<'de> for Erased {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}
