//! Names that nobody can tell apart.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::text;

/// What is left of a name for the eye: compatible characters as one (NFKC), signs that are drawn alike as one, letters of one case,
/// blanks of any kind and number as one plain one and none at the ends, what is not seen at all taken out, no dots at the end, which
/// Windows takes off the name of a folder, and a whole number without `.0`. Empty for a name that shows nothing.
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
            seen.push(drawn_as(c));
        }
    }
    // What was taken out may have stood between a letter and its mark.
    let seen: String = seen.trim_end().nfkc().collect();
    match seen.trim_end_matches(['.', ' ']) {
        "" => seen,
        ended => whole_number(ended).to_owned(),
    }
}

/// `3` for `3.0`: what is made of a column of numbers as soon as one of its cells is empty.
fn whole_number(name: &str) -> &str {
    let Some((whole, zeros)) = name.split_once('.') else {
        return name;
    };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    match is_number && zeros.bytes().all(|b| b == b'0') {
        true => whole,
        false => name,
    }
}

/// The plain small character that one of another script is drawn as, small or large: what keyboards and word processors put in its
/// place.
const fn drawn_as(c: char) -> char {
    match c {
        // Hyphens, dashes and the minus.
        '\u{2010}'..='\u{2014}' | '\u{2212}' => '-',
        // Quotation marks and primes.
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{b4}' | '\u{2bc}' | '`' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' => '"',
        // Cyrillic, and the omicron.
        '\u{430}' => 'a',
        '\u{432}' => 'b',
        '\u{441}' => 'c',
        '\u{501}' => 'd',
        '\u{435}' => 'e',
        '\u{43d}' | '\u{4bb}' => 'h',
        '\u{456}' => 'i',
        '\u{458}' => 'j',
        '\u{43a}' => 'k',
        '\u{43c}' => 'm',
        '\u{43e}' | '\u{3bf}' => 'o',
        '\u{440}' => 'p',
        '\u{455}' => 's',
        '\u{442}' => 't',
        '\u{445}' => 'x',
        '\u{443}' => 'y',
        c => c,
    }
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

/// The names that look like another of them, in groups of two or more: they differ in invisible characters, in blanks, in case, in
/// dots at the end, in letters and signs that are drawn alike, or in characters that Unicode calls compatible (NFKC); or they are
/// one whole number, as `3` and `3.0`. Equal names are one; groups and names are in code point order.
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
            ("김밥", "김밥."),
            ("kimbap", "kimb\u{430}p"),
            ("KIMBAP", "\u{41a}imbap"),
            ("Вода", "вода"),
            ("김밥-치즈", "김밥\u{2013}치즈"),
            ("shepherd's pie", "shepherd\u{2019}s pie"),
            ("0", "0.0"),
            ("-12", "-12.000"),
        ] {
            assert_eq!(twins([one, other]).len(), 1, "{one:?} {other:?}");
        }
        let plain = [
            "김밥",
            "김 밥",
            "김밥2",
            "김_밥",
            "bibimbab",
            "bibimbap",
            "김밥",
            "борщ",
            "боршч",
            "1",
            "01",
            "1.5",
            "1.50",
            "v1",
            "v1.0",
            "10",
        ];
        assert!(twins(plain).is_empty());
        assert!(is_blank_name(" \u{200b}\u{3164}") && !is_blank_name("-") && !is_blank_name("."));
    }
}
