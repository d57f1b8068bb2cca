//! The page of a sweep.

use crate::support::{Project, page_to_look_at};

/// Four learning rates, augmented or not, of three seeds each, and the best of them.
const PIPELINE: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.25

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
arch = "resnet18"
data = "pixels"
split = "holdout"
epochs = 2
batch_size = 8
matrix.optimizer = [{ sgd = { lr = 0.1 } }, { sgd = { lr = 0.01 } }, { sgd = { lr = 0.001 } }, { sgd = { lr = 0.0001 } }]
matrix.augment.named = { none = [], flip = [{ random_horizontal_flip = 0.5 }] }
matrix.seed = [1, 2, 3]

[evaluate.all]
model = "net"
on = ["validation", "test"]

[select.best]
from = "net"
by = "validation.top1"

[evaluate.chosen]
model = "best"
on = "test"
"#;

#[test]
#[ignore = "takes minutes, as 24 networks are trained: `-- --ignored sweep_of_24`"]
fn a_sweep_of_24_runs_is_shown_grouped_over_seeds_with_the_ranking_behind_the_best() {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", PIPELINE);
    project.ok(&["run", "pipelines/p.toml"]);
    let page = page_to_look_at("sweep.html").unwrap_or_else(|| project.path("sweep.html"));
    project.ok(&["report", "pipelines/p.toml", "-o", page.to_str().unwrap()]);
    let html = std::fs::read_to_string(page).unwrap();
    for part in [
        "8 recipes, the best on validation first",
        "among 24 candidates",
        "mean over folds and seeds",
        r#""kind":"parallel""#,
        r#""kind":"multiples""#,
    ] {
        assert!(html.contains(part), "no `{part}`");
    }
}
