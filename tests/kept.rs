//! The models of a training's last epochs, and their mean.

use std::fs;

use kfood::{
    digest::Digest,
    event::StageEvent,
    model::{self, ModelState, StateDict},
    record::{Fit, Job},
    settings::Arch,
};
use serde_json::{Value, json};

use super::{
    support::Project,
    training::{World, augmented, digests, fit, outputs, work},
};

fn settings(epochs: u32, keep_last: u32) -> Value {
    let mut all = augmented(epochs);
    all["schedule"] = json!({ "constant": {} });
    all["keep_last"] = json!(keep_last);
    all
}

fn kept(job: &Fit) -> Vec<ModelState> {
    model::load_all(&job.out.join("kept.safetensors")).unwrap()
}

fn epochs(members: &[ModelState]) -> Vec<[u32; 2]> {
    let epoch = |member: &ModelState| member.info.as_ref().unwrap().epoch;
    members
        .iter()
        .map(|member| [epoch(member).epoch, epoch(member).of])
        .collect()
}

fn all_digests(job: &Fit) -> Vec<Digest> {
    let mut all = digests(&job.out).to_vec();
    all.push(Digest::of_file(&job.out.join("kept.safetensors")).unwrap());
    all
}

#[test]
fn the_last_epochs_are_kept_beside_the_best_and_survive_an_interruption() {
    let world = World::new(3, 24, 32, true);
    let mut plain = settings(4, 2);
    plain["keep_last"] = Value::Null;
    let plain = world.fit("plain", Arch::Resnet18, plain);
    let without = outputs(&plain);
    assert!(!plain.out.join("kept.safetensors").exists());
    let whole = world.fit("whole", Arch::Resnet18, settings(4, 3));
    assert_eq!(outputs(&whole), without);
    let members = kept(&whole);
    assert_eq!(epochs(&members), [[2, 4], [3, 4], [4, 4]]);
    let last = model::load(&whole.out.join("last.safetensors")).unwrap();
    assert!(members[2].state == last.state && members[1].state != last.state);

    let job = world.fit("broken", Arch::Resnet18, settings(4, 3));
    let ran = work(
        &Job::Fit(job.clone()),
        |e| matches!(e, StageEvent::Epoch(e) if e.epoch == 3),
    );
    assert_eq!(ran.code, Some(130), "{:?}", ran.events.last());
    assert_eq!(fit(&job).code, Some(0));
    assert_eq!(all_digests(&job), all_digests(&whole));
}

#[test]
fn a_longer_training_keeps_epochs_of_the_shorter_one_too() {
    let world = World::new(3, 24, 32, true);
    let whole = world.fit("whole", Arch::Resnet18, settings(5, 4));
    outputs(&whole);
    let short = world.fit("short", Arch::Resnet18, settings(4, 4));
    outputs(&short);
    let mut job = world.fit("long", Arch::Resnet18, settings(5, 4));
    job.earlier = vec![short.out];
    let ran = fit(&job);
    assert!(
        ran.told(|e| matches!(e, StageEvent::Note(n) if n.starts_with("goes on from epoch 4"))),
        "{:?}",
        ran.events
    );
    assert_eq!(epochs(&kept(&job)), [[2, 5], [3, 5], [4, 5], [5, 5]]);
    assert_eq!(all_digests(&job), all_digests(&whole));
}

#[test]
fn a_training_that_stops_early_keeps_what_there_is() {
    let world = World::new(3, 24, 32, true);
    let mut rule = settings(6, 5);
    rule["early_stopping"] = json!({ "patience": 1, "min_delta": 0.99 });
    let job = world.fit("stopped", Arch::Resnet18, rule);
    outputs(&job);
    assert_eq!(epochs(&kept(&job)), [[1, 6], [2, 6]]);
}

#[test]
fn the_mean_over_a_trainings_last_epochs_is_an_average_stage() {
    const FILE: &str = "pipelines/swa.toml";
    let project = Project::with_dishes();
    project.write(
        FILE,
        r#"
seed = 7
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
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 3
batch_size = 8
keep_last = 2
optimizer.adam = { lr = 0.001 }
[average.swa]
from = ["net"]
checkpoint = "kept"
[evaluate.averaged]
model = "swa"
"#,
    );
    let run = project.ok(&["run", FILE]).stdout;
    assert!(run.contains("average of 2"), "{run}");
    project.ok(&["cache", "verify"]);
    project.ok(&["export", &format!("{FILE}:swa"), "swa.pt"]);
    let mean = model::load(&project.path("swa.pt")).unwrap().state;
    let entries = fs::read_dir(project.path("cache/entries")).unwrap();
    let kept = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path().join("out-1/kept.safetensors");
        path.exists().then_some(path)
    };
    let found: Vec<_> = entries.filter_map(kept).collect();
    let [path] = found.as_slice() else {
        panic!("{found:?}")
    };
    let members = model::load_all(path).unwrap();
    let value = |state: &StateDict| state.get("layer1.0.conv1.weight").unwrap().to_f32();
    let (a, b) = (value(&members[0].state), value(&members[1].state));
    assert_ne!(a, b);
    for ((a, b), mean) in a.iter().zip(&b).zip(value(&mean)) {
        let wanted = (f64::from(*a) + f64::from(*b)) / 2.0;
        assert!((f64::from(mean) - wanted).abs() < 1e-7);
    }
}

#[test]
fn a_training_that_keeps_its_best_alone_stores_that_and_serves_what_takes_it() {
    const FILE: &str = "pipelines/best.toml";
    let project = Project::with_dishes();
    let text = r#"
seed = 7
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
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 2
batch_size = 8
optimizer.adam = { lr = 0.001 }
[select.best]
from = ["net"]
[evaluate.chosen]
model = "best"
"#;
    project.write(FILE, text);
    project.ok(&["run", FILE]);
    let model = |name: &str| {
        project.ok(&["export", &format!("{FILE}:best"), name]);
        fs::read(project.path(name)).unwrap()
    };
    let both = model("both.pt");
    project.edit(FILE, "epochs = 2", "epochs = 2\nkeep = \"best\"");
    project.ok(&["run", FILE]);
    assert!(model("best.pt") == both, "the best is another");
    for stage in ["net", "best"] {
        let told = project.json(&["show", &format!("{FILE}:{stage}")]);
        let outputs = told["outputs"].as_array().unwrap();
        let names: Vec<_> = outputs
            .iter()
            .map(|o| o["name"].as_str().unwrap())
            .collect();
        assert!(
            names.contains(&"best.safetensors") && !names.contains(&"last.safetensors"),
            "{names:?}"
        );
        let place = project.path(outputs[0]["path"].as_str().unwrap());
        assert!(!place.with_file_name("state").exists());
    }
    project.ok(&["cache", "verify"]);
    // A longer one has nothing to go on from, and says so.
    project.edit(FILE, "epochs = 2", "epochs = 3");
    let plan = project.kfood(&["explain", FILE, "net"]).stdout;
    let run = project.ok(&["run", FILE]).stderr;
    let why = "kept its best state alone";
    assert!(run.contains(why) || plan.contains(why), "{plan}\n{run}");
}
