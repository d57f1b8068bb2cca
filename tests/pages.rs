//! `kfood report -o report.html`: one page with charts and photographs.

use std::fs;

use crate::support::Project;

/// A network that is trained for one epoch and judged.
const PIPELINE: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
arch = "resnet18"
data = "pixels"
split = "holdout"
epochs = 1
batch_size = 8
optimizer.sgd.lr = 0.001

[evaluate.result]
model = "net"
on = ["train", "test"]
"#;

fn project() -> Project {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", PIPELINE);
    project
}

fn page(project: &Project, more: &[&str]) -> (String, String) {
    let mut args = vec!["report", "pipelines/p.toml", "-o", "report.html"];
    args.extend(more);
    let ran = project.kfood(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (project.read("report.html"), ran.stderr)
}

#[test]
fn a_page_shows_the_photographs_that_are_mistaken_and_is_the_same_each_time() {
    let project = project();
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    let (html, said) = page(&project, &[]);
    assert!(!said.contains("note:"), "{said}");
    assert!(html.contains("At a glance") && html.contains("Confusion matrix on test"));
    let pictures = html.matches("data:image/jpeg;base64,").count();
    let wrong = project.kfood(&["report", "pipelines/p.toml", "--json"]);
    let wrong: serde_json::Value = serde_json::from_str(&wrong.stdout).unwrap();
    let parts = wrong["rows"][0]["parts"].as_array().unwrap().clone();
    let test = parts.iter().find(|p| p["part"] == "test").unwrap();
    let wrong = (12.0 * (1.0 - test["top1"]["mean"].as_f64().unwrap())).round() as usize;
    assert_eq!(pictures, wrong);
    assert_eq!(page(&project, &[]).0, html);
    assert_eq!(
        page(&project, &["--images", "none"])
            .0
            .matches("data:image/jpeg")
            .count(),
        0
    );
    let all = page(&project, &["--images", "all"]).0;
    assert_eq!(all.matches("data:image/jpeg;base64,").count(), 12);
}

#[test]
fn photographs_that_are_gone_are_shown_from_the_pack_and_that_is_said() {
    let project = project();
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    let before = page(&project, &["--images", "all"]).0;
    fs::remove_dir_all(project.path("data")).unwrap();
    let (html, said) = page(&project, &["--images", "all"]);
    assert!(
        said.contains("note: 12 photographs are shown as in the pack"),
        "{said}"
    );
    let pictures = |html: &str| html.matches("data:image/jpeg;base64,").count();
    assert_eq!(pictures(&html), pictures(&before));
}

#[test]
fn a_report_tells_what_is_there_of_a_pipeline_that_is_not_finished() {
    let project = project();
    let (html, said) = page(&project, &[]);
    assert!(
        said.contains("`pixels`: no result") && said.contains("with 2 more stages"),
        "{said}"
    );
    assert!(html.contains("<code>result</code>: no result"), "{html}");
    assert_eq!(project.kfood(&["run", "pipelines/p.toml", "net"]).code, 0);
    let (html, said) = page(&project, &[]);
    assert!(said.contains("note: `result`: no result"), "{said}");
    assert!(
        html.contains("Training <code>net</code>")
            && html.contains("<code>result</code>: no result")
    );
    assert_eq!(project.kfood(&["run", "pipelines/p.toml"]).code, 0);
    project.edit("pipelines/p.toml", "lr = 0.001", "lr = 0.002");
    let (html, said) = page(&project, &[]);
    assert!(
        said.contains("note: `net`: an earlier result is shown"),
        "{said}"
    );
    assert!(
        html.contains(
            "<code>net</code>: an earlier result is shown: <code>optimizer.sgd.lr</code> 0.001"
        ),
        "{html}"
    );
}
