//! Texts for people, whole, as they were (`tests/snapshots`): a change of one shows in a review as a reader will see it.
//!
//! A text that is another one fails, and lies beside the old one as `.snap.new`, unless INSTA_UPDATE=no or CI is set. Where the change is
//! meant: `INSTA_UPDATE=always cargo test --release snapshots`.

use insta::{Settings, assert_snapshot};
#[cfg(feature = "tensors")]
use kfood::{
    model::{Network, safetensors},
    settings::Arch,
};
#[cfg(feature = "tensors")]
use tch::Device;

use crate::{
    commands::{FILE, small},
    support::{Project, commands_in},
};

/// Holds a text against the one of this name, without what differs from machine to machine and from run to run.
#[track_caller]
pub fn unchanged(name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (found, shown) in [
        (r"\b[0-9a-f]{64}\b", "[key]"),
        (r"\b[0-9a-f]{12}\b", "[digest]"),
        (
            r"made .+ ago in .+ for",
            "made [some time] ago in [a time] for",
        ),
        (r"kfood \d+\.\d+\.\d+", "kfood [version]"),
        (
            r"\| cpu \| f32 \| [^|]+ \| \d+ \| [^|]+ \|",
            "| cpu | f32 | [this machine] |",
        ),
    ] {
        settings.add_filter(found, shown);
    }
    settings.bind(|| assert_snapshot!(name, text));
}

/// The help of a command and of those within it.
fn help(project: &Project, command: &[&str]) {
    let args = [command, &["--help"]].concat();
    let output = project.command(&args).env("COLUMNS", "100").output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    unchanged(&[&["help"], command].concat().join("_"), &text);
    for name in commands_in(&text) {
        help(project, &[command, &[name]].concat());
    }
}

#[test]
fn the_help_of_every_command_is_what_it_was() {
    help(&Project::new(), &[]);
}

#[test]
fn what_explain_says_is_what_it_was() {
    let project = small();
    let explained = |stage: &str| project.ok(&["explain", FILE, stage]).stdout;
    unchanged("explain_before_the_run", &explained("holdout"));
    unchanged("explain_what_waits", &explained("net"));
    project.ok(&["run", FILE, "holdout"]);
    unchanged("explain_after_the_run", &explained("holdout"));
    project.edit(FILE, "seed = 7", "seed = 8");
    unchanged("explain_after_an_edit", &explained("holdout"));
}

/// Of a model of known weights: the last digits of a training are those of the processor.
#[cfg(feature = "tensors")]
#[test]
fn what_a_report_says_is_what_it_was() {
    let project = Project::with_dishes();
    let weights = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    safetensors::write(&project.path("weights.safetensors"), &weights, None).unwrap();
    project.write(FILE, EVALUATED);
    unchanged(
        "report_before_the_run",
        &project.ok(&["report", FILE]).stdout,
    );
    project.ok(&["run", FILE]);
    unchanged(
        "report_after_the_run",
        &project.ok(&["report", FILE]).stdout,
    );
}

#[cfg(feature = "tensors")]
const EVALUATED: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"

[split.holdout]
dataset = "dishes"
validation = 0.2

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[evaluate.result]
model = "weights.safetensors"
normalize = "imagenet"
data = "pixels"
split = "holdout"
on = ["train", "validation", "test"]
"#;
