//! The name of a file stands in one place: whoever writes it and whoever reads it take it from there.

use std::collections::BTreeMap;

use super::{sources, split_code};

/// Ends of the names of files that one part of the program writes and another reads.
const ENDS: [&str; 7] = [
    ".csv",
    ".f32",
    ".json",
    ".jsonl",
    ".pack",
    ".png",
    ".safetensors",
];

/// Whether it is the whole name of a file, such as `history.json`.
fn is_name(text: &str) -> bool {
    let stem = ENDS.iter().find_map(|end| text.strip_suffix(end));
    stem.is_some_and(|stem| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        !stem.is_empty() && stem.chars().all(plain)
    })
}

#[test]
fn the_name_of_a_file_stands_in_one_place() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        if source.path.contains("/tests") {
            continue;
        }
        // Tests say names themselves, as a user does.
        let text = source
            .text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap();
        let (_, literals) = split_code(text);
        for name in literals.into_iter().filter(|literal| is_name(literal)) {
            places.entry(name).or_default().push(source.path.clone());
        }
    }
    // The records, the models and the pack are among them.
    for name in [
        "history.json",
        "best.safetensors",
        "pixels.pack",
        "leaks.json",
    ] {
        assert!(places.contains_key(name), "{name}");
    }
    places.retain(|_, places| places.len() > 1);
    assert!(
        places.is_empty(),
        "take these from one constant, such as those of src/record/files.rs: {places:#?}"
    );
}
