//! Names that nobody can tell apart.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::text;

/// What is left of a name for the eye: compatible characters as one (NFKC), letters of one case, blanks of any kind and number as
/// one plain one and none at the ends, what is not seen at all taken out. Empty for a name that shows nothing.
fn seen(name: &str) -> String {
    let mut seen = String::new();
    let folded = name.nfkc().collect::<String>().to_lowercase();
    // There and back: some letters have two small forms, such as `ß` and `ss`.
    let folded = folded.to_uppercase().to_lowercase();
    for c in folded.chars() {
        if is_blank(c) {
            if !seen.is_empty() && !seen.ends_with(' ') {
                seen.push(' ');
            }
        } else if !text::is_hidden(c) {
            seen.push(c);
        }
    }
    // What was taken out may have stood between a letter and its mark.
    seen.trim_end().nfkc().collect()
}

/// Whether a character is seen as a blank: white space, and letters and signs that are drawn as nothing with a width.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
        )
}

/// Whether a name shows nothing at all.
#[must_use]
pub fn is_blank_name(name: &str) -> bool {
    seen(name).is_empty()
}

/// The names that look like another of them, in groups of two or more: they differ in invisible characters, in blanks, in case, or
/// in characters that Unicode calls compatible (NFKC). Equal names are one; groups and names are in code point order.
#[must_use]
pub fn twins<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Vec<&'a str>> {
    let mut by_look: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        let alike = by_look.entry(seen(name)).or_default();
        if !alike.contains(&name) {
            alike.push(name);
        }
    }
    let mut groups: Vec<_> = by_look.into_values().filter(|g| g.len() > 1).collect();
    for group in &mut groups {
        group.sort_unstable();
    }
    groups.sort_unstable();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_what_nobody_sees_are_twins() {
        for (one, other) in [
            ("김밥", "김밥\u{200b}"),
            ("김밥", "김밥 "),
            ("김밥", "\u{feff}김밥"),
            ("김밥", "김\u{ad}밥"),
            ("김밥", "김밥\u{3164}"),
            ("김밥", "김밥\u{fe0f}"),
            ("김밥", "김밥\u{e0020}"),
            ("김치 찌개", "김치\u{a0}찌개"),
            ("김치 찌개", "김치  찌개"),
            ("김치 찌개", "김치\u{2800}찌개"),
            ("bibimbap", "Bibimbap"),
            ("straße", "STRASSE"),
            ("abc", "ａｂｃ"),
            ("ﬁsh", "fish"),
            ("㎏", "kg"),
            ("a\u{200b}\u{301}", "á"),
            ("ㄱ", "\u{1100}"),
        ] {
            assert_eq!(twins([one, other]).len(), 1, "{one:?} {other:?}");
        }
        let plain = [
            "김밥", "김 밥", "김밥2", "김_밥", "bibimbab", "bibimbap", "김밥",
        ];
        assert!(twins(plain).is_empty());
        assert!(is_blank_name(" \u{200b}\u{3164}") && !is_blank_name("-"));
    }
}
