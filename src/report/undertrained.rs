//! Whether a training ended while it was still learning, by its history.

use super::{Group, Results, Trained};
use crate::record::{Epoch, History, Measure};

/// Below so many epochs nothing rises or falls.
const FEWEST: usize = 3;

/// What shows that a training ended too early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rising {
    /// The epoch of the course from which on it is told.
    pub since: u32,
    /// Validation top-1 after that.
    pub from: f64,
    /// The last epoch, which is the best.
    pub last: u32,
    /// Validation top-1 after that.
    pub to: f64,
    /// The learning rate of the last epoch.
    pub lr: f64,
}

/// What shows it, if anything does: the last epoch is the best by validation top-1 and by validation loss, and the last third of the
/// epochs is better than the third before in both. Where the learning rate has come down to half its highest or less it shows nothing:
/// a rise at the end is what coming to rest does, and a longer training would come to rest later.
pub(super) fn still_rising(history: &History) -> Option<Rising> {
    let epochs: Vec<(&Epoch, Measure)> = (history.epochs.iter())
        .filter_map(|epoch| Some((epoch, epoch.validation?)))
        .collect();
    let (last, at_last) = epochs.last()?;
    let highest = epochs.iter().map(|(epoch, _)| epoch.lr).fold(0.0, f64::max);
    let is_best =
        last.epoch == history.best_epoch && epochs.iter().all(|(_, at)| at.loss >= at_last.loss);
    if epochs.len() < FEWEST || !is_best || last.lr <= highest / 2.0 {
        return None;
    }
    let third = epochs.len() / 3;
    let ended = &epochs[epochs.len() - third..];
    let before = &epochs[epochs.len() - 2 * third..epochs.len() - third];
    let mean = |of: &[(&Epoch, Measure)], value: fn(&Measure) -> f64| {
        of.iter().map(|(_, at)| value(at)).sum::<f64>() / of.len() as f64
    };
    let rises = mean(ended, |at| at.top1) > mean(before, |at| at.top1);
    let falls = mean(ended, |at| at.loss) < mean(before, |at| at.loss);
    let (since, from) = before.last()?;
    (rises && falls).then_some(Rising {
        since: since.epoch,
        from: from.top1,
        last: last.epoch,
        to: at_last.top1,
        lr: last.lr,
    })
}

/// The trainings whose states a recipe's runs judge; none of averages, ensembles, selections and files.
pub(super) fn trainings<'a>(results: &'a Results, group: &Group<'_>) -> Vec<&'a Trained> {
    let of_run = |trained: &&Trained| {
        let mut runs = group.runs.iter().filter(|run| run.made_of.is_none());
        runs.any(|run| {
            run.model == trained.stage && trained.varied.iter().all(|of| run.varied.contains(of))
        })
    };
    results.trainings.iter().filter(of_run).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const RISING: [u32; 6] = [20, 30, 28, 35, 40, 47];

    /// Validation top-1 in percent after each epoch, and the learning rates.
    fn history(top1: &[u32], lr: impl Fn(usize) -> f64) -> History {
        let epoch = |(i, top1): (usize, &u32)| {
            let top1 = f64::from(*top1) / 100.0;
            let measure = Measure {
                loss: 2.0 - top1,
                top1,
            };
            Epoch {
                epoch: i as u32 + 1,
                of: 9,
                lr: lr(i),
                train: measure,
                validation: Some(measure),
            }
        };
        let most = top1.iter().max();
        let best = top1.iter().position(|t| Some(t) == most);
        History {
            epochs: top1.iter().enumerate().map(epoch).collect(),
            best_epoch: best.map_or(0, |i| i as u32 + 1),
            stopped_early: None,
        }
    }

    /// One that still learns at its end.
    pub(in crate::report) fn rising() -> History {
        history(&RISING, |_| 0.1)
    }

    #[test]
    fn a_training_that_still_learns_at_its_end_is_told_with_what_shows_it() {
        let found = still_rising(&rising());
        let shown = found.map(|found| (found.since, found.from, found.last, found.to));
        assert_eq!(shown, Some((4, 0.35, 6, 0.47)));
    }

    #[test]
    fn one_that_was_better_before_or_came_to_rest_or_is_short_is_not() {
        let half_cosine = |i: usize| 1.0 + (std::f64::consts::PI * i as f64 / 6.0).cos();
        assert_eq!(still_rising(&history(&RISING, half_cosine)), None);
        assert_eq!(
            still_rising(&history(&[20, 30, 50, 35, 40, 47], |_| 0.1)),
            None
        );
        // The last is the best by luck: those around it are no better than those before.
        assert_eq!(
            still_rising(&history(&[20, 30, 46, 45, 30, 47], |_| 0.1)),
            None
        );
        assert_eq!(still_rising(&history(&[20, 30], |_| 0.1)), None);
        assert_eq!(still_rising(&History::default()), None);
        // A warm-up is no coming to rest.
        assert!(still_rising(&history(&RISING, |i| 0.1 * (i + 1) as f64)).is_some());
    }
}
