//! The last door before a terminal: whole lines and whole JSON documents that cannot steer it.

use std::fmt::Write as _;

use super::hidden::escape;

/// Whole lines for a terminal: what would steer it (control characters, marks of direction) is escaped, line breaks and tabs
/// stay. The last door before printing; it can't know which line break belongs to a name, so names go through `shown` first.
#[must_use]
pub fn safe_lines(text: &str) -> String {
    let fine = |c: char| matches!(c, '\n' | '\t') || !steers(c);
    if text.chars().all(fine) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if fine(c) {
            safe.push(c);
        } else {
            escape(c, &mut safe);
        }
    }
    safe
}

/// The text of a JSON document in which every character that would steer a terminal is written as JSON escapes it, so that it
/// stays the same document.
#[must_use]
pub fn json_safe(json: &str) -> String {
    if !json.chars().any(|c| steers(c) && c != '\n') {
        return json.to_owned();
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if steers(c) && c != '\n' {
            // All of them lie in the first plane.
            let written = write!(safe, "\\u{:04x}", c as u32);
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a character steers a terminal or the direction of what follows.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_breaks_and_lose_what_steers_a_terminal() {
        assert_eq!(safe_lines("a:\n  b\tc"), "a:\n  b\tc");
        assert_eq!(safe_lines("a\u{1b}]0;x\u{7}\n"), "a\\x1b]0;x\\x07\n");
    }

    #[test]
    fn json_stays_the_same_document() {
        let json = "{\n  \"a\": \"\u{9b}31m\u{202e}\u{7f}\"\n}";
        assert_eq!(
            json_safe(json),
            "{\n  \"a\": \"\\u009b31m\\u202e\\u007f\"\n}"
        );
    }
}
