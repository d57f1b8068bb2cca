//! Names: Unicode NFC, the nearest of a few when one is misspelt, and those that look the same.

mod alike;

pub use alike::{is_blank_name, twins};

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::text::shown;

/// The NFC form of a name. macOS hands out Korean names decomposed (NFD); both spellings are one name here.
#[must_use]
pub fn nfc(name: &str) -> String {
    if is_nfc(name) {
        return name.to_owned();
    }
    name.nfc().collect()
}

/// The candidate that a misspelt or shortened name most likely means, if there is one: the one whose words it abbreviates
/// (`ce` is `cross_entropy`), else the nearest by letters, else the only one that begins or ends with it, or with which it does
/// (`horizontal_flip` is `random_horizontal_flip`).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    let candidates: Vec<_> = candidates.into_iter().collect();
    if length > 1
        && let Some(short) = candidates.iter().find(|c| initials(c) == wanted)
    {
        return Some(short);
    }
    let distance = |c: &str| {
        let (lower, other) = (c.to_lowercase(), c.chars().count());
        let (shorter, longer) = (length.min(other), length.max(other));
        // Names of very different lengths are far apart; measuring long ones takes long.
        if longer - shorter > allowed(longer) || longer > LONGEST {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&wanted, &lower);
        // Most of the letters must agree.
        (distance <= allowed(longer) && distance < shorter).then_some(distance)
    };
    let near = candidates.iter().filter_map(|c| Some((distance(c)?, *c)));
    if let Some((_, near)) = near.min_by_key(|(distance, _)| *distance) {
        return Some(near);
    }
    let begin = |long: &str, short: &str| long.starts_with(short);
    let end = |long: &str, short: &str| long.ends_with(short);
    let only = |fits: &dyn Fn(&str, &str) -> bool| {
        let mut fitting = candidates.iter().filter(|c| {
            let lower = c.to_lowercase();
            length.min(lower.chars().count()) >= 4
                && (fits(&lower, &wanted) || fits(&wanted, &lower))
        });
        fitting.next().filter(|_| fitting.next().is_none())
    };
    only(&begin).or_else(|| only(&end)).copied()
}

/// Longer names are not compared by their letters.
const LONGEST: usize = 200;

/// So many slips are forgiven in a name of that length.
const fn allowed(length: usize) -> usize {
    let some = (length + 2) / 4;
    if some == 0 { 1 } else { some }
}

/// The first letters of the words of a name of several: `ce` of `cross_entropy`.
fn initials(name: &str) -> String {
    let words: Vec<_> = name.split(['_', '-']).collect();
    if words.len() < 2 {
        return String::new();
    }
    words
        .iter()
        .filter_map(|word| word.chars().next())
        .collect::<String>()
        .to_lowercase()
}

/// The names in backticks, joined as a sentence lists them: "`a`, `b` or `c`".
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names
        .into_iter()
        .map(|n| format!("`{}`", shown(n)))
        .collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// The names in backticks, all of them: "`a`, `b`, `c`".
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names = names.into_iter().map(|n| format!("`{}`", shown(n)));
    names.collect::<Vec<_>>().join(", ")
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
    fn an_abbreviation_is_known_by_its_first_letters() {
        let losses = ["cross_entropy", "focal", "bce"];
        assert_eq!(nearest("ce", losses), Some("cross_entropy"));
        assert_eq!(nearest("cross", losses), Some("cross_entropy"));
        assert_eq!(nearest("crossentropy", losses), Some("cross_entropy"));
        let flips = ["random_horizontal_flip", "random_vertical_flip"];
        assert_eq!(nearest("horizontal_flip", flips), Some(flips[0]));
        assert_eq!(nearest("flip", flips), None);
        assert_eq!(nearest("epcoh", ["epochs", "batch_size"]), Some("epochs"));
    }

    #[test]
    fn nothing_is_offered_that_has_little_in_common() {
        assert_eq!(nearest("tta", ["data", "seed", "leaks"]), None);
        assert_eq!(nearest("x", ["lr", "a", "b"]), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest("mse", ["bce", "focal"]), None);
    }

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
