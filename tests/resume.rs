//! Trainings that were killed, stopped or made longer end with the bits of unbroken ones.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use kfood::{
    digest::Digest,
    event::StageEvent,
    files,
    record::{Fit, History, Job},
    seed::stream,
    settings::Arch,
};
use rand::Rng;
use serde_json::{Value, json};

use super::{
    support::Project,
    training::{World, augmented, digests, fit, outputs, work},
};

/// Enough steps in an epoch to be interrupted between two of them.
fn world() -> World {
    World::new(3, 64, 32, true)
}

fn settings(epochs: u32) -> Value {
    let mut all = augmented(epochs);
    all["batch_size"] = json!(2);
    all["schedule"] = json!({ "step": { "step_size": 2, "gamma": 0.5 } });
    all
}

fn notes(events: &[StageEvent], start: &str) -> bool {
    let starts = |e: &StageEvent| matches!(e, StageEvent::Note(n) if n.starts_with(start));
    events.iter().any(starts)
}

/// The tensors and the course that a training leaves to a longer one.
fn left(job: &Fit) -> [Digest; 2] {
    let state = job.out.join(Fit::LEFT);
    let index: Value = files::read_json(&state.join("state.json")).unwrap();
    let course = index["record"]["now"]["history"].to_string();
    [
        Digest::of_file(&state.join("optimizer.safetensors")).unwrap(),
        Digest::of(course.as_bytes()),
    ]
}

#[test]
fn a_training_stopped_within_an_epoch_goes_on_at_that_step_to_equal_bits() {
    let world = world();
    let whole = world.fit("whole", Arch::Resnet18, settings(3));
    let unbroken = outputs(&whole);
    let job = world.fit("broken", Arch::Resnet18, settings(3));
    let ran = work(
        &Job::Fit(job.clone()),
        |e| matches!(e, StageEvent::Progress { what, .. } if what == "epoch 2/3"),
    );
    assert_eq!(ran.code, Some(130), "{:?}", ran.events.last());
    let again = fit(&job);
    assert_eq!(again.code, Some(0), "{:?}", again.events.last());
    assert!(
        notes(&again.events, "goes on after step "),
        "{:?}",
        again.events
    );
    assert_eq!(digests(&job.out), unbroken);
    assert_eq!(left(&job), left(&whole));
}

/// Kills the worker a moment after `state.json` tells of a place within an epoch; says whether it was still at work.
fn killed_within_an_epoch(job: &Fit, moment: Duration) -> bool {
    let path = job.out.with_extension("job.json");
    files::write_json(&path, &Job::Fit(job.clone())).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kfood-worker"))
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let reader = thread::spawn(move || BufReader::new(stdout).lines().count());
    let index = job.state.join("state.json");
    let before = fs::read(&index).unwrap_or_default();
    let within = || {
        let now = fs::read(&index).unwrap_or_default();
        now != before
            && serde_json::from_slice::<Value>(&now).unwrap()["record"]["now"]["within"].is_object()
    };
    while child.try_wait().unwrap().is_none() && !within() {
        thread::sleep(Duration::from_millis(2));
    }
    thread::sleep(moment);
    child.kill().unwrap();
    let killed = child.wait().unwrap().code().is_none();
    reader.join().unwrap();
    killed
}

#[test]
fn a_training_killed_again_and_again_ends_with_the_bits_of_an_unbroken_one() {
    let world = World::new(3, 400, 32, true);
    let unbroken = outputs(&world.fit("whole", Arch::Resnet18, settings(2)));
    let mut job = world.fit("killed", Arch::Resnet18, settings(2));
    job.save = serde_json::from_value(json!({ "every": "1s" })).unwrap();
    let mut draws = stream(11, "kill", &[]);
    let mut killed = 0;
    for _ in 0..3 {
        let moment = Duration::from_micros(u64::from(draws.next_u32() % 400_000));
        killed += u32::from(killed_within_an_epoch(&job, moment));
    }
    assert!(killed > 0, "no kill met the training at work");
    let ran = fit(&job);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    assert_eq!(digests(&job.out), unbroken);
}

fn extended(world: &World, name: &str, from: &[&Fit], settings: Value) -> Fit {
    let mut job = world.fit(name, Arch::Resnet18, settings);
    job.earlier = from.iter().map(|job| job.out.clone()).collect();
    job
}

#[test]
fn a_longer_training_goes_on_where_a_shorter_one_ended_to_the_bits_of_an_unbroken_one() {
    let world = world();
    let [one, two] = [1, 2].map(|n| world.fit(&n.to_string(), Arch::Resnet18, settings(n)));
    outputs(&one);
    outputs(&two);
    let whole = world.fit("whole", Arch::Resnet18, settings(3));
    let unbroken = outputs(&whole);
    let job = extended(&world, "longer", &[&one, &two], settings(3));
    let ran = fit(&job);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    assert!(notes(
        &ran.events,
        "goes on from epoch 2 of an earlier result"
    ));
    assert!(!ran.told(|e| matches!(e, StageEvent::Epoch(e) if e.epoch <= 2)));
    assert_eq!(digests(&job.out), unbroken);
    assert_eq!(left(&job), left(&whole));
}

#[test]
fn a_training_goes_on_from_no_other_work() {
    let world = world();
    let short = world.fit("short", Arch::Resnet18, settings(1));
    outputs(&short);
    let mut seed = settings(2);
    seed["seed"] = json!(5);
    let mut cosine = settings(2);
    cosine["schedule"] = json!({ "cosine": {} });
    let mut cosine_short = cosine.clone();
    cosine_short["epochs"] = json!(1);
    let of_cosine = world.fit("short cosine", Arch::Resnet18, cosine_short);
    outputs(&of_cosine);
    let damaged = world.fit("damaged", Arch::Resnet18, settings(1));
    outputs(&damaged);
    fs::write(
        damaged.out.join("state/optimizer.safetensors"),
        "no tensors",
    )
    .unwrap();
    for (name, from, settings) in [
        ("seed", &short, seed),
        ("cosine", &of_cosine, cosine),
        ("damage", &damaged, settings(2)),
    ] {
        let ran = fit(&extended(&world, name, &[from], settings));
        assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
        assert!(!notes(&ran.events, "goes on"), "{name}: {:?}", ran.events);
        assert!(ran.told(|e| matches!(e, StageEvent::Epoch(e) if e.epoch == 1)));
    }
}

#[test]
fn a_training_whose_course_was_damaged_starts_anew_to_the_right_bits() {
    let world = world();
    let unbroken = outputs(&world.fit("whole", Arch::Resnet18, settings(2)));
    let job = world.fit("broken", Arch::Resnet18, settings(2));
    let ran = work(
        &Job::Fit(job.clone()),
        |e| matches!(e, StageEvent::Epoch(e) if e.epoch == 1),
    );
    assert_eq!(ran.code, Some(130), "{:?}", ran.events.last());
    // One bit of the best validation top-1 so far, or whatever the first digit behind it is.
    let index = job.state.join("state.json");
    let mut text = fs::read(&index).unwrap();
    let place = text
        .windows(12)
        .position(|w| w == b"\"best_epoch\"")
        .unwrap();
    let digit = place + text[place..].iter().position(u8::is_ascii_digit).unwrap();
    text[digit] ^= 1;
    fs::write(&index, text).unwrap();
    let ran = fit(&job);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    assert!(ran.told(|e| matches!(e, StageEvent::Warning(w) if w.contains("checksum"))));
    assert!(ran.told(|e| matches!(e, StageEvent::Epoch(e) if e.epoch == 1)));
    assert_eq!(digests(&job.out), unbroken);
}

#[test]
fn a_result_of_another_machine_is_not_gone_on_from() {
    let world = world();
    let short = world.fit("short", Arch::Resnet18, settings(1));
    outputs(&short);
    let mut job = extended(&world, "longer", &[&short], settings(2));
    job.threads = 2;
    let ran = fit(&job);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    assert!(notes(
        &ran.events,
        "the earlier result is from another device"
    ));
    assert!(ran.told(|e| matches!(e, StageEvent::Epoch(e) if e.epoch == 1)));
}

#[test]
fn a_longer_training_stops_early_where_an_unbroken_one_would() {
    let world = world();
    let never_better = |epochs: u32| {
        let mut all = settings(epochs);
        all["early_stopping"] = json!({ "patience": 1, "min_delta": 0.99 });
        all
    };
    // Two epochs end where three would stop early.
    let short = world.fit("short", Arch::Resnet18, never_better(2));
    outputs(&short);
    let unbroken = outputs(&world.fit("whole", Arch::Resnet18, never_better(3)));
    let job = extended(&world, "longer", &[&short], never_better(3));
    assert_eq!(outputs(&job), unbroken);
    let history: History = files::read_json(&job.out.join("history.json")).unwrap();
    assert!(history.stopped_early.is_some());
    assert_eq!(history.epochs.len(), 2);
}

const PIPELINE: &str = r#"
[dataset.dishes]
train = "data/train"
test = "data/test"
[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }
[split.holdout]
dataset = "dishes"
[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 1
batch_size = 8
optimizer.adam = { lr = 0.001 }
save = { every = "5m" }
"#;

/// The outputs of the training of two epochs.
fn results(project: &Project) -> Vec<Digest> {
    let mut found = Vec::new();
    for entry in fs::read_dir(project.path("cache/entries")).unwrap() {
        let folder = entry.unwrap().path().join("out-1");
        let history = folder.join("history.json");
        let epochs = |path: &Path| files::read_json::<History>(path).unwrap().epochs.len();
        if history.exists() && epochs(&history) == 2 {
            let names = ["best.safetensors", "last.safetensors", "history.json"];
            found.extend(names.map(|name| Digest::of_file(&folder.join(name)).unwrap()));
        }
    }
    assert_eq!(found.len(), 3);
    found
}

#[test]
fn the_plan_says_whether_more_epochs_go_on_from_an_earlier_result() {
    let project = Project::with_dishes();
    let file = "pipelines/p.toml";
    project.write(file, PIPELINE);
    project.ok(&["run", file]);
    // How often the state is saved changes no result.
    project.edit(file, "\"5m\"", "\"90s\"");
    let plan = project.ok(&["plan", file]).stdout;
    assert!(!plan.contains("earlier result"), "{plan}");

    project.edit(file, "epochs = 1", "epochs = 2");
    let wanted = "goes on from epoch 1 of an earlier result";
    for (code, command) in [(3, &["plan", file][..]), (0, &["explain", file, "net"][..])] {
        let said = project.fails(code, command).stdout;
        assert!(said.contains(wanted), "{said}");
        assert!(said.contains("`epochs` 1 -> 2"), "{said}");
    }
    project.ok(&["run", file]);
    let longer = results(&project);
    let fresh = Project::with_dishes();
    fresh.write(file, &project.read(file));
    fresh.ok(&["run", file]);
    assert_eq!(longer, results(&fresh));

    // The last run went on for one epoch alone; what is estimated follows from the epochs that are left.
    let estimate = |epochs: u32| {
        let text = project.read(file);
        project.edit(file, "epochs = 2", &format!("epochs = {epochs}"));
        let plan = project.json(&["plan", file]);
        project.write(file, &text);
        let stages = plan["stages"].as_array().unwrap().iter();
        let net = stages.clone().find(|stage| stage["id"] == "net").unwrap();
        net["estimate"]["seconds"].as_f64().unwrap()
    };
    let (one, two, three) = (estimate(1_002), estimate(2_002), estimate(3_002));
    let thousand = two - one;
    assert!(thousand > 0.0 && one >= thousand, "{one} {two} {three}");
    assert!(
        (three - two - thousand).abs() < 1e-6 * three,
        "{one} {two} {three}"
    );

    project.edit(file, "epochs = 2", "epochs = 2\nschedule.cosine = {}");
    project.ok(&["run", file]);
    project.edit(file, "epochs = 2", "epochs = 3");
    let plan = project.fails(3, &["plan", file]).stdout;
    assert!(plan.contains("starts anew: `schedule.cosine`"), "{plan}");
}
