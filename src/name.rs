//! Names: Unicode NFC, the nearest of a few when one is misspelt, and those that look the same.

mod alike;

pub use alike::{is_blank_name, twins};

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The NFC form of a name. macOS hands out Korean names decomposed (NFD); both spellings are one name here.
#[must_use]
pub fn nfc(name: &str) -> String {
    if is_nfc(name) {
        return name.to_owned();
    }
    name.nfc().collect()
}

/// The candidate that a misspelt name most likely means, if one is near enough.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&wanted, &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= 1 + c.chars().count().max(wanted.chars().count()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// The names in backticks, joined as a sentence lists them: "`a`, `b` or `c`".
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|n| format!("`{n}`")).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_korean_name_are_one() {
        assert_eq!(nfc("\u{1100}\u{1175}\u{11b7}밥"), "김밥");
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        assert_eq!(nearest("trian", ["split", "train"]), Some("train"));
        assert_eq!(
            nearest("resnet19", ["resnet18", "resnet50"]),
            Some("resnet18")
        );
        assert_eq!(nearest("banana", ["split", "train"]), None);
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
