//! Parts that a split draws, where the data set gives none.

use super::{PIPELINE, page};
use crate::support::Project;

/// Photographs in one folder: a split draws the test part, as `kfood new` writes it.
fn drawn() -> Project {
    let project = Project::new();
    project.dishes("data/train", &["김밥", "비빔밥", "떡국_만두국"], 36);
    let text = PIPELINE
        .replace("test = \"data/test\"\n", "")
        .replace("validation = 0.2", "validation = 0.1\ntest = 0.3");
    project.write("pipelines/p.toml", &text);
    project
}

#[test]
fn drift_is_looked_for_between_the_parts_that_a_split_draws() {
    let project = drawn();
    project.ok(&["run", "pipelines/p.toml", "pixels"]);
    let html = page(&project, &["--lang", "en"]).0;
    let told =
        "No drift is looked for: the data set gives one part, and no split has a result yet.";
    assert!(html.contains(told), "{html}");
    project.ok(&["run", "pipelines/p.toml", "holdout"]);
    let html = page(&project, &["--lang", "en"]).0;
    assert!(html.contains("Parts here are those of the split <code>holdout</code>."));
    let told = "No slices are told: no recipe is judged on images that it was not trained on.";
    assert!(html.contains(told));
    let korean = page(&project, &["--lang", "ko"]).0;
    for told in [
        "여기서 부분은 분할 <code>holdout</code>이(가) 나눈 것입니다.",
        "훈련하지 않은 이미지로 평가한 레시피가 없습니다.",
    ] {
        assert!(korean.contains(told), "{told}");
    }
}

#[test]
#[cfg_attr(not(feature = "tensors"), ignore = "needs the feature `tensors`")]
fn slices_are_told_of_the_test_part_that_a_split_draws_or_why_there_are_none() {
    let project = drawn();
    project.ok(&["run", "pipelines/p.toml"]);
    let html = page(&project, &["--lang", "en"]).0;
    assert!(html.contains("Where <code>result</code> is weak on test"));
    project.edit("pipelines/p.toml", "test = 0.3", "test = 0.1");
    project.ok(&["run", "pipelines/p.toml"]);
    let html = page(&project, &["--lang", "en"]).0;
    let told = "No slices are told: thirds of the 11 images of test by one of their properties have fewer than 10 each.";
    assert!(html.contains(told), "{html}");
}
