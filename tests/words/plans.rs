//! Plans that say what changed, in names and counts.

use std::fs;

use super::{DISHES, project};
use crate::support::Project;

#[test]
fn a_plan_tells_what_changed_in_names_and_counts() {
    let project = project(DISHES);
    project.dishes("data/train", &["김밥", "비빔밥"], 5);
    project.ok(&["run", "pipelines/a.toml"]);
    fs::rename(
        project.path("data/train/김밥/000.png"),
        project.path("data/train/비빔밥/moved.png"),
    )
    .unwrap();
    project.picture("data/train/비빔밥/new.png", 1, 99);
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(
        plan.contains("`data/train/비빔밥/new.png`") && plan.contains("`data/train/김밥/000.png`"),
        "{plan}"
    );
    project.ok(&["run", "pipelines/a.toml", "dishes"]);
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(
        plan.contains("input `labels` of `dishes` changed: 1 image moved class, 1 new"),
        "{plan}"
    );
    assert!(
        plan.contains("input `images` of `dishes` changed: 1 image moved class, 1 new"),
        "{plan}"
    );
    assert!(plan.contains("going by earlier runs"), "{plan}");
}

#[test]
fn a_further_copy_of_a_photograph_is_new_and_nothing_has_moved() {
    let project = project(DISHES);
    project.dishes("data/train", &["김밥", "비빔밥"], 5);
    project.ok(&["run", "pipelines/a.toml"]);
    for i in 0..2 {
        fs::copy(
            project.path(&format!("data/train/김밥/00{i}.png")),
            project.path(&format!("data/train/비빔밥/copy{i}.png")),
        )
        .unwrap();
    }
    project.ok(&["run", "pipelines/a.toml", "dishes"]);
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(plan.contains("of `dishes` changed: 2 images new"), "{plan}");
    assert!(!plan.contains("moved"), "{plan}");
    project.ok(&["run", "pipelines/a.toml"]);
    fs::remove_file(project.path("data/train/김밥/000.png")).unwrap();
    project.ok(&["run", "pipelines/a.toml", "dishes"]);
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(plan.contains("of `dishes` changed: 1 image gone"), "{plan}");
}

#[test]
fn a_stage_that_never_ran_is_not_called_a_change_of_another_one_of_its_file() {
    let project = project(DISHES);
    project.dishes("data/train", &["김밥", "비빔밥"], 5);
    project.ok(&["run", "pipelines/a.toml"]);
    let why = |project: &Project| project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    let other = "[split.other]\ndataset = \"dishes\"\nseed = 7\n[split.holdout]\n";
    project.edit("pipelines/a.toml", "[split.holdout]\n", other);
    let plan = why(&project);
    assert!(
        plan.contains("never run") && !plan.contains("`seed`"),
        "{plan}"
    );
    // The same stage under another name is what it was, with what is new.
    project.edit("pipelines/a.toml", other, "[split.renamed]\nseed = 7\n");
    let plan = why(&project);
    assert!(plan.contains("`seed` 0 -> 7"), "{plan}");
}

#[test]
fn a_stage_of_a_new_file_is_new_however_its_name_stands_in_another_one() {
    let project = project(DISHES);
    project.dishes("data/train", &["김밥", "비빔밥"], 5);
    project.dishes("more", &["김밥", "비빔밥"], 3);
    project.ok(&["run", "pipelines/a.toml"]);
    let other = project
        .read("pipelines/a.toml")
        .replace("data/train", "more");
    let other = other.replace("[split.holdout]\n", "[split.holdout]\nseed = 7\n");
    project.write("pipelines/b.toml", &other);
    let why = |project: &Project, file: &str| project.fails(3, &["plan", file]).stdout;
    let plan = why(&project, "pipelines/b.toml");
    assert!(
        plan.contains("never run") && !plan.contains("gone") && !plan.contains(" -> "),
        "{plan}"
    );
    project.ok(&["run", "pipelines/b.toml", "dishes"]);
    let explained = project
        .ok(&["explain", "pipelines/b.toml", "holdout"])
        .stdout;
    assert!(explained.contains("because: never run"), "{explained}");
    // A file that was renamed, or lies in a project that was moved, is what it was; so is one that is named from elsewhere.
    fs::remove_file(project.path("pipelines/b.toml")).unwrap();
    let seed = "[split.holdout]\nseed = 7\n";
    project.edit("pipelines/a.toml", "[split.holdout]\n", seed);
    fs::rename(
        project.path("pipelines/a.toml"),
        project.path("pipelines/c.toml"),
    )
    .unwrap();
    let plan = why(&project, "pipelines/c.toml");
    assert!(plan.contains("`seed` 0 -> 7"), "{plan}");
    project.ok(&["run", "pipelines/c.toml"]);
    project.edit("pipelines/c.toml", seed, "[split.holdout]\nseed = 8\n");
    let plan = why(&project, "pipelines/../pipelines/c.toml");
    assert!(plan.contains("`seed` 7 -> 8"), "{plan}");
}

#[test]
fn a_stage_that_failed_says_so_in_a_plan_and_why() {
    let project = project(DISHES);
    project.dishes("data/train", &["김밥", "비빔밥"], 5);
    let good = fs::read(project.path("data/train/김밥/000.png")).unwrap();
    project.write("data/train/김밥/000.png", "no picture");
    project.fails(1, &["run", "pipelines/a.toml"]);
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    let told = "ago: 1 of 10 files cannot be used: `train/김밥/000.png`: ";
    assert!(plan.contains("failed ") && plan.contains(told), "{plan}");
    assert!(!plan.contains("never run"), "{plan}");
    let explained = project
        .ok(&["explain", "pipelines/a.toml", "pixels"])
        .stdout;
    assert!(
        explained.contains("  because: failed ") && explained.contains(told),
        "{explained}"
    );
    let json = project
        .fails(3, &["plan", "pipelines/a.toml", "--json"])
        .stdout;
    assert!(json.contains("ago: 1 of 10"), "{json}");
    // Once it is through, nothing is told of it.
    fs::write(project.path("data/train/김밥/000.png"), good).unwrap();
    project.ok(&["run", "pipelines/a.toml"]);
    let plan = project.ok(&["plan", "pipelines/a.toml"]).stdout;
    assert!(!plan.contains("failed"), "{plan}");
}

#[test]
fn what_a_file_leaves_open_is_not_told_as_if_it_were_written() {
    let list = "[dataset.d]\nmanifest = \"list.csv\"\n[split.s]\ndataset = \"d\"\n";
    let project = project(list);
    project.dishes("data", &["a", "b"], 5);
    let rows: String = ["a", "b"]
        .iter()
        .flat_map(|class| (0..5).map(move |i| format!("data/{class}/00{i}.png,{class}\n")))
        .collect();
    project.write("list.csv", &format!("path,label\n{rows}"));
    project.ok(&["run", "pipelines/a.toml"]);
    let explained = project.ok(&["explain", "pipelines/a.toml", "s"]).stdout;
    assert!(!explained.contains("given"), "{explained}");
    let split = "dataset = \"d\"\n";
    project.edit(
        "pipelines/a.toml",
        split,
        "dataset = \"d\"\nvalidation = 0.2\n",
    );
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(plan.contains("`validation` (none) -> 0.2"), "{plan}");
    assert!(!plan.contains("where there is"), "{plan}");
    project.ok(&["run", "pipelines/a.toml"]);
    project.edit(
        "pipelines/a.toml",
        "validation = 0.2\n",
        "validation = 0.4\n",
    );
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(plan.contains("`validation` 0.2 -> 0.4"), "{plan}");
}

#[test]
fn a_first_plan_says_that_nothing_tells_how_long_it_takes() {
    let project = project(DISHES);
    project.dishes("data/train", &["김밥", "비빔밥"], 1);
    let plan = project.fails(3, &["plan", "pipelines/a.toml"]).stdout;
    assert!(
        plan.contains("no earlier run tells how long that takes"),
        "{plan}"
    );
}
