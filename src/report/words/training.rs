//! How a training ended.

use crate::{
    record::StoppedEarly,
    report::{
        undertrained::Rising,
        units::{percent, rate},
    },
    text::count,
};

/// Why it stopped before its last epoch.
pub(in crate::report) fn stopped_early(why: StoppedEarly) -> String {
    format!(
        "Stopped early: `{}` did not improve for {} after epoch {}.",
        why.monitor.name(),
        count(why.patience, "epoch"),
        why.improved
    )
}

/// That it ended while it was still learning.
pub(in crate::report) fn still_rises(shown: Rising) -> String {
    format!(
        "Undertrained: the last epoch is the best, validation top-1 still rises ({} after epoch {}, {} after epoch {}) while its loss \
         falls, and the learning rate, {}, has not come to rest. More epochs may do better.",
        percent(shown.from),
        shown.since,
        percent(shown.to),
        shown.last,
        rate(shown.lr),
    )
}

/// The same of the runs of a recipe in a few words; nothing where no training shows it.
pub(in crate::report) fn undertrained(shown: &[Option<Rising>]) -> Option<String> {
    let rising: Vec<&Rising> = shown.iter().flatten().collect();
    match (rising.as_slice(), shown.len()) {
        ([], _) => None,
        ([only], 1) => Some(format!(
            "undertrained, for validation still rises at the last of {} ({} after epoch {}, {} after epoch {})",
            count(only.last, "epoch"),
            percent(only.from),
            only.since,
            percent(only.to),
            only.last,
        )),
        (rising, runs) => Some(format!(
            "undertrained, for validation still rises at the last epoch of {} of {}",
            rising.len(),
            count(runs, "training")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Metric;

    #[test]
    fn one_epoch_is_told_as_one() {
        let why = StoppedEarly {
            monitor: Metric::ValidationTop1,
            patience: 1,
            improved: 4,
        };
        assert_eq!(
            stopped_early(why),
            "Stopped early: `validation.top1` did not improve for 1 epoch after epoch 4."
        );
    }
}
