//! The words of the crates `toml` and `serde` that `src/config/wording.rs` tells mistakes apart by. A new version of either that
//! words them otherwise fails here, beside the place that must follow, and not in what a user reads.

use serde::Deserialize;
use toml::de::{DeTable, Error};

/// What stands in a pipeline file, in small: a number, a pair, a word, one setting of several.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the mistakes are looked at")]
struct Fields {
    count: u32,
    share: Option<f64>,
    flag: Option<bool>,
    name: Option<String>,
    pair: Option<(f64, f64)>,
    arch: Option<Arch>,
    optimizer: Option<Optimizer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Arch {
    Resnet18,
    Resnet50,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the mistakes are looked at")]
enum Optimizer {
    Sgd { lr: f64 },
    Adam { lr: f64 },
}

/// What is said of a text that is no TOML.
#[track_caller]
fn syntax(text: &str) -> Error {
    DeTable::parse(text).expect_err(text)
}

/// What is said of a value that does not fit.
#[track_caller]
fn value(text: &str) -> Error {
    toml::from_str::<Fields>(text).expect_err(text)
}

#[track_caller]
fn starts(error: &Error, words: &str) {
    let message = error.message();
    assert!(message.starts_with(words), "`{message}`, not `{words}`");
}

#[track_caller]
fn holds(error: &Error, words: &str) {
    let message = error.message();
    assert!(message.contains(words), "`{message}` without `{words}`");
}

#[test]
fn a_key_that_is_given_twice_is_a_duplicate_key() {
    for text in [
        "a = 1\na = 2\n",
        "[a]\n[a]\n",
        "a = { b = 1, b = 2 }\n",
        "a.b = 1\n[a]\nb = 2\n",
    ] {
        starts(&syntax(text), "duplicate key");
    }
}

#[test]
fn a_string_that_is_not_closed_and_an_escape_that_is_none_are_called_so() {
    holds(&syntax("a = \"x\n"), "string");
    holds(&syntax("a = 'x\n"), "string");
    holds(&syntax("a = \"C:\\data\"\n"), "escape");
}

#[test]
fn a_bare_name_of_other_letters_is_an_invalid_unquoted_key() {
    starts(&syntax("[train.이름]\n"), "invalid unquoted key");
}

#[test]
fn names_that_are_not_known_come_with_those_that_are() {
    assert_eq!(
        value("count = 1\ncuont = 2\n").message(),
        "unknown field `cuont`, expected one of `count`, `share`, `flag`, `name`, `pair`, `arch`, `optimizer`"
    );
    assert_eq!(
        value("count = 1\narch = \"resnet19\"\n").message(),
        "unknown variant `resnet19`, expected `resnet18` or `resnet50`"
    );
}

#[test]
fn what_is_missing_or_too_much_is_called_so() {
    assert_eq!(value("share = 0.5\n").message(), "missing field `count`");
    starts(&value("count = 1\npair = [1.0]\n"), "invalid length");
    for none_or_two in ["{}", "{ sgd = { lr = 1.0 }, adam = { lr = 1.0 } }"] {
        let text = format!("count = 1\noptimizer = {none_or_two}\n");
        starts(&value(&text), "wanted exactly 1 element");
    }
}

#[test]
fn a_value_of_another_type_comes_with_the_type_that_is_expected() {
    for (text, words, expected) in [
        ("count = \"3\"", "invalid type: string", "u32"),
        ("count = -1", "invalid value: ", "u32"),
        ("count = 1\nshare = \"x\"", "invalid type: string", "f64"),
        ("count = 1\nflag = 1", "invalid type: ", "a boolean"),
        ("count = 1\nname = 1", "invalid type: ", "a string"),
    ] {
        let error = value(text);
        starts(&error, words);
        let message = error.message();
        let told = message.rsplit_once("expected ").unwrap().1;
        assert_eq!(told, expected, "{message}");
    }
}

#[test]
fn a_mistake_knows_its_place() {
    let text = "count = 1\narch = \"resnet19\"\n";
    assert_eq!(&text[value(text).span().unwrap()], "\"resnet19\"");
    let text = "a = 1\nb = 2\na = 3\n";
    let span = syntax(text).span().unwrap();
    assert_eq!((span.start, &text[span]), (12, "a"));
}
