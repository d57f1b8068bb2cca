//! The learning-rate finder (Smith, 2015), with the settings and suggestions of fastai's `Learner.lr_find`.

use super::Trial;
use crate::{
    error::Result,
    learn::fit::{Criterion, Stepper},
    record::{LearningRates, RateStep},
};

/// Steps over which the rate rises.
const STEPS: usize = 100;
/// The rate of the first step, and of the last.
const RATES: [f64; 2] = [1e-7, 10.0];
/// The share of a new loss in the smoothed one.
const SHARE: f64 = 0.02;
/// It has diverged where the smoothed loss is so many times its lowest.
const FAR: f64 = 4.0;

/// Steps at exponentially rising rates until the loss is far above its best.
pub(super) fn find(trial: &mut Trial<'_>) -> Result<LearningRates> {
    let training = trial.training;
    let loader = trial.loader(training)?;
    let mut stepper = Stepper::new(
        Criterion::of(training, trial.inputs, trial.arithmetic.device)?,
        trial.arithmetic,
        1,
        None,
    )?;
    let mut curve = LossCurve::default();
    for epoch in 1.. {
        let mut batches = loader.order(epoch);
        batches.truncate(STEPS - curve.steps.len());
        loader.training(&batches, epoch, |batch| {
            if curve.diverged {
                return Ok(());
            }
            trial.stop.check()?;
            let lr = rate(curve.steps.len());
            // A look at every loss: this is no training, and a hundred steps.
            stepper.begin()?;
            stepper.step(&trial.model, &mut trial.optimizer, &batch, lr)?;
            curve.add(lr, stepper.read()?.loss);
            let what = "learning rates";
            trial.progress(what, curve.steps.len(), STEPS, "steps");
            Ok(())
        })?;
        if curve.diverged || curve.steps.len() >= STEPS || batches.is_empty() {
            break;
        }
    }
    Ok(curve.end())
}

fn rate(step: usize) -> f64 {
    let [lowest, highest] = RATES;
    lowest * (highest / lowest).powf(step as f64 / (STEPS - 1) as f64)
}

/// The loss over rising rates, as far as it is known.
#[derive(Default)]
struct LossCurve {
    steps: Vec<RateStep>,
    mean: f64,
    diverged: bool,
}

impl LossCurve {
    fn add(&mut self, lr: f64, loss: f64) {
        if !loss.is_finite() {
            self.diverged = true;
            return;
        }
        self.mean += SHARE * (loss - self.mean);
        // A mean that starts with 0 is too small at first by this factor.
        let known = 1.0 - (1.0 - SHARE).powi(self.steps.len() as i32 + 1);
        let smoothed = self.mean / known;
        self.steps.push(RateStep { lr, loss, smoothed });
        let best = self.steps.iter().map(|s| s.smoothed);
        self.diverged = smoothed > FAR * best.fold(f64::INFINITY, f64::min);
    }

    fn end(self) -> LearningRates {
        // The first tenth is noise and the end the divergence itself, as in fastai.
        let end = self.steps.len().saturating_sub(5);
        let looked_at = self.steps.get(STEPS / 10..end).unwrap_or_default();
        LearningRates {
            valley: valley(looked_at),
            steepest: steepest(looked_at),
            diverged: self.diverged,
            steps: self.steps,
        }
    }
}

/// The rate where the loss falls fastest over the logarithm of the rate.
fn steepest(steps: &[RateStep]) -> Option<f64> {
    let slope = |pair: &[RateStep]| {
        (pair[1].smoothed - pair[0].smoothed) / (pair[1].lr.ln() - pair[0].lr.ln())
    };
    let least = steps
        .windows(2)
        .min_by(|a, b| slope(a).total_cmp(&slope(b)))?;
    (slope(least) < 0.0).then(|| least[0].lr)
}

/// fastai's `valley`: the middle of the second third of the longest falling subsequence.
fn valley(steps: &[RateStep]) -> Option<f64> {
    let mut lengths = vec![1_usize; steps.len()];
    let mut end = 0;
    for i in 1..steps.len() {
        for j in 0..i {
            if steps[i].smoothed < steps[j].smoothed {
                lengths[i] = lengths[i].max(lengths[j] + 1);
            }
        }
        if lengths[i] > lengths[end] {
            end = i;
        }
    }
    let length = *lengths.get(end)?;
    if length < 2 {
        return None;
    }
    let begin = end.saturating_sub(length);
    let third = (end - begin) as f64 / 3.0;
    let place = begin + third as usize + (third / 2.0) as usize;
    steps.get(place).map(|step| step.lr)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loss that is level, falls from step 40 to step 70 and then explodes.
    fn curve() -> LossCurve {
        let mut curve = LossCurve::default();
        for step in 0..STEPS {
            if curve.diverged {
                break;
            }
            let loss = match step {
                0..40 => 3.0,
                40..70 => 3.0 - 0.08 * (step - 40) as f64,
                _ => 0.6 * 2.0_f64.powi(step as i32 - 69),
            };
            curve.add(rate(step), loss);
        }
        curve
    }

    #[test]
    fn rates_rise_by_equal_factors_from_the_lowest_to_the_highest() {
        assert!((rate(0) - 1e-7).abs() < 1e-20 && (rate(STEPS - 1) - 10.0).abs() < 1e-9);
        let factors: Vec<f64> = (1..STEPS).map(|i| rate(i) / rate(i - 1)).collect();
        assert!(factors.iter().all(|f| (f - factors[0]).abs() < 1e-9));
    }

    #[test]
    fn it_ends_where_the_loss_explodes_and_suggests_a_rate_on_the_way_down() {
        let found = curve().end();
        assert!(found.diverged && found.steps.len() < 90);
        let (valley, steepest) = (found.valley.unwrap(), found.steepest.unwrap());
        assert!(valley > rate(40) && valley < rate(70), "{valley:e}");
        assert!(steepest > rate(40) && steepest < rate(75), "{steepest:e}");
    }

    #[test]
    fn suggestions_are_those_of_fastai() {
        // A transcription of fastai.callback.schedule.valley and steep, run in Python on these losses with lr = 2^i.
        let losses = [5.0, 5.1, 4.9, 4.0, 4.2, 3.0, 2.5, 2.6, 2.4, 2.45, 3.0, 9.0];
        let steps: Vec<RateStep> = (0..)
            .zip(losses)
            .map(|(i, smoothed)| RateStep {
                lr: 2.0_f64.powi(i),
                loss: smoothed,
                smoothed,
            })
            .collect();
        assert_eq!(valley(&steps), Some(32.0));
        assert_eq!(steepest(&steps), Some(16.0));
    }

    #[test]
    fn a_loss_that_never_falls_suggests_nothing() {
        let mut curve = LossCurve::default();
        for step in 0..STEPS {
            curve.add(rate(step), 1.0 + step as f64);
        }
        let found = curve.end();
        assert_eq!((found.valley, found.steepest), (None, None));
        let mut curve = LossCurve::default();
        curve.add(1.0, f64::NAN);
        assert!(curve.end().diverged);
    }
}
