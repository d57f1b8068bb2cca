//! Learning-rate schedules, stepped once an epoch, each with an optional linear warm-up.

use serde::{Deserialize, Serialize};

use super::{Count, NonNegative, Positive};

/// `schedule.cosine = { warmup_epochs = 2 }` and its kind. The factor for epoch `e` (from 0) multiplies the base rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The base rate all along.
    Constant(Constant),
    /// Times `gamma` every `step_size` epochs (`torch.optim.lr_scheduler.StepLR`).
    Step(Step),
    /// Half a cosine from the base rate down to `min_lr` (`CosineAnnealingLR`; Loshchilov and Hutter, 2016).
    Cosine(Cosine),
}

impl Schedule {
    /// Epochs of linear warm-up.
    #[must_use]
    pub const fn warmup_epochs(&self) -> u32 {
        match self {
            Self::Constant(s) => s.warmup_epochs,
            Self::Step(s) => s.warmup_epochs,
            Self::Cosine(s) => s.warmup_epochs,
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
            Self::Constant(_) | Self::Step(_) => return Ok(()),
        };
        if before == after {
            return Ok(());
        }
        Err(format!(
            "`schedule.{name}` comes to its end with the last epoch, so that over {after} epochs every learning rate is another one than over {before}"
        ))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant(Constant { warmup_epochs: 0 })
    }
}

/// The base rate all along.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Epochs of linear warm-up from 1/(n+1) of the rate; 0 by default.
    #[serde(default)]
    pub warmup_epochs: u32,
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
}

fn tenth() -> Positive {
    Positive::known(0.1)
}

fn zero() -> NonNegative {
    NonNegative::known(0.0)
}
