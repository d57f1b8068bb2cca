//! Training, transfer and prediction through `kfood-worker`, on small generated data.

mod ending;
mod learning;
mod resuming;
mod transfer;
mod worker;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use kfood::{
    config::Settings,
    data::PackWriter,
    digest::Digest,
    event::StageEvent,
    files,
    model::{self, StateDict},
    record::{Assignment, Data, Fit, History, Job, Label, Labels, ModelFile, Part, Split, Start},
    seed::stream,
    settings::{
        Arch, NetworkSettings, Pixels, Resize, Save, Storage, TrainLayers, Training, TransferHead,
    },
};
use rand::Rng;
use serde_json::{Value, json};

use crate::support::asked;

const SIDE: u32 = 32;

/// The JSON of each line of a file.
pub(super) fn json_lines(path: &Path) -> Vec<Value> {
    let text = files::read_text(path).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// A data set of coloured noise: every class has a colour of its own.
pub(super) struct World {
    folder: tempfile::TempDir,
    data: Data,
    /// Of its pictures.
    side: u32,
}

impl World {
    pub(super) fn new(classes: u32, images: u32, side: u32, validation: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let data = Data {
            pack: at("pixels.pack"),
            labels: at("labels.json"),
            split: at("membership.json"),
            fold: None,
        };
        let made_of = vec![Digest::of(b""); images as usize];
        let pack = PackWriter::create(&data.pack, side, side, Storage::Raw, made_of).unwrap();
        for i in 0..images {
            pack.write(i as usize, &picture(i % classes, i, side))
                .unwrap();
        }
        pack.finish().unwrap();
        let labels = Labels {
            classes: (0..classes).map(|c| format!("class {c}")).collect(),
            labels: (0..images)
                .map(|i| Label {
                    part: Part::Train,
                    class: i % classes,
                })
                .collect(),
            ..Labels::default()
        };
        let assign = |i| match i % 4 {
            3 if validation => Assignment::Validation,
            _ => Assignment::Train,
        };
        let split = Split {
            folds: None,
            assignments: (0..images).map(assign).collect(),
            left_out: Vec::new(),
        };
        files::write_json(&data.labels, &labels).unwrap();
        files::write_json(&data.split, &split).unwrap();
        Self { folder, data, side }
    }

    fn small() -> Self {
        Self::new(3, 24, SIDE, true)
    }

    /// A training that writes to a folder of this name.
    pub(super) fn fit(&self, name: &str, arch: Arch, settings: Value) -> Fit {
        let key = |settings: &Value| Some(Digest::of(format!("{arch:?} {settings}").as_bytes()));
        let mut kin = settings.clone();
        kin["epochs"] = Value::Null;
        Fit {
            key: key(&settings),
            kin: key(&kin),
            data: self.data.clone(),
            pixels: Pixels::new(square(self.side)),
            training: training(settings, self.side),
            start: Start::Scratch(NetworkSettings::of(arch)),
            device: "cpu".to_owned(),
            threads: 1,
            out: self.folder.path().join(name),
            state: self.folder.path().join(format!("{name}.state")),
            save: Save::default(),
            earlier: Vec::new(),
        }
    }

    /// A finished training whose running statistics are those of the images: until they are, a network gives features of any size
    /// where it does not take its batches' own.
    fn settled(&self) -> Fit {
        let job = self.fit("source", Arch::Resnet18, slow(8));
        outputs(&job);
        job
    }

    fn transfer(&self, name: &str, model: &Path, layers: TrainLayers, settings: Value) -> Fit {
        let model = ModelFile {
            path: model.to_owned(),
            normalize: None,
            classes: None,
            weights: None,
            pretrained: None,
        };
        let start = Start::Transfer {
            model,
            train_layers: layers,
            gradual_unfreezing: None,
            stochastic_depth: None,
            dropout: None,
            keep_normalize: true,
            head: TransferHead::New,
        };
        Fit {
            start,
            ..self.fit(name, Arch::Resnet18, settings)
        }
    }
}

fn square(side: u32) -> Resize {
    serde_json::from_value(json!({ "width": side, "height": side })).unwrap()
}

pub(super) fn picture(class: u32, seed: u32, side: u32) -> Vec<u8> {
    let mut rng = stream(seed, "picture", &[]);
    let mut pixels = vec![0; 3 * (side * side) as usize];
    rng.fill_bytes(&mut pixels);
    for pixel in pixels.chunks_exact_mut(3) {
        for (channel, value) in pixel.iter_mut().enumerate() {
            *value = *value / 4
                + if channel == (class % 3) as usize {
                    150
                } else {
                    20
                };
        }
    }
    pixels
}

/// What a pipeline asks for with these settings of a training, on top of short ones.
#[track_caller]
fn training(given: Value, side: u32) -> Training {
    let mut net = json!({
        "data": "pixels",
        "split": "holdout",
        "arch": "resnet18",
        "epochs": 2,
        "batch_size": 8,
        "optimizer": { "sgd": { "lr": 0.01 } },
        "normalize": "none",
        "precision": "f32",
        "seed": 1,
    });
    for (key, value) in given.as_object().unwrap() {
        net[key] = value.clone();
    }
    // TOML has no word for what is not there.
    net.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let pipeline = json!({
        "dataset": { "dishes": { "train": "data" } },
        "preprocess": { "pixels": { "dataset": "dishes", "resize": square(side) } },
        "split": { "holdout": { "dataset": "dishes" } },
        "train": { "net": net },
    });
    match asked(&toml::to_string(&pipeline).unwrap(), "net") {
        Settings::Train(train) => *train.training,
        other => panic!("{other:?}"),
    }
}

/// Settings that move the weights by little.
fn slow(epochs: u32) -> Value {
    json!({ "epochs": epochs, "optimizer": { "sgd": { "lr": 0.001 } } })
}

pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) events: Vec<StageEvent>,
}

impl Ran {
    fn failure(&self) -> &str {
        match self.events.last() {
            Some(StageEvent::Failed { message }) => message,
            other => panic!("the last event is {other:?}"),
        }
    }

    pub(super) fn told(&self, wanted: impl Fn(&StageEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }
}

/// Runs a job to its end; asks it to stop once `stop_at` holds for an event.
pub(super) fn work(job: &impl serde::Serialize, stop_at: impl Fn(&StageEvent) -> bool) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.json");
    files::write_json(&path, job).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kfood-worker"))
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: StageEvent = serde_json::from_str(&line.unwrap()).unwrap();
        if stop_at(&event) {
            stdin.write_all(b"stop\n").unwrap();
        }
        events.push(event);
    }
    let code = child.wait().unwrap().code();
    Ran { code, events }
}

pub(super) fn fit(job: &Fit) -> Ran {
    work(&Job::Fit(job.clone()), |_| false)
}

/// Runs a training that must succeed; the digests of its outputs.
pub(super) fn outputs(job: &Fit) -> [Digest; 3] {
    let ran = fit(job);
    assert_eq!(ran.code, Some(0), "{:?}", ran.events.last());
    digests(&job.out)
}

pub(super) fn digests(out: &Path) -> [Digest; 3] {
    ["best.safetensors", "last.safetensors", "history.json"]
        .map(|name| Digest::of_file(&out.join(name)).unwrap())
}

fn history(job: &Fit) -> History {
    files::read_json(&job.out.join("history.json")).unwrap()
}

fn weights(path: &Path) -> StateDict {
    model::load(path).unwrap().state
}

const AUGMENTED: &str = r#"[{"random_rotation": 15}, {"center_crop": 28}, {"random_horizontal_flip": 0.5}, {"trivial_augment_wide": {}},
        {"color_jitter": {"brightness": 0.2, "hue": 0.02, "p": 0.5}}, {"random_erasing": {"p": 0.3, "value": "random"}}]"#;

pub(super) fn augmented(epochs: u32) -> Value {
    json!({
        "epochs": epochs,
        "optimizer": { "adam": { "lr": 0.001 } },
        "schedule": { "cosine": { "warmup_epochs": u32::from(epochs > 1) } },
        "augment": serde_json::from_str::<Value>(AUGMENTED).unwrap(),
        "normalize": "dataset",
        "label_smoothing": 0.1,
    })
}
