//! No text makes the reading of a pipeline file panic.

use proptest::prelude::*;

use super::{COMMITTED, load_files, mistakes};

/// One edit of a text: bytes cut out at a place, and something put there.
fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let pieces = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        "=",
        ".",
        "\"",
        "'",
        "\n",
        ",",
        "0",
        "-1",
        "nan",
        "matrix.",
        "[use]\n",
        "\"all\"",
        "fold = ",
        "김밥",
        "\u{0}",
        "${",
        "seed = [1, 2]",
        "[[",
        "true",
        "1979-05-27",
        "\t",
        "#",
        "1e999",
        "mission1.",
        "[train.x]\n",
    ]);
    let text = prop_oneof![pieces.prop_map(str::to_owned), ".{0,8}"];
    (any::<prop::sample::Index>(), 0..20_usize, text)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(which in 0..COMMITTED.len(), edits in prop::collection::vec(edit(), 1..6)) {
        let mut text: Vec<char> = std::fs::read_to_string(COMMITTED[which]).unwrap().chars().collect();
        for (at, cut, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let base = std::fs::read_to_string(COMMITTED[4]).unwrap();
        let next = std::fs::read_to_string(COMMITTED[5]).unwrap();
        let files = [("p.toml", text.as_str()), ("mission1.toml", &base), ("mission2.toml", &next)];
        if let Err(mistakes) = load_files(&files) {
            prop_assert!(mistakes.starts_with("error: "));
        }
    }
}

#[test]
fn keys_of_very_many_parts_are_no_danger() {
    let deep = "a.".repeat(100_000);
    let texts = [
        format!("[dataset.x]\ntrain = \"x\"\n{deep}b = 1\n"),
        format!("[dataset.{deep}b]\n"),
        format!("[dataset.x]\nmatrix.{deep}b = [1]\n"),
        format!("[dataset.x]\ntrain = {}\n", "[".repeat(100_000)),
        format!("[dataset.x]\ntrain = {{{deep}b = 1}}\n"),
    ];
    for text in texts {
        assert!(mistakes(&text).starts_with("error: "));
    }
}
