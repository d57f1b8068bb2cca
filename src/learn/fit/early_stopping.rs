//! The course of a training as pure functions of its history: the best epoch, and whether to stop early.

use crate::{
    record::{Epoch, StoppedEarly},
    settings::EarlyStopping,
};

/// The number of the epoch with the highest validation top-1, the first of equals; the last one without a validation part.
pub(crate) fn best_epoch(epochs: &[Epoch]) -> u32 {
    let mut best: Option<(f64, u32)> = None;
    for epoch in epochs {
        let Some(validation) = epoch.validation else {
            continue;
        };
        if best.is_none_or(|(top1, _)| validation.top1 > top1) {
            best = Some((validation.top1, epoch.epoch));
        }
    }
    let last = epochs.last().map_or(0, |e| e.epoch);
    best.map_or(last, |(_, epoch)| epoch)
}

/// Why the training ends before its last epoch, if it does.
pub(crate) fn stop_early(epochs: &[Epoch], rule: Option<&EarlyStopping>) -> Option<StoppedEarly> {
    let rule = rule?;
    let mut best = f64::NEG_INFINITY;
    let mut improved = 0;
    for epoch in epochs {
        let Some(validation) = epoch.validation else {
            continue;
        };
        let value = validation.of(rule.monitor);
        let value = if rule.monitor.higher_is_better() {
            value
        } else {
            -value
        };
        if value > best + rule.min_delta.get() || best == f64::NEG_INFINITY {
            best = value;
            improved = epoch.epoch;
        }
    }
    let last = epochs.last()?;
    let patience = rule.patience.get();
    let over = last.epoch < last.of && last.epoch - improved >= patience;
    over.then_some(StoppedEarly {
        monitor: rule.monitor,
        patience,
        improved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Measure;

    fn course(top1: &[f64]) -> Vec<Epoch> {
        (1..)
            .zip(top1)
            .map(|(epoch, top1)| Epoch {
                epoch,
                of: 9,
                lr: 0.1,
                train: Measure {
                    loss: 1.0,
                    top1: 0.5,
                },
                validation: Some(Measure {
                    loss: 1.0 - top1,
                    top1: *top1,
                }),
            })
            .collect()
    }

    #[test]
    fn the_first_of_equals_is_the_best() {
        assert_eq!(best_epoch(&course(&[0.1, 0.4, 0.4, 0.3])), 2);
    }

    #[test]
    fn the_last_is_the_best_where_nothing_validates() {
        let mut epochs = course(&[0.5, 0.1]);
        for epoch in &mut epochs {
            epoch.validation = None;
        }
        assert_eq!(best_epoch(&epochs), 2);
    }

    #[test]
    fn it_stops_when_patience_is_over_and_not_before() {
        let rule: EarlyStopping = serde_json::from_str(r#"{"patience": 2}"#).unwrap();
        let rule = Some(&rule);
        assert_eq!(stop_early(&course(&[0.1, 0.4, 0.4]), rule), None);
        let stopped = stop_early(&course(&[0.1, 0.4, 0.4, 0.3]), rule).unwrap();
        assert_eq!((stopped.patience, stopped.improved), (2, 2));
        assert_eq!(stop_early(&course(&[0.1, 0.4, 0.4, 0.3]), None), None);
    }

    #[test]
    fn a_change_below_min_delta_is_no_improvement() {
        let rule: EarlyStopping = serde_json::from_str(
            r#"{"patience": 2, "min_delta": 0.1, "monitor": "validation.loss"}"#,
        )
        .unwrap();
        assert!(stop_early(&course(&[0.4, 0.45, 0.49]), Some(&rule)).is_some());
        assert_eq!(stop_early(&course(&[0.4, 0.45, 0.55]), Some(&rule)), None);
    }
}
