//! The committed pipelines: on real photographs where they are, small and fast.

use std::{fs, path::Path};

use crate::support::{Project, page_to_look_at, real_photographs};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MISSIONS: [&str; 3] = ["mission1.toml", "mission2.toml", "mission3.toml"];
/// The best recipes, which use the missions' photographs and splits.
const BEST: [&str; 2] = ["best.toml", "transfer-best.toml"];

/// The Korean pipelines as committed, but at 32 px, for one epoch, two folds and one seed, or two where an ensemble wants several.
fn shortened() -> Project {
    let project = Project::new();
    for mission in MISSIONS.into_iter().chain(BEST) {
        let text =
            fs::read_to_string(Path::new(ROOT).join("pipelines/korean").join(mission)).unwrap();
        let seeds = match BEST.contains(&mission) {
            true => "matrix.seed = [1, 2]",
            false => "matrix.seed = [1]",
        };
        let mut short = String::new();
        for line in text.lines() {
            let line = match line.split_once(" = ") {
                Some(("epochs", _)) => "epochs = 1",
                Some(("folds", _)) => "folds = 2",
                Some(("matrix.seed", _)) => seeds,
                Some(("schedule.cosine", _)) => "",
                Some(("resize", _)) => "resize = { width = 32, height = 32 }",
                Some(("augment", list)) if list.ends_with(']') => {
                    "augment = [{ random_rotation = 15 }, { center_crop = 28 }]"
                }
                _ => line,
            };
            let line = line.replace(
                "random_resized_crop = { size = 80",
                "random_resized_crop = { size = 28",
            );
            short += &line;
            short.push('\n');
        }
        project.write(&format!("pipelines/korean/{mission}"), &short);
    }
    project
}

#[test]
#[ignore = "needs photographs in KFOOD_REAL_DATA: `-- --ignored real_photographs`"]
fn the_missions_and_the_best_recipes_run_on_real_photographs_and_a_second_run_does_nothing() {
    let photographs = real_photographs();
    let project = shortened();
    let with_data = |args: &[&str]| {
        let mut command = project.command(args);
        command.env("KFOOD_REAL_DATA", &photographs);
        crate::support::Ran::of(command.output().unwrap())
    };
    let all: Vec<_> = MISSIONS.into_iter().chain(BEST).collect();
    let files: Vec<_> = all
        .iter()
        .map(|name| format!("pipelines/korean/{name}"))
        .collect();
    for file in &files {
        let first = with_data(&["run", file]);
        assert_eq!(first.code, 0, "{}\n{}", first.stdout, first.stderr);
        assert_eq!(
            with_data(&["plan", file]).code,
            0,
            "work is left after a run of {file}"
        );
        let second = with_data(&["run", file]);
        assert!(!second.stderr.contains("ran in"), "{}", second.stderr);
    }
    for (file, mission) in files.iter().zip(all) {
        if let Some(page) = page_to_look_at(&mission.replace(".toml", ".html")) {
            let page = page.to_str().unwrap();
            let told = with_data(&["report", file, "--lang", "ko", "-o", page]);
            assert_eq!(told.code, 0, "{}", told.stderr);
        }
    }
    if let Some(page) = page_to_look_at("compare.html") {
        let page = page.to_str().unwrap();
        let sides = [&files[0], &files[1]];
        let told = with_data(&["compare", sides[0], sides[1], "--lang", "ko", "-o", page]);
        assert_eq!(told.code, 0, "{}", told.stderr);
    }
    let compared = with_data(&["compare", &files[0], &files[1], &files[2]]);
    assert_eq!(compared.code, 0, "{}", compared.stderr);
    for row in [
        "mission1.baseline",
        "mission2.chosen",
        "mission3.probe_result",
        "McNemar",
    ] {
        assert!(
            compared.stdout.contains(row),
            "no `{row}` in:\n{}",
            compared.stdout
        );
    }
}

#[test]
fn every_committed_pipeline_has_no_mistakes() {
    let project = Project::new();
    let root = Path::new(ROOT).join("pipelines");
    let mut files: Vec<_> = walkdir::WalkDir::new(&root)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        let mut command = project.command(&["check", file.to_str().unwrap()]);
        let checked = command.env("KFOOD_REAL_DATA", "/nowhere").output().unwrap();
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
}
