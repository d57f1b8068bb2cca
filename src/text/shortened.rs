//! Names in little room.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text in at most so many columns of a terminal: of a longer one the middle is left out, for names tell apart at both ends.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let front = taken(text.chars(), room.div_ceil(2));
    let back = taken(text.chars().rev(), room / 2);
    let back: String = back.chars().rev().collect();
    format!("{front}…{back}")
}

/// As many characters as fit.
fn taken(chars: impl Iterator<Item = char>, room: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= room
    };
    chars.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_in_the_middle() {
        assert_eq!(shortened("김치찌개", 8), "김치찌개");
        assert_eq!(
            shortened("deeper[arch=resnet50,seed=3]", 15),
            "deeper[…seed=3]"
        );
        // Syllables are two columns wide.
        assert_eq!(shortened("김치찌개된장", 8), "김치…장");
        for columns in 0..12 {
            assert!(shortened("김치찌개된장", columns).width() <= columns);
        }
    }
}
