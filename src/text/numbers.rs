//! Numbers that are easy to take in.

/// A whole number with its thousands apart: `33,593`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in decimal units: `980 B`, `1.2 MB`, `5.1 GB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1_000.0;
    let mut units = ["kB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or("kB");
    for larger in units {
        if value < 999.95 {
            break;
        }
        value /= 1_000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// From here on digits say nothing, as those of a loss that runs away.
const LARGE: f64 = 1e4;

/// A number with so many decimals, from ten thousand on (a million, where there are fewer than three) with a power of ten
/// (`2.204e27`); never a negative zero.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    let large = if decimals < 3 { 1e6 } else { LARGE };
    if value.abs() >= large {
        return format!("{value:.decimals$e}");
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if !rest.contains(|c: char| c.is_ascii_digit() && c != '0') => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_runs_away_has_a_power_of_ten_and_no_zero_is_negative() {
        let of = [0.8124, -0.0001, 9999.0, 10_000.0, 2.2039e27, -1e6].map(|value| fixed(value, 3));
        assert_eq!(
            of,
            [
                "0.812", "0.000", "9999.000", "1.000e4", "2.204e27", "-1.000e6"
            ]
        );
    }

    #[test]
    fn a_speed_keeps_its_digits_up_to_a_million() {
        let of = [12_345.6, 999_999.0, 1e6].map(|value| fixed(value, 0));
        assert_eq!(of, ["12346", "999999", "1e6"]);
    }

    #[test]
    fn the_digits_of_numbers_are_grouped() {
        let of = [0, 999, 1000, 33_593, 1_234_567].map(number);
        assert_eq!(of, ["0", "999", "1,000", "33,593", "1,234,567"]);
    }
}
