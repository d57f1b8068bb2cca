//! From folders and lists to a list, a split and a pack, and what stops the way.

use std::{fs, path::Path};

use kfood::{
    config,
    data::{Pack, Place, Resampler, decode_resized},
    error::Class,
    event::StageEvent,
    files::read_json,
    record::{Images, Labels, Part, Split},
    stage::Stage,
    stages,
    stop::Stop,
};

use super::{dataset, folders, jpeg, line, preprocess, put, run, small_set, split};

/// Lists a data set to the folder `d`; what was told.
#[track_caller]
fn listed(root: &Path, settings: &config::Dataset) -> Vec<StageEvent> {
    let stage = stages::DatasetStage::new("d", settings);
    run(&stage, &[], &root.join("d"), &Stop::default()).unwrap()
}

#[test]
fn folders_become_a_list_of_images_with_their_parts_and_classes() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let settings = small_set(root);
    put(root, "train/notes.txt", b"hello");
    let told = listed(root, &settings);
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
}

#[test]
fn a_list_is_split_by_a_fifth_where_nothing_is_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    listed(root, &small_set(root));
    let split = stages::SplitStage::new("s", &split("", false));
    assert_eq!(
        split.settings(),
        serde_json::json!({ "validation": 0.2, "seed": 3 })
    );
    let from = [("labels", root.join("d/labels.json"))];
    run(&split, &from, &root.join("s"), &Stop::default()).unwrap();
    let split: Split = read_json(&root.join("s/membership.json")).unwrap();
    assert_eq!(split.assignments.len(), 8);
}

#[test]
fn the_images_of_a_list_become_the_rows_of_a_pack() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let settings = small_set(root);
    listed(root, &settings);
    let stage = stages::PreprocessStage::new("p", &preprocess(16, ""), &settings);
    let from = [("images", root.join("d/images.json"))];
    let told = run(&stage, &from, &root.join("p"), &Stop::default()).unwrap();
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
    let mut resampler = Resampler::new(preprocess(16, "").pixels);
    let last = Place::File(root.join("test/잡채/9.jpg"));
    let last = decode_resized(&mut resampler, &last);
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
