//! Quantities as people read them.

use std::time::{Duration, UNIX_EPOCH};

use crate::record::Interval;
pub use crate::text::bytes;
pub(super) use crate::text::fixed;

/// A share as a percentage with one decimal: `60.7%`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{}%", points(share))
}

/// A share times 100 with one decimal and without the sign of percent; never `-0.0`.
pub(super) fn points(share: f64) -> String {
    fixed(100.0 * share, 1)
}

/// A share with an interval, in points: `43.8% (35.6 to 52.0)`.
pub(super) fn share_between(share: f64, interval: Interval) -> String {
    let (low, high) = (points(interval.low), points(interval.high));
    format!("{} ({low} to {high})", percent(share))
}

/// A probability of a test, which says no more than that it is small where it is.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "<0.001".to_owned()
    } else {
        fixed(p, 3)
    }
}

/// A learning rate with three digits that matter: `0.001`, `0.000309`, `2.5e-6`.
pub(super) fn rate(lr: f64) -> String {
    let short: f64 = format!("{lr:.2e}").parse().unwrap_or(lr);
    if short != 0.0 && short.abs() < 1e-4 {
        format!("{short:e}")
    } else {
        format!("{short}")
    }
}

/// A span of time in its two largest units: `21 ms`, `0.3 s`, `42 s`, `3 min 20 s`, `5 h 07 min`, `2 d 03 h`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".to_owned();
    }
    if seconds < 0.0995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    // Rounded before it is taken apart, so that 59.7 s is a minute and not "60 s".
    let whole = seconds.round() as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3_600, whole / 86_400);
    if minutes == 0 {
        format!("{whole} s")
    } else if hours == 0 {
        format!("{minutes} min {:02} s", whole % 60)
    } else if days == 0 {
        format!("{hours} h {:02} min", minutes % 60)
    } else {
        format!("{days} d {:02} h", hours % 24)
    }
}

/// A moment, in seconds since 1970, as a calendar in UTC has it: `2026-11-30 20:15:03 UTC`.
#[must_use]
pub fn moment(seconds: u64) -> String {
    let moment = UNIX_EPOCH + Duration::from_secs(seconds);
    let told = humantime::format_rfc3339_seconds(moment).to_string();
    told.replace('T', " ").replace('Z', " UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_a_calendar() {
        // As `date --utc --date=@SECONDS` has them.
        let cases = [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_796_069_703, "2026-11-30 20:15:03 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ];
        for (seconds, text) in cases {
            assert_eq!(moment(seconds), text);
        }
    }

    #[test]
    fn shares_read_as_percentages() {
        assert_eq!(percent(0.6074), "60.7%");
        assert_eq!(percent(1.0), "100.0%");
        assert_eq!(percent(-0.0001), "0.0%");
        assert_eq!(points(-0.031), "-3.1");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (0.0, "0 ms"),
            (0.0214, "21 ms"),
            (0.0996, "0.1 s"),
            (0.34, "0.3 s"),
            (9.96, "10 s"),
            (59.7, "1 min 00 s"),
            (200.0, "3 min 20 s"),
            (18_420.0, "5 h 07 min"),
            (183_600.0, "2 d 03 h"),
            (f64::NAN, "unknown"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn sizes_are_easy_to_take_in() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567, 999_999, 5_100_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "1.2 MB", "1.0 MB", "5.1 GB"]
        );
    }

    #[test]
    fn learning_rates_are_short() {
        assert_eq!(
            [0.001, 0.005, 0.0, 2.5e-6, 0.1].map(rate),
            ["0.001", "0.005", "0", "2.5e-6", "0.1"]
        );
    }
}
