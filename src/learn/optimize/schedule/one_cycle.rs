//! `OneCycleLR`: rise and fall of the learning rate over all steps of a training, and the contrary of the momentum.

use super::Moment;
use crate::settings::{Anneal, OneCycle};

/// The optimizer's rate is the highest.
pub(super) fn learning_rate(s: &OneCycle, base: f64, at: Moment) -> f64 {
    let first = base / s.div_factor.get();
    let last = first / s.final_div_factor.get();
    value(s, at, [first, base, last])
}

pub(super) fn momentum(s: &OneCycle, at: Moment) -> f64 {
    let (low, high) = (s.base_momentum.get(), s.max_momentum.get());
    value(s, at, [high, low, high])
}

/// The value of a step, from those of the first, of the top and of the last step.
fn value(s: &OneCycle, at: Moment, [first, top, last]: [f64; 3]) -> f64 {
    let (step, all) = at.steps();
    let (step, end) = (step as f64, all as f64 - 1.0);
    let rise = s.pct_start.get() * all as f64 - 1.0;
    // The step with which a phase ends, its first value and its last one.
    let fall = if s.three_phase {
        (2.0 * rise, top, first)
    } else {
        (end, top, last)
    };
    let (began, (ended, from, to)) = if step <= rise {
        (0.0, (rise, first, top))
    } else if step <= fall.0 || !s.three_phase {
        (rise, fall)
    } else {
        (fall.0, (end, first, last))
    };
    // A phase of a single step is at its end.
    let share = if ended > began {
        (step - began) / (ended - began)
    } else {
        1.0
    };
    between(s.anneal_strategy, from, to, share)
}

fn between(anneal: Anneal, from: f64, to: f64, share: f64) -> f64 {
    match anneal {
        Anneal::Cos => {
            let turn = std::f64::consts::PI * share;
            to + (from - to) / 2.0 * (turn.cos() + 1.0)
        }
        Anneal::Linear => (to - from) * share + from,
    }
}
