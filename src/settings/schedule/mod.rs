//! Learning-rate schedules with the names and defaults of `torch.optim.lr_scheduler`, each with an optional linear warm-up.

mod constant;
mod cosine;
mod cosine_warm_restarts;
mod multi_step;
mod one_cycle;
mod plateau;
mod step;

pub use self::{
    constant::Constant,
    cosine::Cosine,
    cosine_warm_restarts::CosineWarmRestarts,
    multi_step::MultiStep,
    one_cycle::{Anneal, OneCycle},
    plateau::Plateau,
    step::Step,
};
use super::declare::{variants, words};
use crate::text::count;

variants! {
    /// How the optimizer's learning rate changes in the course of a training.
    ///
    /// A warm-up multiplies the schedule under it, as `LinearLR` chained with it does: with n units of warm-up (epochs, or steps
    /// where `interval = "step"`) unit i (from 0) has (i + 1)/(n + 1) of the rate.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Schedule as "schedule" with Common {
        /// The base rate all along.
        #[example = "{}"]
        Constant(Constant) = "constant",
        /// Times `gamma` every `step_size` epochs (`StepLR`).
        #[example = "{ step_size = 10 }"]
        Step(Step) = "step",
        /// Times `gamma` at each of some epochs (`MultiStepLR`).
        #[example = "{ milestones = [30, 60] }"]
        MultiStep(MultiStep) = "multi_step",
        /// Half a cosine from the base rate down to `min_lr` (`CosineAnnealingLR`; Loshchilov and Hutter, 2016).
        #[example = "{}"]
        Cosine(Cosine) = "cosine",
        /// Half cosines down to `min_lr`, each starting at the base rate again (`CosineAnnealingWarmRestarts`; ibid.).
        #[example = "{ t_0 = 10 }"]
        CosineWarmRestarts(CosineWarmRestarts) = "cosine_warm_restarts",
        /// Up to the optimizer's rate and down to almost nothing, step by step (`OneCycleLR`; Smith and Topin, 2017).
        #[example = "{}"]
        OneCycle(OneCycle) = "one_cycle",
        /// Times `factor` when a metric stops improving (`ReduceLROnPlateau`).
        #[example = "{}"]
        Plateau(Plateau) = "plateau",
    }
}

words! {
    /// How often a rate changes.
    #[derive(Default)]
    pub enum Interval {
        /// With every epoch.
        #[default]
        Epoch = "epoch",
        /// With every step of the optimizer.
        Step = "step",
    }
}

/// What every schedule has.
trait Common {
    /// Epochs of linear warm-up.
    fn warmup_epochs(&self) -> u32;

    /// How often the rate changes.
    fn interval(&self) -> Interval;

    /// The momentum between which and `base_momentum` it moves, where it moves it.
    fn max_momentum(&self) -> Option<f64> {
        None
    }

    /// Whether it comes to its end with the last epoch, so that its rates depend on how many there are.
    fn ends_with_training(&self) -> bool {
        false
    }
}

impl Schedule {
    /// Epochs of linear warm-up.
    #[must_use]
    pub fn warmup_epochs(&self) -> u32 {
        self.common().warmup_epochs()
    }

    /// How often the rate changes.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.common().interval()
    }

    /// The momentum (of SGD; the first beta of Adam) between which and `base_momentum` it moves, where it moves it at all.
    #[must_use]
    pub fn max_momentum(&self) -> Option<f64> {
        self.common().max_momentum()
    }

    /// Whether a training of `before` epochs had the rates that one of `after` epochs has up to there, so that the longer one can
    /// go on where the shorter one ended.
    ///
    /// # Errors
    /// When the rates depend on the number of epochs: why, as the end of a sentence.
    pub fn agrees_up_to(&self, before: u32, after: u32) -> Result<(), String> {
        if before == after || !self.common().ends_with_training() {
            return Ok(());
        }
        Err(format!(
            "`schedule.{}` comes to its end with the last epoch, so that over {} every learning rate is another one than over {before}",
            self.name(),
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
