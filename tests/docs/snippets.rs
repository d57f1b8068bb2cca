//! What the pages show is what the program takes: commands with their options, pieces of pipelines, Python; and the first steps, done.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::{Command, Stdio},
};

use super::{blocks, code_and_words, pages, prose};
use crate::support::Project;

/// Before a block that is a part of the whole pipeline above it.
const PART: &str = "<!-- with the pipeline above -->";

/// A project with a few photographs where `kfood sample data/sample` would put its own.
fn sample() -> Project {
    let project = Project::new();
    let (many, few) = (["김밥", "비빔밥", "잡채"], ["두부구이", "버섯볶음"]);
    project.dishes("data/sample/train", &many, 10);
    project.dishes("data/sample/test", &many, 4);
    project.dishes("data/sample/health/train", &few, 10);
    project.dishes("data/sample/health/test", &few, 4);
    // The list that the recipe for rare classes makes.
    project.write("few.csv", "path\ntrain/김밥/009.png\n");
    project
}

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
fn pieces_of_pipelines_in_the_docs_are_toml_and_fit_what_stands_above() {
    let project = Project::new();
    let mut parts = 0;
    for (path, page) in pages() {
        let (mut whole, mut before) = ("", "");
        for (i, piece) in page.split("```").enumerate() {
            if i % 2 == 0 {
                before = piece.trim_end();
                continue;
            }
            let Some(text) = piece.strip_prefix("toml\n") else {
                continue;
            };
            let read: Result<toml::Table, _> = toml::from_str(text);
            read.unwrap_or_else(|e| panic!("{}: {e}\n{text}", path.display()));
            if before.ends_with(PART) {
                parts += 1;
                println!("{}", path.display());
                project.write("pipelines/docs.toml", &format!("{whole}\n{text}"));
                project.ok(&["check", "pipelines/docs.toml"]);
            } else if text.contains("[dataset.") {
                whole = text;
            }
        }
    }
    assert!(parts > 0);
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
            project.write("pipelines/docs.toml", text);
            let plan = project.fails(3, &["plan", "pipelines/docs.toml"]);
            assert!(plan.stdout.contains("never run"), "{}", plan.stdout);
            planned += 1;
        }
    }
    assert!(planned > 8, "{planned}");
}

/// What stays of a line that a program printed when figures, times, sizes and names of runs are others, and columns are as wide as they
/// must be; nothing of a line that names a photograph.
fn shape(line: &str) -> Option<String> {
    if line.contains(".jpg") || line.contains(".png") {
        return None;
    }
    let is_name = |word: &str| word.len() == 8 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut shape: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let bare = word.trim_end_matches(|c: char| ",;:".contains(c));
        let unit = match bare {
            "ms" | "s" | "min" | "h" => Some("TIME"),
            "B" | "kB" | "MB" | "GB" => Some("SIZE"),
            _ => None,
        };
        // "2 min 37 s" is one time.
        if let (Some(unit), Some("#")) = (unit, shape.last().map(String::as_str)) {
            shape.pop();
            if shape.last().is_none_or(|last| last != unit) {
                shape.push(unit.to_owned());
            }
            if let Some(last) = shape.last_mut() {
                last.push_str(&word[bare.len()..]);
            }
        } else if is_name(word) {
            shape.push("NAME".to_owned());
        } else {
            shape.push(without_figures(word));
        }
    }
    Some(shape.join(" "))
}

fn without_figures(word: &str) -> String {
    let mut shape = String::new();
    for c in word.chars() {
        match (c, shape.chars().last()) {
            ('0'..='9', Some('#')) | ('─', Some('─')) => {}
            // Of a figure, and not of a sentence.
            ('.' | ',' | '%', Some('#')) => {}
            ('0'..='9', _) => shape.push('#'),
            (c, _) => shape.push(c),
        }
    }
    shape
}

/// Every line that the page shows is one that was printed, but for figures.
#[track_caller]
fn as_printed(shown: &str, printed: &str) {
    let printed: BTreeSet<_> = printed.lines().filter_map(shape).collect();
    for line in shown.lines().filter(|line| *line != "…") {
        let found = shape(line).is_none_or(|shape| printed.contains(&shape));
        assert!(found, "`{line}` is not printed: {printed:#?}");
    }
}

#[test]
fn a_line_is_told_apart_from_another_by_more_than_its_figures() {
    let shown = "net  3 epochs, 73.3% [64.8, 80.4] after 2 min 37 s, 89.5 MB";
    as_printed(shown, "net 4 epochs, 71% [6.8, 8.4]   after 12 s, 900 B");
    for other in [
        "net 4 epochs, 71% after 12 s, 9 B",
        "net epochs, 71% [6, 8] after 12 s, 9 B",
    ] {
        assert_ne!(shape(shown), shape(other));
    }
}

/// The commands of the page in order, and behind each block of them what the page shows of their output.
#[cfg(feature = "tensors")]
#[test]
fn the_first_steps_can_be_taken_as_they_stand_and_print_what_is_shown() {
    let page = &pages()[std::path::Path::new("docs/first-steps.md")];
    let project = sample();
    project.dishes("data/dishes", &["김밥", "비빔밥", "잡채"], 10);
    project.write("pipelines/first.toml", blocks(page, "toml")[0]);
    // Photographs that a network takes for another dish, more of them than are listed.
    for number in 90..96 {
        project.picture(
            &format!("data/sample/test/비빔밥/{number:03}.png"),
            0,
            number,
        );
    }
    let (mut run, mut held, mut printed) = (0, 0, String::new());
    let pieces = page.split("```").skip(1).step_by(2);
    for piece in pieces {
        if let Some(shown) = piece.strip_prefix("text\n") {
            // Its photographs are there, fewer of them.
            if !shown.starts_with("data/sample:") {
                as_printed(shown, &printed);
                held += 1;
            }
            printed.clear();
        }
        for line in piece.strip_prefix("sh\n").into_iter().flat_map(str::lines) {
            let Some(command) = line.strip_prefix("kfood ") else {
                continue;
            };
            let words: Vec<_> = command.split_whitespace().collect();
            let ran = match words[0] {
                "sample" => continue,
                "plan" => project.fails(3, &words),
                _ => project.ok(&words),
            };
            printed += &format!("{}{}", ran.stdout, ran.stderr);
            if words[0] == "new" {
                project.edit("pipelines/dishes.toml", "epochs = 40\n", "epochs = 1\n");
            }
            run += 1;
        }
        // The change that the page tells of.
        if piece.contains("--limit`") {
            project.edit("pipelines/first.toml", "epochs = 4\n", "epochs = 6\n");
            let plan = project.fails(3, &["plan", "pipelines/first.toml"]).stdout;
            let why = "`epochs` 4 -> 6; goes on from epoch 4 of an earlier result";
            assert!(plan.contains(why), "{plan}");
            printed += &plan;
        }
    }
    assert!(run > 9 && held == 5, "{run} {held}");
}

/// What the page on settings of a place shows is what `kfood config` prints.
#[test]
fn the_settings_of_a_place_are_printed_as_the_page_shows_them() {
    let page = &pages()[std::path::Path::new("docs/config.md")];
    let shown = blocks(page, "text");
    assert_eq!(shown.len(), 1);
    let project = Project::new();
    // The settings that the page shows as said by a file, and where.
    let said =
        "[run]\njobs = 2\n\n[executor.slurm]\npartition = \"gpu\"\nmemory = \"16G\"\ntime = 30\n";
    project.write("kfood.toml", said);
    let printed = project.ok(&["config"]).stdout;
    as_printed(shown[0], &printed);
}

/// For those to whom pip or cargo brought the program alone.
#[test]
fn pages_of_the_manual_and_completions_come_by_the_commands_of_the_page() {
    let page = &pages()[std::path::Path::new("docs/python.md")];
    let all = blocks(page, "sh");
    let block = all
        .iter()
        .find(|block| block.contains("kfood man"))
        .unwrap();
    let project = Project::new();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_kfood"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.args(["-ec", block]).env("PATH", path);
    let ran = shell.env("HOME", project.path("")).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let share = ".local/share";
    assert!(
        project
            .read(&format!("{share}/man/man1/kfood-run.1"))
            .contains(".TH")
    );
    let completions = format!("{share}/bash-completion/completions/kfood");
    assert!(project.read(&completions).contains("_kfood"));
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
