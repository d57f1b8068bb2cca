//! A curve in one line of text.

use crate::report::spaced::spaced;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same for a terminal that has no other characters.
const ASCII: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];
/// A curve is at most so many characters wide.
const WIDTH: usize = 60;

/// A character for each value (of many, evenly spaced ones), from the lowest to the highest. Values that are not finite are `?`.
pub(super) fn sparkline(values: &[f64]) -> String {
    curve(values, WIDTH, false)
}

/// The same in at most so many characters, and of ASCII alone where that is asked for.
#[must_use]
pub fn curve(values: &[f64], most: usize, ascii: bool) -> String {
    let blocks = if ascii { ASCII } else { BLOCKS };
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: f64| {
        if !value.is_finite() {
            return '?';
        }
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.0
        };
        blocks[((share * 7.0).round() as usize).min(7)]
    };
    spaced(values.len(), most)
        .map(|i| block(values[i]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_runs_from_its_lowest_to_its_highest_value() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0, f64::NAN]), "▁▅█?");
        assert_eq!(sparkline(&[0.3, 0.3]), "▁▁");
        assert_eq!(sparkline(&[]), "");
        let long: Vec<f64> = (0..200).map(f64::from).collect();
        let drawn = sparkline(&long);
        assert_eq!(drawn.chars().count(), 60);
        assert!(drawn.starts_with('▁') && drawn.ends_with('█'));
        assert_eq!(curve(&[0.0, 0.5, 1.0], 2, true), "_#");
    }
}
