//! README.md and the pages of `docs`, held against the program and against each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use crate::support::{Project, commands_in};

mod languages;
mod run;
mod snippets;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// No line of a page has more characters.
const WIDTH: usize = 160;

/// README.md and every page of `docs`, by their paths below the root.
fn pages() -> BTreeMap<PathBuf, String> {
    let root = Path::new(ROOT);
    let mut paths = vec![PathBuf::from("README.md")];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let name = entry.unwrap().file_name();
        if Path::new(&name).extension().is_some_and(|e| e == "md") {
            paths.push(Path::new("docs").join(name));
        }
    }
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root.join(&path)).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// A project with a few photographs where `kfood sample data/sample` would put its own, under names as it gives them.
fn sample() -> Project {
    let project = Project::new();
    let (many, few) = (
        ["김밥", "비빔밥", "떡볶이", "잡채"],
        ["두부구이", "버섯볶음"],
    );
    for (folder, classes, n) in [
        ("train", many.as_slice(), 20),
        ("test", &many, 4),
        ("health/train", &few, 10),
        ("health/test", &few, 4),
    ] {
        for (class, name) in (0..).zip(classes) {
            for i in 1..=n {
                let photograph = format!("data/sample/{folder}/{name}/{i:04}.jpg");
                project.picture(&photograph, class, i + folder.len() as u32);
            }
        }
    }
    project
}

/// The code blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    page.split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// All code blocks of a page, each with the language that it names.
fn blocks_of(page: &str) -> Vec<&str> {
    page.split("```").skip(1).step_by(2).collect()
}

/// The lines outside code blocks.
fn prose(page: &str) -> Vec<&str> {
    let mut code = false;
    let lines = page.lines().filter(|line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence
    });
    lines.collect()
}

/// What stands between backticks in a line, and the rest of it.
fn code_and_words(line: &str) -> (Vec<&str>, String) {
    let pieces: Vec<_> = line.split('`').collect();
    let code = pieces.iter().skip(1).step_by(2).copied().collect();
    let words = pieces.iter().step_by(2).copied().collect();
    (code, words)
}

/// The names by which a link finds the headings of a page, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in prose(page) {
        let Some(heading) = line
            .trim_start_matches('#')
            .strip_prefix(' ')
            .filter(|_| line.starts_with('#'))
        else {
            continue;
        };
        let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let name: String = heading
            .to_lowercase()
            .chars()
            .filter(|c| kept(*c))
            .collect();
        let name = name.replace(' ', "-");
        let again = (1..).map(|n| format!("{name}-{n}"));
        let mut names = std::iter::once(name.clone()).chain(again);
        let free = names.find(|name| !found.contains(name)).unwrap();
        found.insert(free);
    }
    found
}

/// Where the links of a page lead: `(path, anchor)`, relative to the root; other sites are left out.
fn links(path: &Path, page: &str) -> Vec<(PathBuf, Option<String>)> {
    let mut found = Vec::new();
    for line in prose(page) {
        let (_, words) = code_and_words(line);
        for rest in words.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = match target.split_once('#') {
                Some((file, anchor)) => (file, Some(anchor.to_owned())),
                None => (target, None),
            };
            let to = if file.is_empty() {
                path.to_owned()
            } else {
                plain(&path.with_file_name(file))
            };
            found.push((to, anchor));
        }
    }
    found
}

/// Without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            assert!(plain.pop(), "{} leaves the repository", path.display());
        } else {
            plain.push(part);
        }
    }
    plain
}

#[test]
fn pipelines_in_the_docs_have_no_mistakes() {
    let project = Project::new();
    let mut pipelines = 0;
    for (path, page) in pages() {
        for text in blocks(&page, "toml") {
            if text.contains("[evaluate.") {
                println!("{}", path.display());
                pipelines += 1;
                project.write("pipelines/docs.toml", text);
                project.ok(&["check", "pipelines/docs.toml"]);
            }
        }
    }
    assert!(pipelines > 0, "the docs show no whole pipeline");
}

#[test]
fn every_kfood_command_in_the_docs_is_one_that_kfood_has() {
    let project = Project::new();
    let mut commands = BTreeSet::new();
    for page in pages().values() {
        let lines = blocks(page, "sh").into_iter().flat_map(str::lines);
        let named = lines.filter_map(|line| line.trim_start_matches("$ ").strip_prefix("kfood "));
        commands.extend(named.map(|rest| rest.split_whitespace().next().unwrap().to_owned()));
    }
    assert!(commands.len() > 8, "{commands:?}");
    for command in &commands {
        project.ok(&[command, "--help"]);
    }
}

#[test]
fn every_kfood_command_is_in_the_docs() {
    let help = Project::new().ok(&["--help"]).stdout;
    let page = fs::read_to_string(Path::new(ROOT).join("docs/commands.md")).unwrap();
    let names = commands_in(&help);
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        assert!(
            page.contains(&format!("kfood {name} ")),
            "docs/commands.md does not name `kfood {name}`"
        );
    }
}

#[test]
fn links_in_the_docs_lead_to_files_and_headings_that_exist() {
    let pages = pages();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, page) in &pages {
        for (to, anchor) in links(path, page) {
            let shown = format!("{}: {} {anchor:?}", path.display(), to.display());
            if !Path::new(ROOT).join(&to).exists() {
                wrong.push(shown);
            } else if let Some(anchor) = anchor {
                let text = fs::read_to_string(Path::new(ROOT).join(&to)).unwrap();
                if !anchors(&text).contains(&anchor) {
                    wrong.push(shown);
                }
            }
            seen.insert(to);
        }
    }
    assert!(
        wrong.is_empty(),
        "links that lead nowhere:\n{}",
        wrong.join("\n")
    );
    let unseen: Vec<_> = pages.keys().filter(|path| !seen.contains(*path)).collect();
    assert!(unseen.is_empty(), "no link leads to {unseen:?}");
}

#[test]
fn files_that_the_docs_name_exist() {
    let mut wrong = Vec::new();
    for (path, page) in pages() {
        for line in prose(&page) {
            for code in code_and_words(line).0 {
                let ours = ["src/", "tests/", "benches/"]
                    .iter()
                    .any(|folder| code.starts_with(folder));
                if ours && !code.contains(' ') && !Path::new(ROOT).join(code).exists() {
                    wrong.push(format!("{}: {code}", path.display()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "files that are not there:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_line_of_the_docs_is_wider_than_160_characters() {
    let mut wide = Vec::new();
    for (path, page) in pages() {
        for (i, line) in page.lines().enumerate() {
            let width = line.chars().count();
            if width > WIDTH {
                wide.push(format!("{}:{}: {width}", path.display(), i + 1));
            }
        }
    }
    assert!(wide.is_empty(), "wrap these lines:\n{}", wide.join("\n"));
}

#[test]
fn headings_have_the_anchors_that_github_gives_them() {
    let page = "# A `name` and more\n```sh\n# no heading\n```\n## Why .91?\n## Why .91?\n#tag\n";
    let expected = ["a-name-and-more", "why-91", "why-91-1"];
    assert_eq!(anchors(page), expected.map(str::to_owned).into());
    let found = links(
        Path::new("docs/a.md"),
        "[x](../README.md#a) `[y](z)` [w](https://x.y) [v](#b)",
    );
    let expected = [
        (PathBuf::from("README.md"), Some("a".to_owned())),
        (PathBuf::from("docs/a.md"), Some("b".to_owned())),
    ];
    assert_eq!(found, expected);
}
