//! Text in the cells of a CSV that a spreadsheet may open.
//!
//! A cell that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet, and names of classes and files may begin so. Every
//! text that kfood writes into a CSV goes through here: such a cell gets an apostrophe in front, by which a spreadsheet knows text,
//! and loses it again when kfood reads the file. Numbers are no text and stay as they are.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serializer};

/// Whether a spreadsheet would read it as a formula, or as guarded by an apostrophe.
fn is_formula(text: &str) -> bool {
    // The wide forms are formulas in Japanese and Korean programs; tabs and line breaks in front are skipped by some.
    let bare = text.trim_start_matches(['\t', '\r', '\n', ' ']);
    bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// The cell of a text.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

/// The text of a cell.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

/// For `#[serde(with = "cells")]` on a text.
///
/// # Errors
/// Those of the format.
pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&guarded(text))
}

/// For `#[serde(with = "cells")]` on a text.
///
/// # Errors
/// Those of the format.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let cell = String::deserialize(deserializer)?;
    Ok(unguarded(&cell).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_and_every_text_comes_back() {
        for text in ["=1+2", "+82", "-", "@sum", "'=x", "''=x", " =1", "＝1"] {
            assert!(guarded(text).starts_with('\''), "{text}");
            assert_eq!(unguarded(&guarded(text)), text);
        }
        for text in ["김밥", "a=b", "'quoted'", "", "1"] {
            assert_eq!(guarded(text), text);
            assert_eq!(unguarded(text), text);
        }
    }
}
