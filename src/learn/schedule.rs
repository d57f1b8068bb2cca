//! The learning rate of an epoch: a pure function, so that a resumed training needs no state for it.

use crate::settings::Schedule;

/// The learning rate of epoch `epoch` (from 0) of `epochs`, from the base rate.
///
/// After a linear warm-up of n epochs from `base / (n + 1)`, the values are those of PyTorch's `StepLR` and
/// `CosineAnnealingLR` (closed form, `T_max` = epochs) for the same epoch number; the warm-up multiplies the schedule.
#[must_use]
pub fn learning_rate(schedule: &Schedule, base: f64, epoch: u32, epochs: u32) -> f64 {
    let (after, warmup) = match schedule {
        Schedule::Constant(s) => (base, s.warmup_epochs),
        Schedule::Step(s) => {
            let times = f64::from(epoch / s.step_size.get());
            (base * s.gamma.get().powf(times), s.warmup_epochs)
        }
        Schedule::Cosine(s) => {
            let turn = std::f64::consts::PI * f64::from(epoch) / f64::from(epochs.max(1));
            let low = s.min_lr.get();
            let rate = low + (base - low) * (1.0 + turn.cos()) / 2.0;
            (rate, s.warmup_epochs)
        }
    };
    if epoch < warmup {
        return after * f64::from(epoch + 1) / f64::from(warmup + 1);
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(text: &str, epochs: u32) -> Vec<f64> {
        let schedule = serde_json::from_str(text).unwrap();
        (0..epochs)
            .map(|e| learning_rate(&schedule, 0.1, e, epochs))
            .collect()
    }

    fn near(found: &[f64], wanted: &[f64]) {
        assert_eq!(found.len(), wanted.len());
        for (f, w) in found.iter().zip(wanted) {
            assert!((f - w).abs() < 1e-12, "{found:?} is not {wanted:?}");
        }
    }

    #[test]
    fn steps_are_those_of_step_lr() {
        // torch.optim.lr_scheduler.StepLR(step_size=2, gamma=0.1) on a rate of 0.1.
        let found = rates(r#"{"step": {"step_size": 2}}"#, 5);
        near(&found, &[0.1, 0.1, 0.01, 0.01, 0.001]);
    }

    #[test]
    fn the_cosine_is_that_of_cosine_annealing_lr() {
        // torch.optim.lr_scheduler.CosineAnnealingLR(T_max=4, eta_min=0) on a rate of 0.1.
        let wanted = [
            0.1,
            0.085_355_339_059_327_38,
            0.05,
            0.014_644_660_940_672_626,
        ];
        near(&rates(r#"{"cosine": {}}"#, 4), &wanted);
    }

    #[test]
    fn a_warm_up_rises_in_equal_steps_to_the_base_rate() {
        let found = rates(r#"{"constant": {"warmup_epochs": 3}}"#, 5);
        near(&found, &[0.025, 0.05, 0.075, 0.1, 0.1]);
    }
}
