//! When a running training saves its state. No result depends on it, and no key holds it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::declare::{Refused, Shape, Ways, plain, read_ways, settings};

settings! {
    /// The state is saved after every epoch, and within one.
    #[example = "{ every = \"5m\" }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Save {
        /// The longest time between two saves within an epoch.
        pub every: Period,
    }
}

impl Default for Save {
    fn default() -> Self {
        Self {
            every: Period(5 * 60),
        }
    }
}

/// A time such as `"90s"`, `"5m"` or `"1h"`: a whole number of at least 1 and its unit. In seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(u32);

/// What a period may be.
const ACCEPTS: &str = "a time such as \"90s\", \"5m\" or \"1h\"";
/// Units with their seconds, the longest first.
const UNITS: [(char, u32); 3] = [('h', 3600), ('m', 60), ('s', 1)];

impl Period {
    /// As the standard library has it.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = UNITS
            .iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))?;
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let seconds = number.parse::<u32>().ok()?.checked_mul(unit)?;
        (seconds > 0).then_some(Self(seconds))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS
            .iter()
            .find(|(_, seconds)| self.0.is_multiple_of(*seconds));
        let (unit, seconds) = whole.unwrap_or(&('s', 1));
        write!(f, "{}{unit}", self.0 / seconds)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

plain! { Period: Shape::Text(ACCEPTS) }

impl Ways for Period {
    fn expects() -> String {
        ACCEPTS.to_owned()
    }

    fn word(word: &str) -> Result<Self, Refused> {
        Self::parse(word).ok_or(Refused::Value)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_and_a_unit_and_is_written_in_the_longest_whole_one() {
        for (text, seconds, written) in [
            ("90s", 90, "90s"),
            ("300s", 300, "5m"),
            ("1h", 3600, "1h"),
            ("60m", 3600, "1h"),
        ] {
            let period = Period::parse(text).unwrap();
            assert_eq!(period.duration(), Duration::from_secs(seconds));
            assert_eq!(period.to_string(), written);
        }
        // The first of them is the empty one.
        for text in "|m|0s|5|-5m|+5m|1.5h|5 m|5d|4294967295h".split('|') {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }
}
