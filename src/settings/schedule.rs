//! Learning-rate schedules with the names and defaults of `torch.optim.lr_scheduler`, each with an optional linear warm-up.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Count, Decay, Metric, NonNegative, Positive, Probability};
use crate::text::count;

/// `schedule.cosine = { warmup_epochs = 2 }` and its kind: how the optimizer's learning rate changes in the course of a training.
///
/// A warm-up multiplies the schedule under it, as `LinearLR` chained with it does: with n units of warm-up (epochs, or steps
/// where `interval = "step"`) unit i (from 0) has (i + 1)/(n + 1) of the rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The base rate all along.
    Constant(Constant),
    /// Times `gamma` every `step_size` epochs (`StepLR`).
    Step(Step),
    /// Times `gamma` at each of some epochs (`MultiStepLR`).
    MultiStep(MultiStep),
    /// Half a cosine from the base rate down to `min_lr` (`CosineAnnealingLR`; Loshchilov and Hutter, 2016).
    Cosine(Cosine),
    /// Half cosines down to `min_lr`, each starting at the base rate again (`CosineAnnealingWarmRestarts`; ibid.).
    CosineWarmRestarts(CosineWarmRestarts),
    /// Up to the optimizer's rate and down to almost nothing, step by step (`OneCycleLR`; Smith and Topin, 2017).
    OneCycle(OneCycle),
    /// Times `factor` when a metric stops improving (`ReduceLROnPlateau`).
    Plateau(Plateau),
}

/// How often a rate changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// With every epoch.
    #[default]
    Epoch,
    /// With every step of the optimizer.
    Step,
}

impl Schedule {
    /// Epochs of linear warm-up.
    #[must_use]
    pub const fn warmup_epochs(&self) -> u32 {
        match self {
            Self::Constant(s) => s.warmup_epochs,
            Self::Step(s) => s.warmup_epochs,
            Self::MultiStep(s) => s.warmup_epochs,
            Self::Cosine(s) => s.warmup_epochs,
            Self::CosineWarmRestarts(s) => s.warmup_epochs,
            Self::OneCycle(s) => s.warmup_epochs,
            Self::Plateau(s) => s.warmup_epochs,
        }
    }

    /// How often the rate changes.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        match self {
            Self::Constant(s) => s.interval,
            Self::Step(s) => s.interval,
            Self::MultiStep(s) => s.interval,
            Self::Cosine(s) => s.interval,
            Self::CosineWarmRestarts(s) => s.interval,
            Self::OneCycle(_) => Interval::Step,
            Self::Plateau(s) => s.interval,
        }
    }

    /// The momentum (of SGD; the first beta of Adam) between which and `base_momentum` it moves, where it moves it at all.
    #[must_use]
    pub fn max_momentum(&self) -> Option<f64> {
        match self {
            Self::OneCycle(s) if s.cycle_momentum => Some(s.max_momentum.get()),
            _ => None,
        }
    }

    /// Whether a training of `before` epochs had the rates that one of `after` epochs has up to there, so that the longer one can
    /// go on where the shorter one ended.
    ///
    /// # Errors
    /// When the rates depend on the number of epochs: why, as the end of a sentence.
    pub fn agrees_up_to(&self, before: u32, after: u32) -> Result<(), String> {
        let name = match self {
            Self::Cosine(_) => "cosine",
            Self::OneCycle(_) => "one_cycle",
            Self::Constant(_)
            | Self::Step(_)
            | Self::MultiStep(_)
            | Self::CosineWarmRestarts(_)
            | Self::Plateau(_) => return Ok(()),
        };
        if before == after {
            return Ok(());
        }
        Err(format!(
            "`schedule.{name}` comes to its end with the last epoch, so that over {} every learning rate is another one than over {before}",
            count(after, "epoch")
        ))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant(Constant {
            warmup_epochs: 0,
            interval: Interval::Epoch,
        })
    }
}

/// The base rate all along.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Epochs of linear warm-up; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
    /// How often the warm-up rises; with every epoch by default.
    #[serde(default)]
    pub interval: Interval,
}

/// Times `gamma` every `step_size` epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Epochs between two reductions.
    pub step_size: Count,
    /// The factor of each reduction; 0.1 by default.
    #[serde(default = "tenth")]
    pub gamma: Positive,
    /// Epochs of linear warm-up; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
    /// How often the warm-up rises; with every epoch by default.
    #[serde(default)]
    pub interval: Interval,
}

/// Times `gamma` at each of some epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// After how many epochs the rate falls, from small to large.
    #[serde(deserialize_with = "rising")]
    pub milestones: Vec<Count>,
    /// The factor of each reduction; 0.1 by default.
    #[serde(default = "tenth")]
    pub gamma: Positive,
    /// Epochs of linear warm-up; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
    /// How often the warm-up rises; with every epoch by default.
    #[serde(default)]
    pub interval: Interval,
}

/// Half a cosine down to `min_lr`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The rate at the end; 0 by default.
    #[serde(default = "zero")]
    pub min_lr: NonNegative,
    /// Epochs of linear warm-up; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
    /// How often the rate changes; with every epoch by default.
    #[serde(default)]
    pub interval: Interval,
}

/// Half cosines down to `min_lr`, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineWarmRestarts {
    /// Epochs of the first half cosine.
    pub t_0: Count,
    /// How many times as long as the one before it each further one is; 1 by default.
    #[serde(default = "one")]
    pub t_mult: Count,
    /// The rate at the end of each; 0 by default.
    #[serde(default = "zero")]
    pub min_lr: NonNegative,
    /// Epochs of linear warm-up; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
    /// How often the rate changes; with every epoch by default.
    #[serde(default)]
    pub interval: Interval,
}

/// Up to the optimizer's rate, which is `max_lr` of `OneCycleLR`, and down to almost nothing, step by step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The share of all steps in which the rate rises; 0.3 by default.
    #[serde(default = "three_tenths")]
    pub pct_start: Probability,
    /// How many times as high as the first rate the optimizer's is; 25 by default.
    #[serde(default = "twenty_five")]
    pub div_factor: Positive,
    /// How many times as high as the last rate the first one is; 10,000 by default.
    #[serde(default = "ten_thousand")]
    pub final_div_factor: Positive,
    /// The shape of rise and fall; a cosine by default.
    #[serde(default)]
    pub anneal_strategy: Anneal,
    /// Fall as long as the rise to the first rate, and from there to the last one, instead of all the way at once; off by default.
    #[serde(default)]
    pub three_phase: bool,
    /// Let the momentum (SGD) or the first beta (Adam) fall where the rate rises, in the place of the optimizer's own; on by default,
    /// as in PyTorch. On a GPU such steps cannot be recorded.
    #[serde(default = "yes")]
    pub cycle_momentum: bool,
    /// The momentum at the highest rate; 0.85 by default.
    #[serde(default = "base_momentum")]
    pub base_momentum: Decay,
    /// The momentum at the lowest rates; 0.95 by default.
    #[serde(default = "max_momentum")]
    pub max_momentum: Decay,
    /// Epochs of a further linear warm-up; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
}

/// The shape of a rise or fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// A line.
    Linear,
}

/// Times `factor` when a metric stops improving.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// The factor of each reduction; 0.1 by default.
    #[serde(default = "factor")]
    pub factor: Decay,
    /// Epochs without improvement that are borne; the one after them reduces the rate. 10 by default.
    #[serde(default = "ten")]
    pub patience: u32,
    /// The least change that counts as an improvement, as a share of the best value; 1e-4 by default.
    #[serde(default = "ten_thousandth")]
    pub threshold: NonNegative,
    /// Epochs after a reduction in which nothing is counted; 0 by default.
    #[serde(default)]
    pub cooldown: u32,
    /// The rate never falls below this; 0 by default.
    #[serde(default = "zero")]
    pub min_lr: NonNegative,
    /// What must improve; validation loss by default.
    #[serde(default = "validation_loss")]
    pub monitor: Metric,
    /// Epochs of linear warm-up; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
    /// How often the warm-up rises; with every epoch by default.
    #[serde(default)]
    pub interval: Interval,
}

fn rising<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Count>, D::Error> {
    let counts = Vec::<Count>::deserialize(deserializer)?;
    if counts.is_empty() || counts.windows(2).any(|pair| pair[0] >= pair[1]) {
        let message = "invalid value: these numbers, expected a list of whole numbers from small to large such as `[30, 60, 80]`";
        return Err(de::Error::custom(message));
    }
    Ok(counts)
}

fn tenth() -> Positive {
    Positive::known(0.1)
}

fn factor() -> Decay {
    Decay::known(0.1)
}

fn zero() -> NonNegative {
    NonNegative::known(0.0)
}

fn one() -> Count {
    Count::known(1)
}

fn three_tenths() -> Probability {
    Probability::known(0.3)
}

fn twenty_five() -> Positive {
    Positive::known(25.0)
}

fn ten_thousand() -> Positive {
    Positive::known(1e4)
}

fn ten_thousandth() -> NonNegative {
    NonNegative::known(1e-4)
}

const fn yes() -> bool {
    true
}

fn base_momentum() -> Decay {
    Decay::known(0.85)
}

fn max_momentum() -> Decay {
    Decay::known(0.95)
}

const fn ten() -> u32 {
    10
}

const fn validation_loss() -> Metric {
    Metric::ValidationLoss
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_longer_training_goes_on_only_where_the_rates_do_not_know_the_end() {
        for text in [
            r#"{"constant": {"warmup_epochs": 3}}"#,
            r#"{"step": {"step_size": 20}}"#,
            r#"{"multi_step": {"milestones": [30, 60]}}"#,
            r#"{"cosine_warm_restarts": {"t_0": 10}}"#,
            r#"{"plateau": {}}"#,
        ] {
            assert_eq!(schedule(text).agrees_up_to(50, 70), Ok(()), "{text}");
        }
        for (text, name) in [
            (r#"{"cosine": {}}"#, "`schedule.cosine`"),
            (r#"{"one_cycle": {}}"#, "`schedule.one_cycle`"),
        ] {
            let why = schedule(text).agrees_up_to(50, 70).unwrap_err();
            assert!(why.starts_with(name) && why.contains("70"), "{why}");
            assert_eq!(schedule(text).agrees_up_to(50, 50), Ok(()));
        }
    }

    #[test]
    fn defaults_are_those_of_pytorch() {
        // inspect.signature of OneCycleLR and ReduceLROnPlateau in torch 2.11.
        let text = serde_json::to_value(schedule(r#"{"one_cycle": {}}"#)).unwrap();
        assert_eq!(
            text,
            serde_json::json!({ "one_cycle": {
                "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4, "anneal_strategy": "cos", "three_phase": false,
                "cycle_momentum": true, "base_momentum": 0.85, "max_momentum": 0.95, "warmup_epochs": 0,
            }})
        );
        let text = serde_json::to_value(schedule(r#"{"plateau": {}}"#)).unwrap();
        assert_eq!(
            text,
            serde_json::json!({ "plateau": {
                "factor": 0.1, "patience": 10, "threshold": 1e-4, "cooldown": 0, "min_lr": 0.0, "monitor": "validation.loss",
                "warmup_epochs": 0, "interval": "epoch",
            }})
        );
    }
}
