//! How a training ended.

use crate::{record::StoppedEarly, text::count};

/// Why it stopped before its last epoch.
pub(in crate::report) fn stopped_early(why: StoppedEarly) -> String {
    format!(
        "Stopped early: `{}` did not improve for {} after epoch {}.",
        why.monitor.name(),
        count(why.patience, "epoch"),
        why.improved
    )
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
