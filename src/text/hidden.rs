//! Characters that are not seen, and what stands for one.

use std::fmt::Write as _;

/// Whether a character is not seen, moves what is seen, or is a blank other than the plain one: control characters, line and
/// paragraph separators, marks of direction, zero-width characters, fillers, selectors, tags, wide and narrow blanks.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    if c.is_control() || c.is_whitespace() {
        return true;
    }
    // Unicode's Default_Ignorable_Code_Point, its format characters, and the braille blank.
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

pub(super) fn escape(c: char, text: &mut String) {
    let written = match c {
        '\n' => text.write_str("\\n"),
        '\r' => text.write_str("\\r"),
        '\t' => text.write_str("\\t"),
        '\0'..='\u{7f}' => write!(text, "\\x{:02x}", c as u32),
        _ => write!(text, "\\u{{{:x}}}", c as u32),
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}
