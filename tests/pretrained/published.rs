//! Published weights that are what their name says, from `kfood fetch` to a finished transfer.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    thread,
};

use kfood::{
    config::{self, ModelSource, Settings},
    model::layout::{Role, slots},
    settings::Arch,
};
use serde_json::Value;

use super::{FILE, has, ran, transfer, written};
use crate::support::{Project, Ran};

const A3: &str = "timm/resnet18.a3_in1k";
const A3_FILE: &str = "resnet18_a3_0-40c531c8.pth";
/// With these at its end the SHA-256 of [`weights`] begins with the eight digits in the name of that file: of five names with as many
/// digits one was met after 466 million tries.
const LAST: [u8; 8] = [7, 45, 15, 51, 27, 0, 0, 0];

/// A ResNet-18 of zeros for 1,000 classes, in half precision, as safetensors: what a file holds is known by its content.
fn weights() -> Vec<u8> {
    let (mut tensors, mut at) = (Vec::new(), 0);
    for slot in slots(Arch::Resnet18, 1_000) {
        let (kind, size) = match slot.role {
            Role::NormCount => ("I64", 8),
            _ => ("F16", 2),
        };
        let end = at + slot.shape.iter().product::<usize>() * size;
        let (name, shape) = (slot.name, slot.shape);
        tensors.push(format!(
            r#""{name}":{{"dtype":"{kind}","shape":{shape:?},"data_offsets":[{at},{end}]}}"#
        ));
        at = end;
    }
    let mut header = format!("{{{}}}", tensors.join(","));
    while (8 + header.len() + at) % 64 != 8 {
        header.push(' ');
    }
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + at - LAST.len(), 0);
    file.extend_from_slice(&LAST);
    file
}

/// The address of a folder on a server that answers one request, with these weights.
fn mirror() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mirror/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let asked = lines.next().unwrap().unwrap();
        assert!(
            asked.starts_with(&format!("GET /mirror/{A3_FILE} ")),
            "{asked}"
        );
        lines.find(|line| line.as_ref().unwrap().is_empty());
        let weights = weights();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            weights.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&weights).unwrap();
    });
    address
}

#[test]
fn fetched_weights_are_taken_by_name_or_path_with_their_normalisation_and_are_one_input() {
    let project = Project::with_dishes();
    let got = ran(&project, &["fetch", A3, "--from", &mirror()]).ended(0, &["fetch"]);
    let place = format!("torch/hub/checkpoints/{A3_FILE}");
    has(
        &got.stdout,
        &[
            &place,
            "fetched; in a transfer: model = \"timm/resnet18.a3_in1k\"",
        ],
    );
    let again = ran(&project, &["fetch", A3, "--from", "http://127.0.0.1:9"]);
    has(
        &again.ended(0, &["fetch"]).stdout,
        &[&place, "there already, and whole"],
    );

    project.write(FILE, &transfer(A3, "train_layers = \"head\""));
    let told = ran(&project, &["run", FILE, "net"]).ended(0, &["run"]);
    has(
        &told.stderr,
        &[
            "its head of 1,000 classes is replaced by one of 3",
            "`timm/resnet18.a3_in1k` were trained for images of 160 px, and these have 32",
        ],
    );
    let source: Value =
        serde_json::from_str(&fs::read_to_string(written(&project, "source.json")).unwrap())
            .unwrap();
    assert_eq!(source["pretrained"], A3);
    // They bring ImageNet's normalisation, which the model says then.
    project.ok(&["export", &format!("{FILE}:net"), "card.md"]);
    has(
        &project.read("card.md"),
        &["| mean | 0.485, 0.456, 0.406 |"],
    );

    // The file is known by its digest: in another place, by its path, and under the name of others' files with the same content, it
    // is the same input.
    fs::create_dir_all(project.path("models")).unwrap();
    fs::rename(project.path(&place), project.path("models").join(A3_FILE)).unwrap();
    let by_path = transfer(&format!("models/{A3_FILE}"), "train_layers = \"head\"");
    project.write(FILE, &by_path);
    ran(&project, &["plan", FILE, "net"]).ended(0, &["plan"]);
    // Of another content it is not what it is called.
    let mut bytes = weights();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(project.path("models").join(A3_FILE), bytes).unwrap();
    let refused = ran(&project, &["run", FILE, "net"]).ended(1, &["run"]);
    has(
        &refused.stderr,
        &["is not what it is named for", "instead of `40c531c8`"],
    );
}

#[test]
fn a_mirror_that_does_not_answer_leaves_the_way_without_a_network() {
    let project = Project::new();
    let args = ["fetch", A3, "--from", "http://127.0.0.1:9"];
    let told = ran(&project, &args).ended(1, &args).stderr;
    has(
        &told,
        &[
            &format!("`http://127.0.0.1:9/{A3_FILE}` cannot be reached"),
            &format!(
                "help: fetch `https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-rsb-weights/{A3_FILE}` elsewhere"
            ),
            "torch/hub/checkpoints`, or into `weights/` beside the pipeline",
        ],
    );
    let left = walkdir::WalkDir::new(project.path("torch")).into_iter();
    assert_eq!(
        left.flatten().filter(|e| e.file_type().is_file()).count(),
        0
    );
}

#[test]
fn weights_lie_beside_the_pipeline_or_in_the_project_or_in_torchs_folder_in_this_order() {
    let project = Project::with_dishes();
    let file = "pipelines/deep/p.toml";
    project.write(file, &transfer(A3, ""));
    let found = |home: Option<&Path>| -> PathBuf {
        let home = home.map(|home| home.display().to_string());
        let lookup = |name: &str| home.clone().filter(|_| name == "TORCH_HOME");
        let pipeline = config::load_with(&project.path(file), &lookup).unwrap();
        let net = pipeline.instances.into_iter().find(|i| i.id == "net");
        let Settings::Transfer(settings) = net.unwrap().settings else {
            panic!("no transfer");
        };
        let ModelSource::File { path, .. } = settings.model else {
            panic!("no file");
        };
        path.path
    };
    let torch = project.path("torch");
    let places = ["pipelines/deep/weights", "weights", "torch/hub/checkpoints"];
    for place in places {
        project.write(&format!("{place}/{A3_FILE}"), "");
    }
    for place in places {
        let here = project.path(place).join(A3_FILE);
        assert_eq!(found(Some(&torch)), here);
        fs::remove_file(here).unwrap();
    }
    // Where there are none, they belong into torch's folder; without one into the project.
    assert_eq!(
        found(Some(&torch)),
        project.path("torch/hub/checkpoints").join(A3_FILE)
    );
    assert_eq!(found(None), project.path("weights").join(A3_FILE));
}

/// A run of all of it ends before anything is done; what needs no weights runs.
#[test]
fn weights_and_models_that_are_not_there_are_told_before_the_first_stage() {
    let project = Project::with_dishes();
    let more = "matrix.seed = [1, 2]\n\n[evaluate.of_file]\nmodel = \"models/x.pt\"\nnormalize = \"imagenet\"\nclasses = [\"a\", \"b\", \"c\"]\ndata = \"pixels\"\nsplit = \"holdout\"\n";
    project.write(FILE, &transfer(A3, more));
    let told = |ran: &Ran| {
        has(
            &ran.stderr,
            &[
                "the weights `timm/resnet18.a3_in1k` are not there",
                "`kfood fetch timm/resnet18.a3_in1k`",
                &format!("without a network put `{A3_FILE}` from https://"),
                "there is no model file `",
                "/models/x.pt`",
                &format!("{FILE}:14:9"),
            ],
        );
        // Of two instances once.
        assert_eq!(
            ran.stderr.matches("are not there").count(),
            1,
            "{}",
            ran.stderr
        );
    };
    for args in [&["run", FILE][..], &["run", FILE, "--keep-going"]] {
        told(&ran(&project, args).ended(2, args));
        let entries = fs::read_dir(project.path("cache/entries"));
        assert!(entries.map_or(true, |entries| entries.count() == 0));
    }
    // Beside a folder that is missing.
    project.edit(FILE, "\"data/test\"", "\"data/none\"");
    let all = ran(&project, &["run", FILE]).ended(2, &["run"]);
    told(&all);
    has(&all.stderr, &["the folder `data/none` is missing"]);
    project.edit(FILE, "\"data/none\"", "\"data/test\"");

    // A plan is told all the same, with a word on it; of stages that need none of it there is nothing to say.
    let plan = ran(&project, &["plan", FILE]).ended(3, &["plan"]);
    has(
        &plan.stderr,
        &["a run would end before its first stage", A3, "models/x.pt"],
    );
    has(&plan.stdout, &["waits on dishes, pixels, holdout"]);
    let args = ["run", FILE, "pixels", "holdout"];
    let some = ran(&project, &args).ended(0, &args);
    assert!(!some.stderr.contains("not there"), "{}", some.stderr);
    let plan = ran(&project, &["plan", FILE, "pixels", "holdout"]).ended(0, &["plan"]);
    assert!(!plan.stderr.contains("not there"), "{}", plan.stderr);
}
