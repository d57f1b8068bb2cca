//! The rooms of the house: every path in the sources is held against one table of them.

mod names;
mod picture;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The rooms that each room may import from. Left out: itself, and nothing else is allowed.
const MAY: &[(&str, &[&str])] = &[
    ("cells", &[]),
    ("digest", &["error", "files"]),
    ("error", &["space", "text"]),
    ("files", &["error", "space", "text"]),
    ("name", &["error", "text"]),
    ("seed", &["digest", "error"]),
    ("space", &[]),
    ("spelt", &["name"]),
    ("stop", &["error"]),
    ("text", &[]),
    ("settings", &["L0"]),
    ("record", &["L0", "settings"]),
    ("event", &["L0", "record"]),
    ("stats", &["L0", "settings", "record"]),
    ("config", &["L0", "settings", "record"]),
    ("stage", &["L0", "L1", "!config"]),
    ("native", &["L0", "L1", "!config"]),
    ("data", &["L0", "L1", "!config", "native"]),
    ("model", &["L0", "L1", "!config", "native", "data"]),
    ("learn", &["L0", "L1", "!config", "native", "data", "model"]),
    ("plan", &["L0", "L1", "!config", "stage"]),
    ("cache", &["L0", "L1", "!config", "stage", "native"]),
    ("exec", &["L0", "L1", "stage", "native", "plan", "cache"]),
    (
        "stages",
        &[
            "L0", "L1", "stage", "native", "data", "model", "learn", "plan", "cache",
        ],
    ),
    (
        "worker",
        &[
            "L0", "L1", "stage", "native", "data", "model", "learn", "plan", "cache",
        ],
    ),
    ("report", &["L0", "L1", "!config"]),
    (
        "cli",
        &[
            "L0", "L1", "stage", "native", "data", "model", "learn", "plan", "cache", "exec",
            "stages", "worker", "report",
        ],
    ),
    ("bin", &["cli", "worker"]),
];
const L0: &[&str] = &[
    "cells", "digest", "error", "files", "name", "seed", "space", "spelt", "stop", "text",
];
const L1: &[&str] = &["config", "settings", "record", "event", "stats"];

/// The rooms within `learn`: each may import from those before it.
const LEARN: &[&str] = &["picture", "feed", "optimize", "judge", "fit", "probe"];

struct Source {
    /// Such as `src/cache/key.rs`.
    path: String,
    room: String,
    text: String,
    /// Without comments and string literals.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&src, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let inner = path
                .strip_prefix(&src)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let room = inner
                .split('/')
                .next()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned();
            Source {
                path: format!("src/{inner}"),
                room,
                code: code_of(&text),
                lines: text.lines().count(),
                text,
            }
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Without comments, strings and character literals.
fn code_of(text: &str) -> String {
    split_code(text).0
}

/// The code without comments, strings and character literals; and the strings, but for raw ones.
fn split_code(text: &str) -> (String, Vec<String>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut strings) = (String::new(), Vec::new());
    let mut i = 0;
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    while i < chars.len() {
        let word_before = i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_');
        if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if at(i) == 'r'
            && !word_before
            && (at(i + 1) == '"' || (at(i + 1) == '#' && matches!(at(i + 2), '"' | '#')))
        {
            let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
            i += 2 + hashes;
            while i < chars.len() && !(at(i) == '"' && (1..=hashes).all(|k| at(i + k) == '#')) {
                i += 1;
            }
            i += 1 + hashes;
        } else if at(i) == '"' {
            i += 1;
            let start = i;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            strings.push(chars[start..i.min(chars.len())].iter().collect());
            i += 1;
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
        } else {
            out.push(at(i));
            i += 1;
        }
    }
    (out, strings)
}

/// The rooms that code names: `crate::room`, `crate::{room::x, other}`, and `kfood::room` from a program.
fn imports(code: &str) -> Vec<String> {
    named_after(&["crate::", "kfood::"], code)
}

/// The names that follow one of these paths, alone or in braces.
fn named_after(starts: &[&str], code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for start in starts {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before == '$' || before.is_alphanumeric() || before == '_' {
                continue;
            }
            let rest = code[at + start.len()..].trim_start();
            if let Some(list) = rest.strip_prefix('{') {
                let (mut depth, mut item) = (0, String::new());
                for c in list.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => rooms.push(std::mem::take(&mut item)),
                        c if depth == 0 => item.push(c),
                        _ => {}
                    }
                }
                rooms.push(item);
            } else {
                rooms.push(rest.to_owned());
            }
        }
    }
    let first = |text: &String| -> String {
        let word: String = text
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        word
    };
    rooms
        .iter()
        .map(first)
        .filter(|word| !word.is_empty())
        .collect()
}

fn allowed(room: &str) -> Option<Vec<&'static str>> {
    let rules = MAY.iter().find(|(name, _)| *name == room)?.1;
    let mut all: Vec<&str> = vec![];
    for rule in rules {
        match *rule {
            "L0" => all.extend(L0),
            "L1" => all.extend(L1),
            other if other.starts_with('!') => {}
            other => all.push(other),
        }
    }
    all.retain(|room| !rules.contains(&format!("!{room}").as_str()));
    Some(all)
}

#[test]
fn imports_only_point_downwards() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path != "src/lib.rs") {
        let Some(allowed) = allowed(&source.room) else {
            wrong.push(format!(
                "{}: the room `{}` is not in the table",
                source.path, source.room
            ));
            continue;
        };
        for import in imports(&source.code) {
            if import != source.room && !allowed.contains(&import.as_str()) {
                wrong.push(format!(
                    "{}: `{}` may not import `{import}`",
                    source.path, source.room
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_rooms_of_learn_import_in_their_order_alone() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.room == "learn") {
        let Some((room, _)) = source.path["src/learn/".len()..].split_once('/') else {
            continue;
        };
        let floor = LEARN.iter().position(|name| *name == room);
        for import in named_after(&["learn::"], &source.code) {
            let below = LEARN.iter().position(|name| *name == import);
            if floor.is_none() || below.is_none() || below > floor {
                wrong.push(format!(
                    "{}: `{room}` may not import `{import}`",
                    source.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_path_is_seen_however_it_is_written() {
    let code = "use crate::{\n error::{Error, Result},\n files, };\nuse crate::plan; crate::cache::Cache $crate::x";
    assert_eq!(imports(code), ["error", "files", "plan", "cache"]);
    assert_eq!(
        code_of("a // crate::b\n\"crate::c\" 'x' '\\'' r#\"d\"e\"# f<'a>"),
        "a \n    f<'a>"
    );
    assert_eq!(split_code("a(\"b.json\") // \"c\"").1, ["b.json"]);
}

#[test]
fn unsafe_code_is_in_native_alone() {
    let unsafe_word = |code: &str| {
        code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| word == "unsafe")
    };
    let outside: Vec<_> = sources()
        .into_iter()
        .filter(|s| s.room != "native" && unsafe_word(&s.code))
        .map(|s| s.path)
        .collect();
    assert!(outside.is_empty(), "unsafe outside `native`: {outside:?}");
}

#[test]
fn only_cli_and_the_programs_print() {
    let prints = |code: &str| {
        ["println!", "eprintln!", "print!(", "eprint!("]
            .iter()
            .any(|p| code.contains(p))
    };
    let others: Vec<_> = sources()
        .into_iter()
        .filter(|s| !matches!(s.room.as_str(), "cli" | "bin") && prints(&s.code))
        .map(|s| s.path)
        .collect();
    assert!(others.is_empty(), "printing outside `cli`: {others:?}");
}

/// A file of a user keeps what it had until all of the new content is there: `files::replace_with` sees to that.
#[test]
fn cli_writes_no_file_in_place() {
    const WAYS: [&str; 4] = ["fs::copy(", "fs::write(", "File::create(", "OpenOptions"];
    // A folder of its own for the time of a command; a download, which goes on beside its file; a new file, which replaces none.
    const OTHERS: [&str; 3] = [
        "src/cli/scratch.rs",
        "src/cli/download.rs",
        "src/cli/commands/new.rs",
    ];
    let found = sources().into_iter().filter(|source| {
        source.path.starts_with("src/cli/")
            && !OTHERS.contains(&source.path.as_str())
            && WAYS.iter().any(|way| source.code.contains(way))
    });
    let found: Vec<_> = found.map(|source| source.path).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn no_file_is_longer_than_450_lines() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|s| s.lines > 450)
        .map(|s| (s.path, s.lines))
        .collect();
    assert!(long.is_empty(), "split these files: {long:?}");
}

#[test]
fn half_of_the_files_are_shorter_than_120_lines() {
    let mut lines: Vec<_> = sources().iter().map(|source| source.lines).collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!(
        median < 120,
        "half of the files have {median} lines or more"
    );
}

#[test]
fn no_file_of_tests_is_longer_than_600_lines() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    let mut long = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                long.extend((lines > 600).then_some((path, lines)));
            }
        }
    }
    assert!(long.is_empty(), "split these files: {long:?}");
}

/// The files of a room, in the order in which its first file names them.
fn order(folder: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join("mod.rs");
    let text = fs::read_to_string(path).unwrap().replace("\n//!", "");
    let (_, rest) = text.split_once("In order: ").unwrap();
    let (names, _) = rest.split_once('.').unwrap();
    names
        .split(", ")
        .map(|name| name.trim().to_owned())
        .collect()
}

/// The words of every `use` of a file that begins with this path.
fn used(code: &str, start: &str) -> Vec<String> {
    let uses = code
        .split("use ")
        .skip(1)
        .map(|rest| rest.split(';').next().unwrap());
    let words = |text: &str| {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let ours = uses.filter_map(|text| Some(text.split_once(start)?.1));
    ours.flat_map(words).collect()
}

#[test]
fn files_of_config_import_only_those_before_them() {
    let mut wrong = Vec::new();
    for (folder, start) in [("src/config", "super::"), ("src/config/kinds", "super::")] {
        let order = order(folder);
        let inner =
            |source: &Source| Some(source.path.strip_prefix(&format!("{folder}/"))?.to_owned());
        let file = |inner: String| {
            inner
                .split('/')
                .next()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned()
        };
        let files: Vec<String> = sources().iter().filter_map(inner).map(file).collect();
        for source in sources() {
            let Some(inner) = source.path.strip_prefix(&format!("{folder}/")) else {
                continue;
            };
            let mut parts = inner.split('/');
            let name = parts.next().unwrap().trim_end_matches(".rs").to_owned();
            // Deeper files name those of the room by its whole path.
            let start = match parts.next() {
                Some("mod.rs") | None => start,
                Some(_) => "config::",
            };
            if name == "mod" {
                continue;
            }
            // One that is not in the order stands behind all, and none imports it.
            let own = order.iter().position(|file| *file == name);
            let own = own.unwrap_or(order.len());
            for word in used(&source.code, start) {
                let place = order.iter().position(|file| *file == word);
                if place.is_some_and(|place| place > own) {
                    wrong.push(format!("{}: `{word}` comes after it", source.path));
                }
                if place.is_none() && word != name && files.contains(&word) {
                    wrong.push(format!(
                        "{}: `{word}` is not in the order of {folder}",
                        source.path
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
