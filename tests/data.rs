//! From files to the pack: what the stages dataset, split and preprocess do with good, odd and broken folders.

mod listing;
mod packs;
mod real_photographs;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use kfood::{
    config::{self, Settings},
    digest::Digest,
    error::Result,
    event::StageEvent,
    stage::{Context, Desk, DigestedFiles, Source, Stage},
    stop::Stop,
};

use crate::support::asked;

/// Runs a stage as the engine would; what it told comes back.
pub fn run(
    stage: &dyn Stage,
    from: &[(&str, PathBuf)],
    out: &Path,
    stop: &Stop,
) -> Result<Vec<StageEvent>> {
    run_after(stage, from, out, stop, &[])
}

/// As [`run`], with the folders of earlier results.
fn run_after(
    stage: &dyn Stage,
    from: &[(&str, PathBuf)],
    out: &Path,
    stop: &Stop,
    earlier: &[PathBuf],
) -> Result<Vec<StageEvent>> {
    let inputs: BTreeMap<String, PathBuf> = from
        .iter()
        .map(|(role, path)| ((*role).to_owned(), path.clone()))
        .collect();
    let mut files = BTreeMap::new();
    for input in stage.inputs().iter().filter(|i| i.source == Source::Files) {
        let listed = stage.files(&input.role)?;
        let content = |path: PathBuf| {
            let bytes = fs::metadata(&path).unwrap().len();
            Ok((Digest::of_file(&path)?, bytes))
        };
        let contents = listed.iter().map(|file| content(file.path()));
        let contents = contents.collect::<Result<_>>()?;
        let digested = DigestedFiles::new(listed, contents, BTreeMap::new());
        files.insert(input.role.clone(), digested);
    }
    let told = Mutex::new(Vec::new());
    let tell = |event| told.lock().unwrap().push(event);
    fs::create_dir_all(out).unwrap();
    stage.run(&Context {
        desk: Desk {
            out,
            state: out,
            key: Digest::of(b"key"),
            kin: Digest::of(b"kin"),
            inputs: &inputs,
            earlier,
            device: "cpu",
            threads: 2,
        },
        files: &files,
        unfinished: &[],
        tell: &tell,
        stop,
    })?;
    for output in stage.outputs() {
        assert!(out.join(output).is_file(), "{output}");
    }
    Ok(told.into_inner().unwrap())
}

/// `[dataset.d]` with these lines.
#[track_caller]
pub fn dataset(lines: &str) -> config::Dataset {
    match asked(&format!("[dataset.d]\n{lines}\n"), "d") {
        Settings::Dataset(settings) => settings,
        other => panic!("{other:?}"),
    }
}

/// A line that gives a setting a path.
pub fn line(setting: &str, path: &Path) -> String {
    format!("{setting} = {:?}\n", path.to_str().unwrap())
}

pub fn folders(train: &Path, test: Option<&Path>) -> config::Dataset {
    let test = test.map(|test| line("test", test)).unwrap_or_default();
    dataset(&(line("train", train) + &test))
}

/// `[preprocess.p]` to squares of this side, with further lines.
#[track_caller]
pub fn preprocess(side: u32, lines: &str) -> config::Preprocess {
    let text = format!(
        "[dataset.d]\ntrain = \"data\"\n[preprocess.p]\ndataset = \"d\"\n\
         resize = {{ width = {side}, height = {side} }}\n{lines}\n"
    );
    match asked(&text, "p") {
        Settings::Preprocess(settings) => settings,
        other => panic!("{other:?}"),
    }
}

/// `[split.s]` of a data set `d` (with a validation part, where that is `given`) with pixels `pixels`, with these lines.
#[track_caller]
pub fn split(lines: &str, given: bool) -> config::Split {
    let more = if given {
        line("validation", Path::new("more"))
    } else {
        String::new()
    };
    let text = format!(
        "[dataset.d]\ntrain = \"data\"\n{more}[preprocess.pixels]\ndataset = \"d\"\n\
         resize = {{ width = 8, height = 8 }}\n[split.s]\ndataset = \"d\"\nseed = 3\n{lines}\n"
    );
    match asked(&text, "s") {
        Settings::Split(settings) => settings,
        other => panic!("{other:?}"),
    }
}

pub fn jpeg(colour: [u8; 3]) -> Vec<u8> {
    let image = RgbImage::from_fn(40, 30, |x, y| Rgb(colour.map(|c| c ^ ((x * y) % 16) as u8)));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .encode_image(&image)
        .unwrap();
    bytes
}

pub fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Two classes of three images in `train`, one of them with a decomposed folder name, and one each in `test`.
fn small_set(root: &Path) -> config::Dataset {
    let nfd = "\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}";
    for i in 0..3 {
        put(
            root,
            &format!("train/{nfd}/{i}.jpg"),
            &jpeg([200, 10 * i, 30]),
        );
        put(
            root,
            &format!("train/잡채/{i}.jpg"),
            &jpeg([10 * i, 90, 200]),
        );
    }
    put(root, "test/김밥/9.jpg", &jpeg([201, 50, 30]));
    put(root, "test/잡채/9.jpg", &jpeg([50, 91, 200]));
    folders(&root.join("train"), Some(&root.join("test")))
}
