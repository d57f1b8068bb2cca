//! What the pages show is what the program takes: commands with their options, pipelines and pieces of them, Python.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use super::{ROOT, blocks, code_and_words, pages, prose, sample};
use crate::support::{Project, Ran};

/// Before a block that is a part of the whole pipeline above it, and before one that goes with the first pipeline of README.md.
const PART: &str = "<!-- with the pipeline above -->";
const PART_OF_README: &str = "<!-- with the pipeline of README.md -->";

/// Commands that a line names, each with its options: `cache gc` and `--dry-run`.
fn named(line: &str) -> Vec<(String, BTreeSet<String>)> {
    const NESTED: [&str; 2] = ["cache", "tune"];
    let at = line.match_indices("kfood ").map(|(at, _)| at);
    let free = |at: &usize| *at == 0 || line[..*at].ends_with([' ', '`', '(', '$']);
    let starts: Vec<_> = at.filter(free).collect();
    let ends = starts.iter().skip(1).copied().chain([line.len()]);
    let pieces = starts.iter().zip(ends).map(|(from, to)| &line[*from..to]);
    let of_piece = |piece: &str| {
        let ends = |c: char| ",;:.`()".contains(c);
        let words = piece.split_whitespace().skip(1);
        let words: Vec<_> = words.map(|word| word.trim_matches(ends)).collect();
        let name = |i: usize| {
            let word = *words.get(i)?;
            let is_name = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
            is_name.then_some(word)
        };
        let mut command = name(0)?.to_owned();
        if let Some(second) = name(1).filter(|_| NESTED.contains(&command.as_str())) {
            command = format!("{command} {second}");
        }
        let options = words.iter().filter(|w| w.len() > 1 && w.starts_with('-'));
        let bare = |word: &str| word.split(['=', '[']).next().unwrap_or(word).to_owned();
        Some((command, options.map(|word| bare(word)).collect()))
    };
    pieces.filter_map(of_piece).collect()
}

#[test]
fn every_command_in_the_docs_has_the_options_that_it_is_shown_with() {
    let project = Project::new();
    let mut shown: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for (path, page) in pages() {
        // What changed is told in the words of its day.
        if path.ends_with("CHANGELOG.md") {
            continue;
        }
        let spans = prose(&page).into_iter().flat_map(|l| code_and_words(l).0);
        let spans = spans.filter(|code| code.starts_with("kfood "));
        let lines = blocks(&page, "sh").into_iter().flat_map(str::lines);
        for (command, options) in lines.chain(spans).flat_map(named) {
            let place = path.display().to_string();
            let options = options.into_iter().map(|option| (option, place.clone()));
            shown.entry(command).or_default().extend(options);
        }
    }
    assert!(shown.len() > 20, "{shown:?}");
    for (command, options) in shown {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let help = project.ok(&words).stdout;
        let of_help = |c: char| c.is_whitespace() || ",[]".contains(c);
        let known: BTreeSet<_> = help.split(of_help).collect();
        for (option, place) in options {
            assert!(
                known.contains(option.as_str()),
                "{place}: `kfood {command}` has no `{option}`\n{help}"
            );
        }
    }
}

#[test]
fn commands_and_their_options_are_found_in_a_line() {
    let found = named("kfood cache ls [FILE]  # and: kfood cache gc --dry-run --max-size 20G, -v");
    let gc = ["--dry-run", "--max-size", "-v"].map(str::to_owned);
    let expected = [
        ("cache ls".to_owned(), BTreeSet::new()),
        ("cache gc".to_owned(), gc.into()),
    ];
    assert_eq!(found, expected);
    assert_eq!(named("kfood COMMAND --help"), []);
    assert_eq!(named("cd kfood && ls data/kfood -l"), []);
}

#[test]
fn pieces_of_pipelines_in_the_docs_fit_what_they_go_with() {
    let pages = pages();
    let project = beside_our_pipelines();
    let readme = blocks(&pages[Path::new("README.md")], "toml")[0];
    let mut checked = 0;
    for (path, page) in &pages {
        let (mut whole, mut before) = ("", "");
        for (i, piece) in page.split("```").enumerate() {
            if i % 2 == 0 {
                before = piece.trim_end();
                continue;
            }
            let Some(text) = piece.strip_prefix("toml\n") else {
                continue;
            };
            let shown = format!("{}\n{text}", path.display());
            let read: Result<toml::Table, _> = toml::from_str(text);
            let read = read.unwrap_or_else(|e| panic!("{e}\n{shown}"));
            if read.contains_key("dataset") {
                whole = text;
                continue;
            }
            // A file of settings is read in `the_files_that_the_docs_show_have_no_mistakes`; a line for an editor says nothing to kfood.
            let of_a_place = ["run", "cache", "executor"].iter();
            if read.is_empty() || of_a_place.clone().any(|key| read.contains_key(*key)) {
                continue;
            }
            let above = match () {
                () if before.ends_with(PART) => whole,
                () if before.ends_with(PART_OF_README) => readme,
                () if read.contains_key("use") => "",
                () => panic!("say above this piece what it goes with, such as `{PART}`: {shown}"),
            };
            println!("{shown}");
            project.write("pipelines/docs.toml", &format!("{above}\n{text}"));
            let mut check = project.command(&["check", "pipelines/docs.toml"]);
            let ran = check.env("KFOOD_REAL_DATA", "data").output().unwrap();
            Ran::of(ran).ended(0, &["check", "pipelines/docs.toml"]);
            checked += 1;
        }
    }
    assert!(checked > 6, "{checked}");
}

/// A project with the pipelines of the repository, of which pieces name some by `[use]`.
fn beside_our_pipelines() -> Project {
    let project = Project::new();
    for folder in ["pipelines", "pipelines/korean"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "toml") {
                let name = path.file_name().unwrap().to_str().unwrap();
                let text = fs::read_to_string(&path).unwrap();
                project.write(&format!("{folder}/{name}"), &text);
            }
        }
    }
    project
}

#[test]
fn pipelines_for_the_sample_are_planned() {
    let mut planned = 0;
    for (path, page) in pages() {
        for text in blocks(&page, "toml") {
            if !text.contains("data/sample") {
                continue;
            }
            println!("{}\n{text}", path.display());
            let project = sample();
            // The list that the recipe for rare classes makes.
            project.write("few.csv", "path\ntrain/김밥/0020.jpg\n");
            project.write("pipelines/docs.toml", text);
            let plan = project.fails(3, &["plan", "pipelines/docs.toml"]);
            assert!(plan.stdout.contains("never run"), "{}", plan.stdout);
            planned += 1;
        }
    }
    assert!(planned > 8, "{planned}");
}

#[test]
fn python_in_the_docs_can_be_read() {
    let parsed = |code: &str| {
        let mut python = Command::new("python3");
        python.args(["-c", "import ast, sys; ast.parse(sys.stdin.read())"]);
        let mut child = python.stdin(Stdio::piped()).spawn().ok()?;
        child.stdin.take()?.write_all(code.as_bytes()).ok()?;
        Some(child.wait().ok()?.success())
    };
    if parsed("").is_none() {
        println!("passed over: there is no python3 here");
        return;
    }
    for (path, page) in pages() {
        for code in blocks(&page, "python") {
            assert_eq!(parsed(code), Some(true), "{}\n{code}", path.display());
        }
    }
}
