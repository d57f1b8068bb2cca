//! Why a training ended before its last epoch.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::settings::Metric;

/// A training whose metric did not improve any more.
///
/// `history.json` is a result by whose digest trainings are known, and it has always held this as a sentence. So the sentence is the
/// written form, like a code: it never changes, [`fmt::Display`] writes it and `TryFrom` reads it. What people read is worded
/// anew from the numbers, in `report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoppedEarly {
    /// What was watched.
    pub monitor: Metric,
    /// Epochs without an improvement, as many as the settings allow.
    pub patience: u32,
    /// The epoch after which nothing improved.
    pub improved: u32,
}

impl fmt::Display for StoppedEarly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            monitor,
            patience,
            improved,
        } = self;
        let epochs = if *patience == 1 { "epoch" } else { "epochs" };
        write!(
            f,
            "`{}` did not improve for {patience} {epochs} after epoch {improved}",
            monitor.name()
        )
    }
}

impl From<StoppedEarly> for String {
    fn from(stopped: StoppedEarly) -> Self {
        stopped.to_string()
    }
}

impl TryFrom<String> for StoppedEarly {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        read(&text).ok_or_else(|| format!("`{text}` says of no early stop that is known"))
    }
}

fn read(text: &str) -> Option<StoppedEarly> {
    let (monitor, rest) = text
        .strip_prefix('`')?
        .split_once("` did not improve for ")?;
    // The first versions wrote "1 epochs".
    let (patience, rest) = rest.split_once(" epoch")?;
    let (_, improved) = rest.split_once(" after epoch ")?;
    let metrics = [Metric::ValidationTop1, Metric::ValidationLoss];
    Some(StoppedEarly {
        monitor: metrics.into_iter().find(|m| m.name() == monitor)?,
        patience: patience.parse().ok()?,
        improved: improved.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_A_LOSS: StoppedEarly = StoppedEarly {
        monitor: Metric::ValidationLoss,
        patience: 3,
        improved: 12,
    };

    #[test]
    fn histories_hold_the_sentence_that_they_always_held() {
        let written = serde_json::to_string(&OF_A_LOSS).unwrap();
        assert_eq!(
            written,
            r#""`validation.loss` did not improve for 3 epochs after epoch 12""#
        );
        let one = StoppedEarly {
            patience: 1,
            ..OF_A_LOSS
        };
        assert!(one.to_string().contains("for 1 epoch after epoch 12"));
    }

    #[test]
    fn the_sentence_is_read_as_it_was_written_by_any_version() {
        let read = |text: &str| serde_json::from_value::<StoppedEarly>(text.into());
        assert_eq!(read(&OF_A_LOSS.to_string()).unwrap(), OF_A_LOSS);
        let first = read("`validation.top1` did not improve for 1 epochs after epoch 2").unwrap();
        assert_eq!((first.patience, first.improved), (1, 2));
        for other in [
            "",
            "it was late",
            "`loss` did not improve for 1 epoch after epoch 2",
        ] {
            assert!(read(other).is_err(), "{other}");
        }
    }
}
