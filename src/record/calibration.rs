//! The result of a calibration, `calibration.json`: numbers alone.

use serde::{Deserialize, Serialize};

use super::{Interval, Part};

/// `calibration.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What logits are divided by, fitted on the validation part.
    pub temperature: f64,
    /// Whether the cross entropy has its least value there. Where every validation image is right, it has none, and the temperature is 1.
    pub fitted: bool,
    /// Each part that was evaluated, but train: validation, then test.
    pub parts: Vec<CalibratedPart>,
    /// From which probability on the model is sure enough; `None` where no precision was asked for.
    pub threshold: Option<Threshold>,
}

/// One part before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibratedPart {
    /// Which part.
    pub part: Part,
    /// Images in it.
    pub images: u64,
    /// As the model says it: temperature 1.
    pub before: Sureness,
    /// Under the temperature.
    pub after: Sureness,
    /// Under the temperature: the accuracy on the images of which the model is surest, from few to all.
    pub coverage: Vec<Coverage>,
}

/// How sure a model is on one part, as it says it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartSureness {
    /// Which part.
    pub part: Part,
    /// Images in it.
    pub images: u64,
    /// At temperature 1.
    pub sureness: Sureness,
    /// The accuracy on the images of which the model is surest, from few to all.
    pub coverage: Vec<Coverage>,
}

/// How well probabilities fit what is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sureness {
    /// Mean cross entropy, in nats.
    pub loss: f64,
    /// Expected calibration error over 15 bins of equal width (Guo et al., 2017).
    pub ece: f64,
    /// Holds that of the model itself, beyond these images, at least 95% of the time; `None` in results from before it was told.
    #[serde(default)]
    pub ece_interval: Option<Interval>,
    /// Within which that of 95% of models lies that are as sure as they are right, on so many images; `None` in results from before it was
    /// told.
    #[serde(default)]
    pub ece_by_chance: Option<Interval>,
    /// Brier score over all classes, from 0 to 2.
    pub brier: f64,
    /// The images by the probability of their first guess.
    pub bins: Vec<ReliabilityBin>,
}

/// The images whose first guess has a probability in `(from, to]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower end.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// How many there are.
    pub images: u64,
    /// The mean probability of their first guess.
    pub confidence: f64,
    /// The share that is right.
    pub accuracy: f64,
    /// Wilson's 95% interval of that share.
    pub interval: Interval,
}

/// The images whose first guess has at least some probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// That probability.
    pub threshold: f64,
    /// Their share of all.
    pub coverage: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

/// A probability from which on the model answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The share of answers that is to be right.
    pub precision: f64,
    /// The least probability, under the temperature, with that precision on validation; `None` where none has it.
    pub probability: Option<f64>,
    /// What came of it on each part, in their order; empty without a probability.
    pub kept: Vec<Sure>,
}

/// What is answered of a part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sure {
    /// Images of the part.
    pub images: u64,
    /// Those that are answered.
    pub answered: u64,
    /// Those of them that are right.
    pub right: u64,
    /// Wilson's 95% interval of the share that is right.
    pub interval: Interval,
}
