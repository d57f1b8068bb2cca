//! What a person sees in a terminal while something runs, and of much in little room.

#[cfg(target_os = "linux")]
mod pseudo;

use std::io::{BufRead, BufReader};

use crate::{
    commands::{FILE, small},
    support::Project,
};

/// A pipeline whose split stands for nine.
const NINE: &str = "[dataset.dishes]\ntrain = \"data/train\"\ntest = \"data/test\"\n\n[split.holdout]\ndataset = \"dishes\"\nvalidation = 0.2\nmatrix.seed = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n";

#[test]
fn a_plan_of_many_instances_has_a_row_for_each_stage() {
    let project = Project::with_dishes();
    project.write(FILE, NINE);
    project.fails(3, &["plan", FILE]);
    project.ok(&["run", FILE, "dishes"]);
    project.ok(&["run", FILE, "holdout[seed=4]"]);
    let grouped = project.fails(3, &["plan", FILE]).stdout;
    let row = grouped.lines().find(|line| line.contains("holdout (9)"));
    let row = row.unwrap_or_else(|| panic!("{grouped}"));
    assert!(row.starts_with("8 run, 1 cached"), "{grouped}");
    assert!(!grouped.contains("seed=4]"), "{grouped}");
    assert!(
        grouped.contains("2 cached, 8 to run, 0 waiting"),
        "{grouped}"
    );
    let each = project.fails(3, &["plan", FILE, "--all"]).stdout;
    assert_eq!(each.matches("holdout[seed=").count(), 9, "{each}");
    assert_eq!(
        project.json(&["plan", FILE])["stages"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    // Of eight there is room for each.
    project.edit(FILE, ", 9]", "]");
    let few = project.fails(3, &["plan", FILE]).stdout;
    assert_eq!(few.matches("holdout[seed=").count(), 8, "{few}");
}

#[test]
fn stages_that_are_not_run_say_why_together() {
    let project = small();
    project.write("data/train/김밥/broken.png", "no image");
    let ran = project.fails(1, &["run", FILE]);
    let not_run: Vec<_> = ran
        .stderr
        .lines()
        .filter(|l| l.contains("not run"))
        .collect();
    assert_eq!(
        not_run[0],
        "– net, best, head and 2 more: not run, for they need `pixels`, which failed"
    );
    // And in the count of the whole run.
    assert!(not_run[1].contains("5 not run"), "{not_run:?}");
    assert_eq!(not_run.len(), 2, "{not_run:?}");
    let told = project.json(&["run", FILE]);
    let last = &told["stages"].as_array().unwrap()[6];
    assert_eq!(last["outcome"], "skipped");
    assert_eq!(last["not_run"], "it needs `pixels`, which failed");
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn ctrl_c_is_answered_in_three_lines_however_many_stages_are_left() {
    let project = small();
    project.edit(FILE, "epochs = 2", "epochs = 40");
    project.edit(
        FILE,
        "on = [\"test\"]",
        "matrix.checkpoint = [\"best\", \"last\"]",
    );
    let mut child = project.start(&["run", FILE]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.by_ref().map_while(Result::ok);
    assert!(
        lines.by_ref().any(|line| line.contains("epoch 2/40")),
        "no second epoch"
    );
    crate::support::interrupt(&child);
    let rest: Vec<_> = lines.skip_while(|line| !line.starts_with('✗')).collect();
    assert_eq!(rest.len(), 3, "{rest:#?}");
    assert_eq!(rest[0], "✗ net: interrupted");
    assert_eq!(
        rest[1],
        "– best, head, result and 2 more: not run, for the run was interrupted"
    );
    assert!(
        rest[2].starts_with("9 stages: ") && rest[2].contains("is kept"),
        "{rest:#?}"
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
