//! From files to the pack: what the stages dataset, split and preprocess do with good, odd and broken folders.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use kfood::{
    config::{self, Settings},
    data::{Pack, Resampler, decode, decode_resized},
    digest::Digest,
    error::{Class, Result},
    event::StageEvent,
    files::read_json,
    record::{Images, Labels, Part, Photographs, Split},
    settings::Storage,
    stage::{Context, Desk, DigestedFile, Source, Stage},
    stages,
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
        let mut digested = Vec::new();
        for file in stage.files(&input.role)? {
            digested.push(DigestedFile {
                digest: Digest::of_file(&file.path)?,
                bytes: fs::metadata(&file.path).unwrap().len(),
                lost: None,
                name: file.name,
                path: file.path,
            });
        }
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

#[test]
fn folders_become_a_list_a_split_and_a_pack() {
    let root = tempfile::tempdir().unwrap();
    let (root, stop) = (root.path(), Stop::default());
    let settings = small_set(root);
    put(root, "train/notes.txt", b"hello");
    let told = run(
        &stages::DatasetStage::new("d", &settings),
        &[],
        &root.join("d"),
        &stop,
    )
    .unwrap();
    assert!(format!("{told:?}").contains("passed over 1 entry: 1 `.txt`"));
    let images: Images = read_json(&root.join("d/images.json")).unwrap();
    let labels: Labels = read_json(&root.join("d/labels.json")).unwrap();
    let names: Vec<_> = images.images.iter().map(|i| i.path.as_str()).collect();
    let expected = [
        "train/김밥/0.jpg",
        "train/김밥/1.jpg",
        "train/김밥/2.jpg",
        "train/잡채/0.jpg",
        "train/잡채/1.jpg",
        "train/잡채/2.jpg",
        "test/김밥/9.jpg",
        "test/잡채/9.jpg",
    ];
    assert_eq!(names, expected);
    assert_eq!(labels.classes, ["김밥", "잡채"]);
    assert_eq!(
        (labels.labels[7].part, labels.labels[7].class),
        (Part::Test, 1)
    );

    let split = stages::SplitStage::new("s", &split("", false));
    assert_eq!(
        split.settings(),
        serde_json::json!({ "validation": 0.2, "seed": 3 })
    );
    run(
        &split,
        &[("labels", root.join("d/labels.json"))],
        &root.join("s"),
        &stop,
    )
    .unwrap();
    let split: Split = read_json(&root.join("s/membership.json")).unwrap();
    assert_eq!(split.assignments.len(), 8);

    let stage = stages::PreprocessStage::new("p", &preprocess(16, ""), &settings);
    let told = run(
        &stage,
        &[("images", root.join("d/images.json"))],
        &root.join("p"),
        &stop,
    )
    .unwrap();
    assert!(matches!(
        told.last(),
        Some(StageEvent::Progress {
            done: 8,
            total: 8,
            ..
        })
    ));
    let pack = Pack::open(&root.join("p/pixels.pack")).unwrap();
    assert_eq!((pack.len(), pack.width(), pack.height()), (8, 16, 16));
    let last = decode_resized(&root.join("test/잡채/9.jpg"), preprocess(16, "").pixels);
    assert_eq!(*pack.row(7).unwrap(), last.unwrap());
}

#[test]
fn a_csv_list_gives_the_same_list_as_folders() {
    let root = tempfile::tempdir().unwrap();
    let (root, stop) = (root.path(), Stop::default());
    put(root, "x/1.jpg", &jpeg([9, 9, 9]));
    put(root, "x/2.jpg", &jpeg([99, 9, 9]));
    put(
        root,
        "list.csv",
        "path,label,part\nx/2.jpg,나,train\nx/1.jpg,가,train\n".as_bytes(),
    );
    let settings = dataset(&line("manifest", &root.join("list.csv")));
    run(
        &stages::DatasetStage::new("d", &settings),
        &[],
        &root.join("d"),
        &stop,
    )
    .unwrap();
    let labels: Labels = read_json(&root.join("d/labels.json")).unwrap();
    assert_eq!(labels.classes, ["가", "나"]);
    let stage = stages::PreprocessStage::new("p", &preprocess(8, ""), &settings);
    run(
        &stage,
        &[("images", root.join("d/images.json"))],
        &root.join("p"),
        &stop,
    )
    .unwrap();
}

#[test]
fn a_missing_folder_says_where_it_is_named_and_what_to_put_there() {
    let settings = folders(Path::new("/nowhere/data/x"), None);
    let error = stages::DatasetStage::new("d", &settings)
        .files("train")
        .unwrap_err();
    assert_eq!(error.class(), Class::Usage);
    let text = error.to_string();
    assert!(
        text.contains("p.toml:2")
            && text.contains("/nowhere/data/x")
            && text.contains("one folder per class"),
        "{text}"
    );
}

#[test]
fn parts_with_other_classes_and_a_single_class_are_errors() {
    let root = tempfile::tempdir().unwrap();
    let (root, stop) = (root.path(), Stop::default());
    let settings = small_set(root);
    fs::rename(root.join("test/잡채"), root.join("test/잡체")).unwrap();
    let error = run(
        &stages::DatasetStage::new("d", &settings),
        &[],
        &root.join("d"),
        &stop,
    )
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("only in `train`: 1 (`잡채`)")
            && error.contains("only in `test`: 1 (`잡체`)"),
        "{error}"
    );
    fs::remove_dir_all(root.join("train/잡채")).unwrap();
    let settings = folders(&root.join("train"), None);
    let error = run(
        &stages::DatasetStage::new("d", &settings),
        &[],
        &root.join("d"),
        &stop,
    )
    .unwrap_err();
    assert!(error.to_string().contains("only one class, `김밥`"));
}

#[test]
fn unusable_files_are_reported_together_and_changed_ones_stop_the_stage() {
    let root = tempfile::tempdir().unwrap();
    let (root, stop) = (root.path(), Stop::default());
    let settings = small_set(root);
    let good = jpeg([1, 2, 3]);
    put(root, "train/잡채/cut.jpg", &good[..good.len() / 2]);
    put(root, "train/잡채/empty.jpg", b"");
    put(
        root,
        "train/잡채/page.jpg",
        b"<!DOCTYPE html><html><body>404",
    );
    put(
        root,
        "train/잡채/pointer.jpg",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    );
    put(root, "train/잡채/word.jpg", b"hello, world");
    run(
        &stages::DatasetStage::new("d", &settings),
        &[],
        &root.join("d"),
        &stop,
    )
    .unwrap();
    let stage = stages::PreprocessStage::new("p", &preprocess(8, ""), &settings);
    let from = [("images", root.join("d/images.json"))];
    let error = run(&stage, &from, &root.join("p"), &stop).unwrap_err();
    let text = error.to_string();
    for part in [
        "5 of 13 files",
        "cut.jpg`: cut off",
        "empty.jpg`: empty file",
        "page.jpg`: an HTML page",
        "pointer.jpg`: a Git LFS pointer",
        "word.jpg`: not an image: starts with `hello, world`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let help = error.help_text().unwrap();
    assert!(help.contains("remove or repair") && help.contains("unreadable = \"drop\""));

    // Elsewhere, where no row of an interrupted run stands for what was listed.
    put(root, "train/잡채/0.jpg", &good);
    let error = run(&stage, &from, &root.join("q"), &stop)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("0.jpg` changed since the data set was listed"),
        "{error}"
    );
    stop.request();
    let error = run(&stage, &from, &root.join("q"), &stop).unwrap_err();
    assert_eq!(error.class(), Class::Interrupted);
}

/// The data set as it is now, and its pack in `name`, made with what the earlier folders have.
fn packed(
    root: &Path,
    name: &str,
    settings: &config::Preprocess,
    dataset: &config::Dataset,
    earlier: &[&str],
) -> Result<Vec<StageEvent>> {
    let (listed, stop) = (root.join(format!("{name}-list")), Stop::default());
    run(
        &stages::DatasetStage::new("d", dataset),
        &[],
        &listed,
        &stop,
    )
    .unwrap();
    let stage = stages::PreprocessStage::new("p", settings, dataset);
    let from = [("images", listed.join("images.json"))];
    let earlier: Vec<_> = earlier.iter().map(|e| root.join(e)).collect();
    run_after(&stage, &from, &root.join(name), &stop, &earlier)
}

/// The line that asks for it.
fn stored(storage: Storage) -> &'static str {
    match storage {
        Storage::Raw => "storage = \"raw\"",
        Storage::Jpeg => "storage = \"jpeg\"",
    }
}

/// The images that were decoded, as the events tell.
fn decoded(told: &[StageEvent]) -> u64 {
    let count = |event: &StageEvent| match event {
        StageEvent::Progress { what, total, .. } if what == "decoding" => Some(*total),
        _ => None,
    };
    told.iter().find_map(count).unwrap_or(0)
}

#[test]
fn only_changed_images_are_decoded_and_the_result_is_that_of_a_full_run() {
    for storage in [Storage::Raw, Storage::Jpeg] {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let dataset = small_set(root);
        let settings = preprocess(16, stored(storage));
        let whole = |name: &str| {
            Pack::open(&root.join(name).join("pixels.pack"))
                .unwrap()
                .verify()
                .unwrap();
        };
        let same = |a: &str, b: &str| {
            for output in ["pixels.pack", "photographs.json", "look_alikes.json"] {
                let of = |name: &str| fs::read(root.join(name).join(output)).unwrap();
                assert!(of(a) == of(b), "{storage:?} {a} {b} {output}");
            }
        };
        let full = |name: &str| {
            let told = packed(root, name, &settings, &dataset, &[]).unwrap();
            whole(name);
            decoded(&told)
        };
        let after = |name: &str, earlier: &[&str]| {
            let told = packed(root, name, &settings, &dataset, earlier).unwrap();
            whole(name);
            (decoded(&told), format!("{told:?}"))
        };
        assert_eq!(full("first"), 8);
        let (n, told) = after("again", &["first"]);
        assert!(
            n == 0 && told.contains("reused 8 of 8 images, decoded 0"),
            "{told}"
        );
        same("first", "again");

        // One more in the middle, and a copy of another under a name that promises another format.
        put(root, "train/잡채/00.jpg", &jpeg([7, 7, 7]));
        put(root, "test/김밥/copy.png", &jpeg([201, 50, 30]));
        let (n, told) = after("added", &["gone", "first"]);
        assert_eq!(n, 1, "{told}");
        assert!(
            told.contains("reused 8 of 10 images, decoded 1; 1 is equal to others"),
            "{told}"
        );
        assert_eq!(full("added-full"), 9);
        same("added", "added-full");
        let seen: Photographs = read_json(&root.join("added/photographs.json")).unwrap();
        let odd: Vec<_> = seen.photographs.iter().flat_map(|p| &p.odd).collect();
        assert_eq!(odd, ["named .png, is JPEG"]);

        // One less, one moved to another part, and the rest from two packs.
        fs::remove_file(root.join("train/잡채/1.jpg")).unwrap();
        fs::rename(root.join("train/잡채/2.jpg"), root.join("test/잡채/0.jpg")).unwrap();
        assert_eq!(after("removed", &["first", "added"]).0, 0);
        full("removed-full");
        same("removed", "removed-full");

        // A damaged row is decoded, a damaged pack or record costs everything and nothing else.
        let path = root.join("removed/pixels.pack");
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let at = bad.len() - 100;
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert_eq!(after("healed", &["removed"]).0, 1);
        same("healed", "removed-full");
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        assert_eq!(after("anew", &["removed"]).0, 8);
        same("anew", "removed-full");
        fs::write(&path, &good).unwrap();
        fs::write(root.join("removed/photographs.json"), "{").unwrap();
        assert_eq!(after("unread", &["removed"]).0, 8);

        // Another size is another work, and so are other pixels of the same file.
        let larger = preprocess(17, stored(storage));
        let told = packed(root, "larger", &larger, &dataset, &["added"]).unwrap();
        assert_eq!(decoded(&told), 8);
    }
}

#[test]
fn broken_files_are_dropped_where_that_is_wanted() {
    for storage in [Storage::Raw, Storage::Jpeg] {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let dataset = small_set(root);
        put(root, "train/잡채/page.jpg", b"<html>404");
        put(root, "train/잡채/page2.jpg", b"<html>404");
        let settings = preprocess(16, &format!("{}\nunreadable = \"drop\"", stored(storage)));
        let told = packed(root, "p", &settings, &dataset, &[]).unwrap();
        let warned = |told: &[StageEvent]| {
            let warning = told.iter().find_map(|event| match event {
                StageEvent::Warning(text) => Some(text.clone()),
                _ => None,
            });
            warning.unwrap()
        };
        let text = warned(&told);
        assert!(text.contains("dropped 2 of 10 files"), "{text}");
        assert!(
            text.contains("`train/잡채/page2.jpg`: an HTML page"),
            "{text}"
        );
        let pack = Pack::open(&root.join("p/pixels.pack")).unwrap();
        pack.verify().unwrap();
        let seen: Photographs = read_json(&root.join("p/photographs.json")).unwrap();
        for i in 0..10 {
            let dropped = i == 6 || i == 7;
            assert_eq!(pack.is_dropped(i), dropped, "{i}");
            assert_eq!(pack.row(i).unwrap().iter().all(|v| *v == 0), dropped, "{i}");
            let why = seen.photographs[i].dropped.as_deref();
            assert_eq!(why, dropped.then_some("an HTML page, not an image"));
        }
        let again = packed(root, "again", &settings, &dataset, &["p"]).unwrap();
        assert_eq!(decoded(&again), 0);
        assert_eq!(warned(&again), text);
        assert_eq!(
            fs::read(root.join("p/pixels.pack")).unwrap(),
            fs::read(root.join("again/pixels.pack")).unwrap()
        );

        for class in [
            "train/\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}",
            "train/잡채",
            "test/김밥",
            "test/잡채",
        ] {
            for entry in fs::read_dir(root.join(class)).unwrap() {
                fs::write(entry.unwrap().path(), b"<html>404").unwrap();
            }
        }
        let none = packed(root, "none", &settings, &dataset, &["p"]).unwrap_err();
        assert!(
            none.to_string()
                .contains("none of the 10 files can be used"),
            "{none}"
        );
    }
}

#[test]
fn random_and_damaged_bytes_never_panic() {
    let good = jpeg([120, 40, 200]);
    for seed in 0..300_usize {
        let mut bytes = good.clone();
        for k in 0..1 + seed % 7 {
            let at = (seed * 7919 + k * 104_729) % bytes.len();
            bytes[at] ^= 1 << ((seed + k) % 8);
        }
        let _ = decode(&bytes);
    }
}

/// The folder of real photographs and odd files, if this run has it.
fn real_data() -> Option<PathBuf> {
    let folder = env::var_os("KFOOD_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: set KFOOD_REAL_DATA");
    }
    folder
}

#[test]
fn odd_files_are_taken_or_refused_as_expected() {
    let Some(folder) = real_data() else { return };
    let folder = folder.join("odd_images");
    let mut table = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .from_reader(File::open(folder.join("manifest.tsv")).unwrap());
    let (mut wrong, mut rows) = (Vec::new(), 0);
    let mut resampler = Resampler::new(preprocess(224, "").pixels);
    for row in table.records() {
        let row = row.unwrap();
        let (name, expected) = (&row[0], &row[2]);
        let bytes = fs::read(folder.join(name)).unwrap();
        let (found, start) = (decode(&bytes), Instant::now());
        let resized = resampler.decode(&bytes, None);
        rows += 1;
        if resized.is_ok() != found.is_ok() || start.elapsed() > Duration::from_secs(5) {
            let took = start.elapsed();
            wrong.push(format!("{name}: as a row {:?} in {took:?}", resized.err()));
        }
        let told = match &found {
            Ok(image) => format!("{}x{}", image.width(), image.height()),
            Err(why) => why.to_string(),
        };
        println!("{name}: {expected}: {told}");
        let met = match expected.split([' ', ':', '+']).next().unwrap() {
            "error" => found.is_err(),
            "accept" => found.is_ok() || expected.contains("or error"),
            _ => true,
        };
        let words = match expected.split_once("error: ") {
            Some((_, "size limit")) => "size limit",
            Some((_, "LFS pointer")) => "LFS pointer",
            Some((_, "empty file")) => "empty file",
            Some((_, "not an image")) => "not an image",
            _ => "",
        };
        let upright = !name.starts_with("exif/Landscape") || told == "1800x1200";
        if !met || !told.contains(words) || !upright {
            wrong.push(format!("{name}: expected {expected}, found {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows, 82);
}

#[test]
fn real_photographs_become_a_pack() {
    let Some(folder) = real_data() else { return };
    let folder = folder.join("korean_transfer7");
    let root = tempfile::tempdir().unwrap();
    let (root, stop) = (root.path(), Stop::default());
    let settings = folders(&folder.join("train"), Some(&folder.join("test")));
    run(
        &stages::DatasetStage::new("d", &settings),
        &[],
        &root.join("d"),
        &stop,
    )
    .unwrap();
    let stage = stages::PreprocessStage::new("p", &preprocess(96, ""), &settings);
    run(
        &stage,
        &[("images", root.join("d/images.json"))],
        &root.join("p"),
        &stop,
    )
    .unwrap();
    let pack = Pack::open(&root.join("p/pixels.pack")).unwrap();
    let labels: Labels = read_json(&root.join("d/labels.json")).unwrap();
    assert_eq!((pack.len(), labels.classes.len()), (698, 7));
    let rows: Vec<_> = (0..pack.len()).collect();
    let found = pack.mean_std(&rows).unwrap();
    assert!(
        found.mean.iter().all(|m| (0.2..0.8).contains(m)),
        "{found:?}"
    );
    assert!(
        found.std.iter().all(|s| (0.1..0.4).contains(s)),
        "{found:?}"
    );
}
