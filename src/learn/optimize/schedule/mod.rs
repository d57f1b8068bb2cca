//! The learning rate of a step: a pure function, so that a resumed training needs no state for it.

mod one_cycle;
mod plateau;

use crate::{
    record::Epoch,
    settings::{CosineWarmRestarts, Interval, Schedule},
};

/// Where in a training a step of the optimizer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Epochs in all.
    pub epochs: u32,
    /// The step of the optimizer within the epoch, from 0.
    pub step: u32,
    /// Steps of the optimizer in an epoch.
    pub steps: u32,
}

impl Moment {
    /// Steps before this one, and steps in all.
    fn steps(self) -> (u64, u64) {
        let steps = u64::from(self.steps.max(1));
        let before = u64::from(self.epoch) * steps + u64::from(self.step);
        (before, u64::from(self.epochs) * steps)
    }

    /// Epochs before this moment, with the part of the one that runs where steps count.
    fn epochs_before(self, interval: Interval) -> f64 {
        match interval {
            Interval::Epoch => f64::from(self.epoch),
            Interval::Step => {
                f64::from(self.epoch) + f64::from(self.step) / f64::from(self.steps.max(1))
            }
        }
    }
}

/// The learning rate of a step, from the optimizer's own rate and the epochs before.
///
/// The values are those of PyTorch's schedulers, which are stepped after each epoch, or after each step of the optimizer where
/// `interval = "step"` (`CosineAnnealingLR` with `T_max` = all epochs or steps; `OneCycleLR` always by steps). A warm-up multiplies
/// them; see [`Schedule`].
#[must_use]
pub(crate) fn learning_rate(schedule: &Schedule, base: f64, at: Moment, before: &[Epoch]) -> f64 {
    let half_cosine = |low: f64, share: f64| {
        let turn = std::f64::consts::PI * share;
        low + (base - low) * (1.0 + turn.cos()) / 2.0
    };
    let reduced = |gamma: f64, times: u32| base * gamma.powf(f64::from(times));
    let rate = match schedule {
        Schedule::Constant(_) => base,
        Schedule::Step(s) => reduced(s.gamma.get(), at.epoch / s.step_size.get()),
        Schedule::MultiStep(s) => {
            let passed = s.milestones.iter().filter(|m| m.get() <= at.epoch);
            reduced(s.gamma.get(), passed.count() as u32)
        }
        Schedule::Cosine(s) => {
            let share = at.epochs_before(s.interval) / f64::from(at.epochs.max(1));
            half_cosine(s.min_lr.get(), share)
        }
        Schedule::CosineWarmRestarts(s) => half_cosine(s.min_lr.get(), since_restart(s, at)),
        Schedule::OneCycle(s) => one_cycle::learning_rate(s, base, at),
        Schedule::Plateau(s) => plateau::learning_rate(s, base, before),
    };
    rate * warmup(schedule, at)
}

/// The momentum (SGD) or first beta (Adam) of a step, where the schedule moves it.
#[must_use]
pub(crate) fn momentum(schedule: &Schedule, at: Moment) -> Option<f64> {
    match schedule {
        Schedule::OneCycle(s) if s.cycle_momentum => Some(one_cycle::momentum(s, at)),
        _ => None,
    }
}

/// The share of the rate that a warm-up leaves.
fn warmup(schedule: &Schedule, at: Moment) -> f64 {
    let epochs = u64::from(schedule.warmup_epochs());
    let (done, all) = match schedule.interval() {
        Interval::Epoch => (u64::from(at.epoch), epochs),
        Interval::Step => (at.steps().0, epochs * u64::from(at.steps.max(1))),
    };
    if done >= all {
        return 1.0;
    }
    (done + 1) as f64 / (all + 1) as f64
}

/// How much of the half cosine that runs is over, 0 to 1.
fn since_restart(s: &CosineWarmRestarts, at: Moment) -> f64 {
    let mut since = at.epochs_before(s.interval);
    let mut length = f64::from(s.t_0.get());
    if s.t_mult.get() == 1 {
        return since % length / length;
    }
    while since >= length {
        since -= length;
        length *= f64::from(s.t_mult.get());
    }
    since / length
}

#[cfg(test)]
mod tests;
