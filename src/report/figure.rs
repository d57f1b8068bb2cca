//! A figure of a table: one run with its interval, or the mean of several with their spread.

use serde::Serialize;

use super::units::{fixed, percent, points};
use crate::record::Interval;

/// A metric over the runs of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The mean over the runs.
    pub mean: f64,
    /// The sample standard deviation over the runs (divisor n - 1); only with two runs or more.
    pub sd: Option<f64>,
    /// The 95% interval: Wilson's of a share of images in a single run; of top-1 over several runs one over images and runs.
    pub interval: Option<Interval>,
}

impl Figure {
    /// From the values of the runs, and the interval of each where the metric has one. `None` without runs.
    #[must_use]
    pub fn of(values: &[f64], intervals: &[Interval]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Some(Self {
            mean: values.first().map(|_| mean)?,
            sd: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
            interval: match intervals {
                [only] if values.len() == 1 => Some(*only),
                _ => None,
            },
        })
    }

    /// The same with an interval of its own.
    #[must_use]
    pub fn within(self, interval: Interval) -> Self {
        Self {
            interval: Some(interval),
            ..self
        }
    }

    /// The same without its interval, where a table has no room for it.
    #[must_use]
    pub fn without_interval(&self) -> Self {
        Self {
            interval: None,
            ..self.clone()
        }
    }

    /// As a percentage: `60.6% [59.2, 62.1]` or `60.6% ± 1.2`.
    #[must_use]
    pub fn percent(&self) -> String {
        let mean = percent(self.mean);
        match (self.sd, self.interval) {
            (Some(sd), _) => format!("{mean} ± {}", points(sd)),
            (None, Some(i)) => format!("{mean} [{}, {}]", points(i.low), points(i.high)),
            (None, None) => mean,
        }
    }

    /// As it is, with three decimals: `1.234` or `1.234 ± 0.056`.
    #[must_use]
    pub fn plain(&self) -> String {
        let mean = fixed(self.mean, 3);
        match self.sd {
            Some(sd) => format!("{mean} ± {}", fixed(sd, 3)),
            None => mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_shows_its_interval_and_several_their_spread() {
        let interval = Interval {
            low: 0.5,
            high: 0.7,
        };
        let one = Figure::of(&[0.6], &[interval]).unwrap();
        assert_eq!(one.percent(), "60.0% [50.0, 70.0]");
        assert_eq!(one.plain(), "0.600");
        // numpy: np.std([0.6, 0.7, 0.71], ddof=1) = 0.06082762530298218
        let three = Figure::of(&[0.6, 0.7, 0.71], &[interval; 3]).unwrap();
        assert!((three.sd.unwrap() - 0.06082762530298218).abs() < 1e-15);
        assert_eq!(three.percent(), "67.0% ± 6.1");
        assert_eq!(three.plain(), "0.670 ± 0.061");
        assert_eq!(Figure::of(&[], &[]), None);
    }
}
