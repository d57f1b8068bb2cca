//! What the pages show is done: their commands are run as they stand, and what is shown as output is printed.

use std::{collections::BTreeSet, fs, path::Path};

use super::{blocks, pages};
#[cfg(feature = "tensors")]
use super::{blocks_of, sample};
use crate::{
    layouts::{Names, zip_of},
    support::Project,
};

/// Pages whose commands are run here.
const RUN: [&str; 8] = [
    "README.md",
    "docs/aihub.md",
    "docs/first-steps.md",
    "docs/models.md",
    "docs/python.md",
    "docs/recipes.md",
    "docs/results.md",
    "docs/training.md",
];

/// Lines that no test here runs, by their beginning, and why.
const NOT_RUN: [(&str, &str); 12] = [
    ("make ", "builds; `.ci/run` does"),
    ("export PATH=", "the tests know where the program is"),
    (
        "pip install .",
        "builds; `make wheel` installs what comes of it",
    ),
    (
        "kfood sample ",
        "draws for half a minute; the test's own photographs lie in its place",
    ),
    ("kfood fetch ", "a server has the weights"),
    (
        "kfood predict --model x.pt ",
        "a file of others: tests/foreign_models.rs",
    ),
    ("kfood new photos", "`make wheel` does"),
    (
        "kfood report FILE --mlflow http",
        "a server: tests/mlflow_parity.py",
    ),
    (
        "tensorboard ",
        "another program: tests/tensorboard_events.py",
    ),
    ("mlflow ", "another program: tests/mlflow_parity.py"),
    ("yolo ", "another program: tests/docs_parity.py"),
    (
        "KFOOD_WRITE_REFERENCE=",
        "builds; tests/reference.rs and tests/schema.rs hold what it writes",
    ),
];

/// What is not run, and why.
fn not_run(line: &str) -> Option<&'static str> {
    let found = NOT_RUN.iter().find(|(start, _)| line.starts_with(start));
    found.map(|(_, why)| *why)
}

/// Each line of a shell that a page shows is run by a test here, or said not to be.
#[test]
fn lines_that_no_test_runs_are_known_and_so_is_why() {
    let mut unused: BTreeSet<_> = NOT_RUN.iter().map(|(start, _)| *start).collect();
    for (path, page) in pages() {
        let path = path.display().to_string();
        let lines = blocks(&page, "sh").into_iter().flat_map(str::lines);
        for line in lines {
            unused.retain(|start| !line.starts_with(start));
            // A list of all commands, with words to fill in; and the lines of an English page.
            let held = path == "docs/commands.md" || path.ends_with(".ko.md");
            let run = RUN.contains(&path.as_str());
            assert!(
                held || run || not_run(line).is_some(),
                "{path}: no test runs `{line}`"
            );
        }
    }
    assert!(unused.is_empty(), "no page shows {unused:?}");
}

/// Runs lines as they stand, but for those that no test runs; what they printed.
#[cfg(feature = "tensors")]
#[track_caller]
fn run_lines(project: &Project, lines: &str) -> String {
    let mut printed = String::new();
    for line in lines.lines().filter(|line| not_run(line).is_none()) {
        // A plan tells by its code that something is to be done.
        let code = if line.starts_with("kfood plan ") {
            3
        } else {
            0
        };
        // A word for any pipeline file.
        let line = line.replace(" FILE ", " pipelines/first.toml ");
        let ran = project.shell(&line).ended(code, &[&line]);
        printed += &format!("{}{}", ran.stdout, ran.stderr);
    }
    printed
}

/// The same pipeline for one epoch of small pictures, with one seed and two folds in place of three.
#[cfg(feature = "tensors")]
fn shorter(pipeline: &str) -> String {
    let lines = pipeline.lines().map(|line| match line.split_once(" = ") {
        Some(("epochs", _)) => "epochs = 1\n".to_owned(),
        Some(("matrix.seed", "[1, 2, 3]")) => "matrix.seed = [1]\n".to_owned(),
        Some(("folds", "3")) => "folds = 2\n".to_owned(),
        _ => format!("{line}\n"),
    });
    let mut text: String = lines.collect();
    for side in ["64", "224"] {
        let resize = format!("width = {side}, height = {side}");
        text = text.replace(&resize, "width = 32, height = 32");
    }
    for crop in ["size = 48", "size = 176"] {
        text = text.replace(crop, "size = 24");
    }
    assert!(
        text.contains("epochs = 1\n") && text.contains("width = 32"),
        "{text}"
    );
    text
}

/// What others go on from has to be there: the first pipeline of README.md, then what is done with its model, its lock file and its report.
#[cfg(feature = "tensors")]
#[test]
fn the_first_pipeline_of_the_readme_runs_and_pages_go_on_from_it() {
    let pages = pages();
    let page = |name: &str| &pages[Path::new(name)];
    let project = Project::with_dishes();
    project.picture("photo.jpg", 0, 1);
    let pipeline = shorter(blocks(page("README.md"), "toml")[0]);
    project.write("pipelines/first.toml", &pipeline);
    let printed: String = blocks(page("README.md"), "sh")
        .into_iter()
        .map(|block| run_lines(&project, block))
        .collect();
    for said in ["5 stages: 5 ran", "5 stages: 5 cached", "photo.jpg"] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    let mut printed = String::new();
    for name in ["docs/models.md", "docs/results.md", "docs/training.md"] {
        for block in blocks(page(name), "sh") {
            printed += &run_lines(&project, block);
        }
    }
    assert!(
        printed.contains("against the lock file: ") && printed.contains(" 0 different"),
        "{printed}"
    );
    for made in [
        "report.html",
        "net.onnx",
        "food/config.json",
        "runs",
        "mlruns",
    ] {
        assert!(project.path(made).exists(), "{made}");
    }
}

/// Where a section says to save its recipe, or else a file of its own name.
#[cfg(feature = "tensors")]
fn file_of(section: &str) -> String {
    let said = section
        .split("pipelines/")
        .nth(1)
        .and_then(|rest| rest.split_once(".toml"));
    let heading = section.lines().next().unwrap_or_default().to_lowercase();
    format!(
        "pipelines/{}.toml",
        said.map_or(heading.as_str(), |(name, _)| name)
    )
}

/// In one project, where what several recipes describe alike is made once, as the page says.
#[cfg(feature = "tensors")]
#[test]
fn the_recipes_run_and_the_lines_before_and_behind_them() {
    let page = &pages()[Path::new("docs/recipes.md")];
    let project = sample();
    let sections: Vec<_> = page
        .split("\n## ")
        .map(|section| (file_of(section), blocks_of(section)))
        .collect();
    let recipe = |piece: &&str| piece.starts_with("toml\n") && piece.contains("[evaluate.");
    for (file, pieces) in &sections {
        if let Some(text) = pieces.iter().copied().find(|piece| recipe(piece)) {
            project.write(file, &shorter(&text["toml\n".len()..]));
        }
    }
    let mut ran = BTreeSet::new();
    for (file, pieces) in &sections {
        for piece in pieces {
            if let Some(lines) = piece.strip_prefix("sh\n") {
                run_lines(&project, lines);
                let names = |file: &&String| lines.contains(&format!("kfood run {file}"));
                ran.extend(sections.iter().map(|(file, _)| file).filter(names));
            } else if recipe(piece) && ran.insert(file) {
                project.ok(&["run", file]);
            }
        }
    }
    assert_eq!(ran.len(), 7, "{ran:?}");
    // Three dishes with five photographs fewer each, the list of an audit, and eight photographs that are called something.
    assert_eq!(project.read("few.csv").lines().count(), 16);
    assert!(
        project
            .read("corrections.csv")
            .starts_with("path,given,suggested")
    );
    assert_eq!(project.read("strange.csv").lines().count(), 9);
}

/// The join is what the error says to do; the numbers of the parts, the bytes before them, have different lengths.
#[test]
fn parts_of_a_zip_are_joined_by_the_lines_of_the_page() {
    let page = &pages()[Path::new("docs/aihub.md")];
    let project = Project::new();
    project.dishes("kfood", &["갈비구이", "김치전"], 20);
    let files = ["갈비구이", "김치전"]
        .iter()
        .flat_map(|class| (0..20).map(move |i| format!("kfood/{class}/{i:03}.png")));
    let files: Vec<_> = files
        .map(|name| (name.clone(), fs::read(project.path(&name)).unwrap()))
        .collect();
    let zip = zip_of(&files, Names::Flagged);
    fs::create_dir_all(project.path("data/parts")).unwrap();
    for (i, part) in zip.chunks(1000).enumerate() {
        fs::write(
            project.path(&format!("data/parts/kfood.zip.part{}", 1000 * i)),
            part,
        )
        .unwrap();
    }
    assert!(project.path("data/parts/kfood.zip.part10000").exists());
    project.write(
        "pipelines/p.toml",
        "[dataset.kfood]\ntrain = \"data/parts\"\n",
    );
    let refused = project.fails(1, &["run", "pipelines/p.toml"]).stderr;
    let mut lines = blocks(page, "sh")[0].to_owned();
    let join = lines.lines().find(|line| line.contains("xargs")).unwrap();
    assert!(refused.contains(join), "{refused}");
    // Where there is no unzip, the line that looks whether the zip is whole is left out.
    if project.shell("command -v unzip").code != 0 {
        lines = lines.replace("unzip ", "# unzip ");
    }
    project.shell(&lines).ended(0, &["of docs/aihub.md"]);
    assert!(fs::read(project.path("data/parts/kfood.zip")).unwrap() == zip);
    project.edit("pipelines/p.toml", "data/parts", "data/parts/kfood.zip");
    project.ok(&["run", "pipelines/p.toml"]);
}

/// From scratch, where the page starts from weights that would have to be fetched.
#[cfg(feature = "tensors")]
#[test]
fn the_pipeline_for_ai_hubs_tree_runs_by_the_lines_of_the_page() {
    let page = &pages()[Path::new("docs/aihub.md")];
    let project = Project::new();
    for (class, name) in [(0, "구이/갈비구이"), (1, "전/김치전")] {
        let names = (0..20).map(|i| format!("Img_{class:03}_{i:04}"));
        let mut boxes = String::new();
        for (i, photograph) in (0..).zip(names) {
            project.picture(&format!("data/kfood/{name}/{photograph}.jpg"), class, i);
            boxes += &format!("{photograph}=1,2,18,15\n");
        }
        project.write(&format!("data/kfood/{name}/crop_area.properties"), &boxes);
    }
    let weights = "[transfer.net]\nmodel = \"torchvision/resnet50.IMAGENET1K_V2\"\n";
    project.write("pipelines/aihub.toml", &shorter(blocks(page, "toml")[0]));
    project.edit(
        "pipelines/aihub.toml",
        weights,
        "[train.net]\narch = \"resnet18\"\n",
    );
    let printed = run_lines(&project, blocks(page, "sh")[1]);
    let said = "the boxes of 40 images are cut out";
    assert!(printed.contains(said), "{printed}");
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
    let page = &pages()[Path::new("docs/first-steps.md")];
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
    let page = &pages()[Path::new("docs/config.md")];
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
    let page = &pages()[Path::new("docs/python.md")];
    let all = blocks(page, "sh");
    let block = all
        .iter()
        .find(|block| block.contains("kfood man"))
        .unwrap();
    let project = Project::new();
    project.shell(block).ended(0, &["of docs/python.md"]);
    let share = ".local/share";
    assert!(
        project
            .read(&format!("{share}/man/man1/kfood-run.1"))
            .contains(".TH")
    );
    let completions = format!("{share}/bash-completion/completions/kfood");
    assert!(project.read(&completions).contains("_kfood"));
}
