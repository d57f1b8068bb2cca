//! `ReduceLROnPlateau` as a function of the epochs before.

use crate::{record::Epoch, settings::Plateau};

/// Smaller reductions are not made (`eps` of PyTorch).
const LEAST: f64 = 1e-8;

/// The rate after these epochs; an epoch without a validation part changes nothing.
pub(super) fn learning_rate(s: &Plateau, base: f64, before: &[Epoch]) -> f64 {
    let mut rate = base;
    let mut best = None;
    let (mut bad, mut cooldown) = (0, 0);
    for epoch in before {
        let Some(validation) = epoch.validation else {
            continue;
        };
        let value = validation.of(s.monitor);
        if best.is_none_or(|best| improves(s, value, best)) {
            best = Some(value);
            bad = 0;
        } else {
            bad += 1;
        }
        if cooldown > 0 {
            cooldown -= 1;
            bad = 0;
        }
        if bad > s.patience {
            let lower = f64::max(rate * s.factor.get(), s.min_lr.get());
            if rate - lower > LEAST {
                rate = lower;
            }
            cooldown = s.cooldown;
            bad = 0;
        }
    }
    rate
}

fn improves(s: &Plateau, value: f64, best: f64) -> bool {
    if s.monitor.higher_is_better() {
        value > best * (1.0 + s.threshold.get())
    } else {
        value < best * (1.0 - s.threshold.get())
    }
}
