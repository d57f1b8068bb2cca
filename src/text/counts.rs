//! Counts that agree with their nouns and verbs.

use super::number;

/// A count with its noun: "1 image", "2 images", "1,043 photographs".
#[must_use]
pub fn count(n: impl TryInto<u64>, noun: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {}", number(n), plural(n, noun))
}

/// The noun alone: "image" of one, "images" of none or many; so "class", "entry", "copy", "is", "it".
#[must_use]
pub fn plural(n: impl TryInto<u64>, noun: &str) -> String {
    if n.try_into().unwrap_or(u64::MAX) == 1 {
        return noun.to_owned();
    }
    let irregular = match noun {
        "is" => Some("are"),
        "was" => Some("were"),
        "has" => Some("have"),
        "does" => Some("do"),
        "epoch" => Some("epochs"),
        "it" => Some("they"),
        "this" => Some("these"),
        "its" => Some("their"),
        _ => None,
    };
    if let Some(word) = irregular {
        return word.to_owned();
    }
    let vowel = |c: Option<char>| c.is_some_and(|c| "aeiou".contains(c));
    match noun.strip_suffix('y') {
        Some(stem) if !vowel(stem.chars().next_back()) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// The word for one or for several: `either(n, "looks", "look")`.
#[must_use]
pub fn either<'a>(n: impl TryInto<u64>, one: &'a str, several: &'a str) -> &'a str {
    if n.try_into().unwrap_or(u64::MAX) == 1 {
        one
    } else {
        several
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!(
            [0, 1, 2, 1_043].map(|n| count(n, "image")),
            ["0 images", "1 image", "2 images", "1,043 images"]
        );
        let many = [
            "class", "entry", "key", "copy", "batch", "epoch", "is", "it", "has",
        ]
        .map(|w| plural(2, w));
        assert_eq!(
            many,
            [
                "classes", "entries", "keys", "copies", "batches", "epochs", "are", "they", "have"
            ]
        );
        assert_eq!(plural(1_usize, "class"), "class");
        assert_eq!(either(1_u64, "looks", "look"), "looks");
    }
}
