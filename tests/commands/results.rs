//! What can be done with finished models: reports, predictions, exports, ensembles and averages.

use super::{FILE, SMALL, small};
use crate::support::Project;

#[test]
fn results_can_be_reported_explained_predicted_exported_and_compared() {
    let project = small();
    let early = project.ok(&["report", FILE]);
    assert!(early.stdout.contains("no result") && early.stdout.contains("kfood run"));
    let early = project.ok(&["compare", FILE]);
    assert!(early.stderr.contains("no result"), "{}", early.stderr);
    what_is_missing_is_no_hindrance_to_event_files(&project);
    let run = project.ok(&["run", FILE]);
    assert!(
        run.stdout.contains("result") && run.stdout.contains("transferred"),
        "{}",
        run.stdout
    );

    let report = project.ok(&["report", FILE]).stdout;
    for part in ["# ", "result", "김밥", "|"] {
        assert!(report.contains(part), "no `{part}` in:\n{report}");
    }
    project.ok(&["report", FILE, "--tensorboard", "board"]);
    for part in ["train", "validation"] {
        let file = project.path(&format!("board/net/{part}/events.out.tfevents.kfood"));
        assert!(file.is_file(), "no {}", file.display());
    }
    runs_of_mlflow_are_kept_once(&project);
    project.ok(&["report", FILE, "--output", "report.md"]);
    assert_eq!(project.read("report.md"), report);

    a_stage_is_explained_as_the_file_has_it(&project);

    let model = format!("{FILE}:best");
    let guesses = project.json(&["predict", "--model", &model, "data/test"]);
    let guesses = guesses.as_array().unwrap();
    assert_eq!(guesses.len(), 12);
    assert_eq!(guesses[0]["guesses"].as_array().unwrap().len(), 3);
    let table = project
        .ok(&["predict", "--model", &model, "data/test/김밥/000.png"])
        .stdout;
    assert!(
        table.contains("000.png") && table.contains("김밥"),
        "{table}"
    );

    what_is_no_model_or_no_format_is_refused_with_what_is(&project, &model);
    project.ok(&["export", &model, "best.pt"]);
    project.ok(&["export", &model, "best.safetensors"]);
    let same = project.json(&["predict", "--model", "best.safetensors", "data/test"]);
    assert_eq!(
        same.as_array().unwrap()[0]["guesses"],
        guesses[0]["guesses"]
    );

    let compared = project.ok(&["compare", FILE]).stdout;
    assert!(compared.contains("transferred"), "{compared}");
    assert!(project.json(&["compare", FILE]).is_object());
    files_of_one_name_are_two_sides(&project);
}

/// The course of what is there is written, and what is not there is said.
fn what_is_missing_is_no_hindrance_to_event_files(project: &Project) {
    project.ok(&["run", FILE, "net"]);
    let ran = project.ok(&["report", FILE, "--tensorboard", "board"]);
    assert!(
        ran.stderr.contains("note: `head`: no result"),
        "{}",
        ran.stderr
    );
    assert!(project.path("board/net").is_dir() && !project.path("board/head").exists());
}

/// Pooled into one recipe, its runs would be counted twice.
fn files_of_one_name_are_two_sides(project: &Project) {
    let twice = project.kfood(&["compare", FILE, "./pipelines/small.toml"]);
    assert_eq!(twice.code, 2, "{}", twice.stderr);
    assert!(twice.stderr.contains("is named twice"), "{}", twice.stderr);
    let text = project.read(FILE);
    project.write("pipelines/other/small.toml", &text);
    project.ok(&["run", "pipelines/other/small.toml"]);
    let both = project.json(&["compare", FILE, "pipelines/other/small.toml"]);
    let compared = both["comparisons"].as_array().unwrap();
    let pair = ["pipelines/small.toml.result", "other/small.toml.result"];
    let same = compared
        .iter()
        .find(|c| [&c["first"], &c["second"]] == pair);
    let same = same.unwrap_or_else(|| panic!("{both:#}"));
    assert_eq!(same["first_runs"], 1);
    assert_eq!(same["verdict"], "same_answers");
}

fn a_stage_is_explained_as_the_file_has_it(project: &Project) {
    let explained = project.ok(&["explain", FILE, "net"]).stdout;
    for part in ["lr", "resnet18", "best.safetensors"] {
        assert!(explained.contains(part), "no `{part}` in:\n{explained}");
    }
    for written in ["  epochs = 2\n", "  optimizer.adam.lr = "] {
        assert!(
            explained.contains(written),
            "no `{written}` in:\n{explained}"
        );
    }
    for key in ["training.", "pixels.resize", " = null"] {
        assert!(!explained.contains(key), "`{key}` in:\n{explained}");
    }
    let behind = project.ok(&["explain", &format!("{FILE}:net")]).stdout;
    assert!(behind.starts_with("net (train"), "{behind}");
    let unknown = project.fails(2, &["explain", FILE, "nett"]);
    assert!(unknown.stderr.contains("`net`"), "{}", unknown.stderr);
}

fn what_is_no_model_or_no_format_is_refused_with_what_is(project: &Project, model: &str) {
    let of_result = project.fails(2, &["predict", "--model", &format!("{FILE}:result"), IMAGE]);
    assert!(
        of_result.stderr.contains("is of kind `evaluate`"),
        "{}",
        of_result.stderr
    );
    let odd = project.fails(2, &["export", model, "best.keras"]).stderr;
    assert!(
        odd.contains("`.md`") && odd.contains("--format timm"),
        "{odd}"
    );
}

/// `tests/mlflow_parity.py` reads them back with the real MLflow.
fn runs_of_mlflow_are_kept_once(project: &Project) {
    let reported = |to: &str| project.ok(&["report", FILE, "--mlflow", to]).stderr;
    let first = reported("mlruns");
    assert!(first.contains("4 runs written"), "{first}");
    let again = reported("mlruns");
    assert!(again.contains("0 runs written, 4 there already"), "{again}");
    let files = walkdir::WalkDir::new(project.path("mlruns")).into_iter();
    let files: Vec<_> = files.map(|file| file.unwrap().into_path()).collect();
    let named = |end: &str| files.iter().filter(|file| file.ends_with(end)).count();
    assert_eq!((named("tags/kfood.key"), named("report.html")), (5, 1));
    // What a key holds and no file can ask for is no setting.
    let is_own = |file: &&std::path::PathBuf| file.to_string_lossy().ends_with("preprocess.fast");
    assert_eq!(files.iter().find(is_own), None);
    assert_eq!(
        (
            named("metrics/learning_rate"),
            named("model/best.safetensors")
        ),
        (2, 2)
    );
    its_settings_are_those_of_then(project);
    let told = |to: &str, code| {
        project
            .fails(code, &["report", FILE, "--mlflow", to])
            .stderr
    };
    let nobody = told("http://127.0.0.1:1", 1);
    assert!(
        nobody.contains("`http://127.0.0.1:1` cannot be reached"),
        "{nobody}"
    );
    assert!(told("ftp://there", 2).contains("is none of http or https"));
    let password = told("http://me:secret@there", 2);
    assert!(!password.contains("secret"), "{password}");
}

/// The file was edited since and not run again: what is there is reported as it was made.
fn its_settings_are_those_of_then(project: &Project) {
    project.edit(FILE, "epochs = 2", "epochs = 7");
    project.ok(&["report", FILE, "--mlflow", "then"]);
    a_time_on_this_processor_tells_nothing_of_a_gpu(project);
    project.edit(FILE, "epochs = 7", "epochs = 2");
    let files = walkdir::WalkDir::new(project.path("then")).into_iter();
    let files = files.map(|file| file.unwrap().into_path());
    let told: Vec<_> = files
        .filter(|file| file.ends_with("params/train.epochs"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    assert!(
        !told.is_empty() && told.iter().all(|n| n == "2"),
        "{told:?}"
    );
}

fn a_time_on_this_processor_tells_nothing_of_a_gpu(project: &Project) {
    let estimate = |device: &str| {
        let plan = project.kfood(&["plan", FILE, "--device", device, "--json"]);
        let plan: serde_json::Value = serde_json::from_str(&plan.stdout).expect(&plan.stderr);
        let stages = plan["stages"].as_array().unwrap().iter();
        let net = stages.clone().find(|stage| stage["id"] == "net").unwrap();
        net["estimate"]["seconds"].as_f64()
    };
    assert!(estimate("cpu").is_some());
    assert_eq!(estimate("cuda:0"), None);
}

/// Two more trainings beside those of [`SMALL`], and what can be done with several finished models.
const TOGETHER: &str = r#"
[train.folded]
data = "pixels"
split = "halves"
fold = "all"
arch = "resnet18"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }

[split.halves]
dataset = "dishes"
folds = 2

[ensemble.both]
from = ["net", "head"]

[ensemble.all_folds]
from = ["folded"]

[evaluate.both_result]
model = "both"

[evaluate.flipped]
model = "both"
on = ["test"]
tta = ["horizontal_flip"]

[evaluate.folds_result]
model = "all_folds"
"#;

#[test]
fn an_ensemble_is_evaluated_reported_compared_explained_and_predicts_like_a_model() {
    let project = small();
    project.write(FILE, &format!("{SMALL}{TOGETHER}"));
    let ran = project.ok(&["run", FILE]);
    let run = ran.stdout;
    for part in ["ensemble of 2", "2: horizontal_flip", "views"] {
        assert!(run.contains(part), "no `{part}` in:\n{run}");
    }
    // Where members stand in its own file is no news, as it is of a foreign one.
    assert!(
        !ran.stderr.contains("the weights are those"),
        "{}",
        ran.stderr
    );
    an_ensemble_is_shown_by_every_command(&project);
    an_ensemble_predicts_the_mean_of_its_members(&project);
    an_ensemble_predicts_by_views_that_it_can_take(&project);
    an_ensemble_is_no_file(&project);
}

fn an_ensemble_is_shown_by_every_command(project: &Project) {
    let said = |args: &[&str]| project.ok(args).stdout;
    for (args, part) in [
        // Members that were validated on different folds: only the test part is left.
        (&["explain", FILE, "folds_result"][..], "on = [\"test\"]"),
        (
            &["explain", FILE, "both"],
            "member.0001: best.safetensors of head",
        ),
        (&["graph", FILE], "both"),
        (&["report", FILE], "ensemble of 2"),
        (&["compare", FILE], "both_result"),
    ] {
        let text = said(args);
        assert!(text.contains(part), "{args:?}: no `{part}` in:\n{text}");
    }
}

const IMAGE: &str = "data/test/김밥/000.png";

/// What a stage's model makes of a photograph: each class with its probability, in the order of classes.
fn probabilities(project: &Project, stage: &str, more: &[&str]) -> Vec<(String, f64)> {
    let model = format!("{FILE}:{stage}");
    let args = [&["predict", "--model", &model], more, &[IMAGE]].concat();
    let guesses = project.json(&args);
    let guesses = guesses[0]["guesses"].as_array().unwrap().clone();
    let pair = |g: &serde_json::Value| {
        let class = g["class"].as_str().unwrap().to_owned();
        (class, g["probability"].as_f64().unwrap())
    };
    let mut all: Vec<_> = guesses.iter().map(pair).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn an_ensemble_predicts_the_mean_of_its_members(project: &Project) {
    let [both, net, head] = ["both", "net", "head"].map(|s| probabilities(project, s, &[]));
    for (i, (class, found)) in both.iter().enumerate() {
        let mean = (net[i].1 + head[i].1) / 2.0;
        assert!((found - mean).abs() < 1e-9, "{class}: {found} and {mean}");
    }
}

fn an_ensemble_predicts_by_views_that_it_can_take(project: &Project) {
    let plain = probabilities(project, "both", &[]);
    let flipped = probabilities(project, "both", &["--tta", "horizontal_flip"]);
    assert_ne!(flipped, plain);
    let model = format!("{FILE}:both");
    let told = project.fails(2, &["predict", "--model", &model, "--cam", "cam", IMAGE]);
    let why = "an ensemble has no one place where it finds its evidence";
    assert!(told.stderr.contains(why), "{}", told.stderr);
    for (view, told) in [
        ("flip", "`horizontal_flip`"),
        ("five_crop", "needs a centre crop"),
    ] {
        let args = ["predict", "--model", &model, "--tta", view, IMAGE];
        let refused = project.fails(2, &args);
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
}

fn an_ensemble_is_no_file(project: &Project) {
    let refused = project.fails(2, &["export", &format!("{FILE}:both"), "both.pt"]);
    for told in ["name one of its members", "small.toml:head"] {
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
}

#[test]
fn an_average_gives_a_model_like_any_other_and_that_of_equal_ones_is_the_model() {
    let project = small();
    let twin = SMALL
        .split("[train.net]")
        .nth(1)
        .unwrap()
        .split("[select.best]")
        .next()
        .unwrap();
    project.write(
        FILE,
        &format!(
            "{SMALL}[train.twin]{twin}[train.other]{twin}seed = 8\n\n{}",
            "[average.equal]\nfrom = [\"net\", \"twin\"]\nbatch_norm = \"average\"\n\n\
             [average.soup]\nfrom = [\"net\", \"other\"]\n\n\
             [average.greedy]\nfrom = [\"net\", \"other\"]\nrule = \"greedy\"\nby = \"validation.loss\"\n\n\
             [select.mean]\nfrom = [\"soup\", \"net\"]\nby = \"validation.loss\"\n\n\
             [transfer.onward]\nmodel = \"soup\"\ndata = \"pixels\"\nsplit = \"holdout\"\nepochs = 1\nbatch_size = 8\n\
             optimizer.adam = { lr = 0.001 }\ntrain_layers = \"head\"\n\n\
             [evaluate.souped]\nmodel = \"soup\"\n\n[evaluate.greedily]\nmodel = \"greedy\"\n"
        ),
    );
    let run = project.ok(&["run", FILE]).stdout;
    for part in ["average of 2", "of 2"] {
        assert!(run.contains(part), "no `{part}` in:\n{run}");
    }
    let exported = |stage: &str| {
        let to = format!("{stage}.pt");
        project.ok(&["export", &format!("{FILE}:{stage}"), &to]);
        kfood::model::load(&project.path(&to)).unwrap().state
    };
    let [net, equal, soup, other] = ["net", "equal", "soup", "other"].map(exported);
    assert!(net == equal, "a mean of equal models is not the model");
    let values = |state: &kfood::model::StateDict, name: &str| state.get(name).unwrap().to_f32();
    let [a, b, mean] = [&net, &other, &soup].map(|state| values(state, "layer1.0.conv1.weight"));
    for ((a, b), mean) in a.iter().zip(&b).zip(&mean) {
        let wanted = (f64::from(*a) + f64::from(*b)) / 2.0;
        assert!((f64::from(*mean) - wanted).abs() < 1e-7);
    }
    // Statistics are those of the averaged weights and no mean.
    let means = [&net, &other, &soup].map(|state| values(state, "layer4.1.bn2.running_mean"));
    let far =
        (0..means[0].len()).any(|i| (means[2][i] - (means[0][i] + means[1][i]) / 2.0).abs() > 1e-3);
    assert!(far, "BatchNorm's statistics were averaged");
    assert!(
        project
            .ok(&["explain", FILE, "greedy"])
            .stdout
            .contains("rule = \"greedy\"")
    );
    let model = format!("{FILE}:soup");
    project.ok(&["predict", "--model", &model, "data/test/김밥/000.png"]);
}
