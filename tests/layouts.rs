//! The shapes in which people have photographs: AI Hub trees, zips, lists, and parts that are given.

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};

use encoding_rs::EUC_KR;
use kfood::{
    config,
    data::Pack,
    files::{Listed, read_json},
    record::{Crop, Images, Labels, Part},
    stage::Stage,
    stages::{DatasetStage, PreprocessStage},
    stop::Stop,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    data::{dataset, folders, jpeg, line, preprocess, put, run},
    support::Project,
};

/// How the names of a zip are written.
#[derive(Clone, Copy)]
pub enum Names {
    /// UTF-8, and the flag says so.
    Flagged,
    /// UTF-8 without the flag.
    Plain,
    /// As Korean Windows writes them.
    Cp949,
    /// Decomposed UTF-8, as macOS writes them.
    Decomposed,
}

/// A zip of these files, deflated and stored in turn.
pub fn zip_of(files: &[(String, Vec<u8>)], names: Names) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut patches = Vec::new();
    for (i, (name, bytes)) in files.iter().enumerate() {
        let method = [CompressionMethod::Deflated, CompressionMethod::Stored][i % 2];
        let options = SimpleFileOptions::default().compression_method(method);
        let raw = match names {
            Names::Flagged => None,
            Names::Plain => Some(name.as_bytes().to_vec()),
            Names::Cp949 => Some(EUC_KR.encode(name).0.into_owned()),
            Names::Decomposed => Some(decomposed(name).into_bytes()),
        };
        match raw {
            None => zip.start_file(name.as_str(), options).unwrap(),
            Some(raw) => {
                // Written under a stand-in of the same length, since the writer knows UTF-8 only.
                let stand_in = format!("{:~<width$}", format!("@{i:03}@"), width = raw.len());
                zip.start_file(stand_in.as_str(), options).unwrap();
                patches.push((stand_in.into_bytes(), raw));
            }
        }
        zip.write_all(bytes).unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    for (stand_in, raw) in patches {
        let places: Vec<_> = (0..bytes.len() - stand_in.len())
            .filter(|at| bytes[*at..].starts_with(&stand_in))
            .collect();
        assert_eq!(places.len(), 2);
        for at in places {
            bytes[at..at + raw.len()].copy_from_slice(&raw);
        }
    }
    bytes
}

/// Precomposed syllables as their letters.
fn decomposed(name: &str) -> String {
    let mut letters = String::new();
    for sign in name.chars() {
        let code = sign as u32;
        if !(0xAC00..0xD7A4).contains(&code) {
            letters.push(sign);
            continue;
        }
        let of = code - 0xAC00;
        letters.extend(
            [0x1100 + of / 588, 0x1161 + of % 588 / 28].map(|c| char::from_u32(c).unwrap()),
        );
        if !of.is_multiple_of(28) {
            letters.push(char::from_u32(0x11A7 + of % 28).unwrap());
        }
    }
    letters
}

/// Two classes in two major classes, with what AI Hub puts beside them.
fn kfood() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (major, class, number) in [("구이", "갈비구이", 0), ("만두_국", "떡국_만두국", 7)]
    {
        let folder = format!("{major}/{class}");
        for i in 0..5_u8 {
            let name = format!("{folder}/Img_{number:03}_{i:04}.jpg");
            files.push((name, jpeg([40 * i, 10 * number as u8, 99])));
        }
        let key = |i: u32| format!("Img_{number:03}_{i:04}");
        let areas = format!(
            "{}=5,6,20,10\n\n{}=dissimilar,30,20\nnothing here\nimg_{number:03}_0002=,8,9\r\n{}=1,1,0,4\n{}=1,2,3,4\n",
            key(0),
            key(1),
            key(3),
            key(99),
        );
        files.push((format!("{folder}/crop_area.properties"), areas.into_bytes()));
        let urls = format!(
            "no,name,url\n1,{}.jpg,http://a.kr/1\n2,{},http://a.kr/1\n3,{}.jpg,http://b.kr/{number}\n",
            key(0),
            key(1),
            key(2)
        );
        files.push((format!("{folder}/org_url.csv"), urls.into_bytes()));
        files.push((format!("{folder}/.DS_Store"), b"x".to_vec()));
    }
    files
}

fn unpack(files: &[(String, Vec<u8>)], folder: &Path) {
    for (name, bytes) in files {
        put(folder, name, bytes);
    }
}

fn of_train(path: &Path) -> config::Dataset {
    dataset(&(line("train", path) + "crop = \"area\"\n"))
}

/// The images and labels of a data set, and what was told.
fn listed(settings: &config::Dataset, out: &Path) -> (Images, Labels, String) {
    let told = run(
        &DatasetStage::new("d", settings),
        &[],
        out,
        &Stop::default(),
    )
    .unwrap();
    let read = |name: &str| out.join(name);
    (
        read_json(&read("images.json")).unwrap(),
        read_json(&read("labels.json")).unwrap(),
        format!("{told:?}"),
    )
}

fn refused(settings: &config::Dataset, out: &Path) -> String {
    run(
        &DatasetStage::new("d", settings),
        &[],
        out,
        &Stop::default(),
    )
    .unwrap_err()
    .to_string()
}

fn packed(settings: &config::Dataset, root: &Path) -> Vec<Vec<u8>> {
    let stage = PreprocessStage::new("p", &preprocess(8, ""), settings);
    let (images, out) = (root.join("images.json"), root.join("pack"));
    run(&stage, &[("images", images)], &out, &Stop::default()).unwrap();
    let pack = Pack::open(&out.join("pixels.pack")).unwrap();
    (0..pack.len())
        .map(|i| pack.row(i).unwrap().into_owned())
        .collect()
}

#[test]
fn an_ai_hub_tree_gives_classes_boxes_and_addresses() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    unpack(&kfood(), &root.join("kfood"));
    let settings = of_train(&root.join("kfood"));
    let (images, labels, told) = listed(&settings, &root.join("d"));
    assert_eq!(labels.classes, ["갈비구이", "떡국_만두국"]);
    let images = images.images;
    assert_eq!(images[5].path, "train/만두_국/떡국_만두국/Img_007_0000.jpg");
    let crop = |x, y, width, height| {
        Some(Crop {
            x,
            y,
            width,
            height,
        })
    };
    let crops: Vec<_> = images[5..].iter().map(|i| i.crop).collect();
    assert_eq!(
        crops,
        [
            crop(5, 6, 20, 10),
            crop(0, 0, 30, 20),
            crop(0, 0, 8, 9),
            None,
            None
        ]
    );
    for part in [
        "the boxes of 6 images are cut out, 4 images have none and are used whole",
        "2 boxes are of no image",
        "4 lines give none: 2 with an empty box, 2 without `=`",
        "2 hidden",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let same = [Some(0), Some(0), Some(1), None, None];
    assert_eq!(labels.sources[..5], same);
    assert_eq!(labels.sources[5..], [Some(0), Some(0), Some(2), None, None]);
    assert!(labels.groups.is_empty() && labels.validation.is_empty());

    // What was read is an input, and cutting is a setting.
    let stage = DatasetStage::new("d", &settings);
    let files = stage.files("train").unwrap();
    let names: Vec<_> = files.iter().map(Listed::name).collect();
    assert_eq!(names.len(), 14);
    assert!(names.contains(&"train/구이/갈비구이/crop_area.properties".to_owned()));
    assert!(names.contains(&"train/구이/갈비구이/org_url.csv".to_owned()));
    let whole = folders(&root.join("kfood"), None);
    let stage = DatasetStage::new("d", &whole);
    assert_eq!(stage.files("train").unwrap().len(), 12);
    assert_eq!(stage.settings(), serde_json::json!({}));
    let (images, _, told) = listed(&whole, &root.join("d"));
    assert!(images.images.iter().all(|i| i.crop.is_none()));
    assert!(told.contains("2 `.properties`"), "{told}");
}

#[test]
fn a_zip_gives_the_pack_of_its_folder_however_its_names_are_written() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    unpack(&kfood(), &root.join("kfood"));
    let settings = of_train(&root.join("kfood"));
    let (images, labels, _) = listed(&settings, root);
    let rows = packed(&settings, root);
    for names in [
        Names::Flagged,
        Names::Plain,
        Names::Cp949,
        Names::Decomposed,
    ] {
        fs::write(root.join("kfood.zip"), zip_of(&kfood(), names)).unwrap();
        let settings = of_train(&root.join("kfood.zip"));
        let (of_zip, labels_of_zip, _) = listed(&settings, root);
        assert_eq!((of_zip, &labels_of_zip), (images.clone(), &labels));
        assert_eq!(packed(&settings, root), rows);
        let files = DatasetStage::new("d", &settings).files("train").unwrap();
        let files: Vec<_> = files.iter().map(Listed::name).collect();
        assert_eq!(files, ["train.zip"]);
    }
}

#[test]
fn a_folder_of_zips_is_read_in_place_and_a_zip_beside_images_is_passed_over() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for major in ["구이", "만두_국"] {
        let files: Vec<_> = kfood()
            .into_iter()
            .filter_map(|(name, bytes)| {
                let below = name.strip_prefix(&format!("{major}/"))?.to_owned();
                Some((below, bytes))
            })
            .collect();
        put(
            root,
            &format!("zips/{major}.zip"),
            &zip_of(&files, Names::Cp949),
        );
    }
    unpack(&kfood(), &root.join("kfood"));
    let (images, labels, _) = listed(&of_train(&root.join("kfood")), root);
    let settings = of_train(&root.join("zips"));
    let (of_zips, labels_of_zips, _) = listed(&settings, root);
    assert_eq!((of_zips, labels_of_zips), (images, labels));
    let files = DatasetStage::new("d", &settings).files("train").unwrap();
    let files: Vec<_> = files.iter().map(Listed::name).collect();
    assert_eq!(files, ["train/구이.zip", "train/만두_국.zip"]);

    fs::copy(root.join("zips/구이.zip"), root.join("kfood/구이.zip")).unwrap();
    let (images, _, told) = listed(&of_train(&root.join("kfood")), root);
    assert_eq!(images.images.len(), 10);
    assert!(told.contains("1 `.zip`"), "{told}");
}

#[test]
fn a_zip_for_each_class_may_hold_a_folder_of_its_name() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for class in ["김밥", "a", "2024"] {
        let files: Vec<_> = (0..2)
            .map(|i| (format!("{class}/{i}.jpg"), jpeg([90 * i, 9, 9])))
            .collect();
        let zip = zip_of(&files, Names::Flagged);
        put(root, &format!("zips/{class}.zip"), &zip);
    }
    let (_, labels, told) = listed(&of_train(&root.join("zips")), root);
    assert_eq!(labels.classes, ["2024", "a", "김밥"]);
    assert!(!told.contains("class = "), "{told}");
}

#[test]
fn a_zip_that_cannot_be_used_says_why() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let at = root.join("kfood.zip");
    let error = |bytes: &[u8]| {
        fs::write(&at, bytes).unwrap();
        refused(&of_train(&at), root)
    };
    let zip = zip_of(&kfood(), Names::Flagged);
    assert!(error(&zip[..zip.len() - 100]).contains("is no whole zip archive"));
    assert!(error(b"").contains("is no whole zip archive"));
    let nested = [("구이.zip".to_owned(), zip.clone())];
    assert!(error(&zip_of(&nested, Names::Flagged)).contains("`구이.zip`"));
    let stray = [("1.jpg".to_owned(), jpeg([1, 2, 3]))];
    assert!(error(&zip_of(&stray, Names::Flagged)).contains("no class"));
    let mut secret = zip;
    let directory = secret.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    secret[directory + 8] |= 1;
    assert!(error(&secret).contains("`구이/갈비구이/Img_000_0000.jpg`"));
    fs::remove_file(&at).unwrap();
    let error = refused(&of_train(&at), root);
    assert!(
        error.contains("p.toml:2") && error.contains("the zip `") && error.contains("` is missing")
    );
}

#[test]
fn the_camp_s_folders_are_classes_at_any_depth() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for class in ["김밥", "떡국_만두국"] {
        let picture = jpeg([class.len() as u8, 2, 3]);
        put(root, &format!("kfood_train/train/{class}/1.jpg"), &picture);
        let class = decomposed(class);
        put(root, &format!("kfood_val/val/{class}/2.jpg"), &picture);
    }
    put(root, "kfood_val/val/desktop.ini", b"x");
    put(root, "kfood_val/__MACOSX/val/._2.jpg", b"x");
    let settings = folders(&root.join("kfood_train"), Some(&root.join("kfood_val")));
    let (images, labels, told) = listed(&settings, root);
    assert_eq!(labels.classes, ["김밥", "떡국_만두국"]);
    assert_eq!(images.images[2].path, "test/val/김밥/2.jpg");
    assert!(told.contains("2 left behind by systems"), "{told}");
}

#[test]
fn a_given_validation_part_is_kept_from_folders_and_from_a_list() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let mut list = "path\tlabel\tsplit\tgroup\n".to_owned();
    for (part, n) in [("train", 3_u8), ("validation", 2), ("test", 1)] {
        for class in ["나", "가"] {
            for i in 0..n {
                let name = format!("{part}/{class}/{i}.jpg");
                put(root, &name, &jpeg([i, n, class.len() as u8]));
                list.push_str(&format!("{name}\t{class}\t{part}\t{}\n", 3 - i));
            }
        }
    }
    let parts = ["train", "validation", "test"].map(|part| line(part, &root.join(part)));
    let settings = dataset(&parts.concat());
    let (images, labels, _) = listed(&settings, root);
    assert_eq!(labels.validation, [6, 7, 8, 9]);
    assert_eq!(images.images[6].path, "validation/가/0.jpg");
    assert_eq!(labels.labels[9].part, Part::Train);
    assert_eq!(labels.labels[10].part, Part::Test);
    assert_eq!(packed(&settings, root).len(), 12);

    put(root, "list.tsv", list.as_bytes());
    let by_list = dataset(&line("manifest", &root.join("list.tsv")));
    let (_, of_list, _) = listed(&by_list, root);
    assert_eq!(
        (&of_list.labels, &of_list.validation),
        (&labels.labels, &labels.validation)
    );
    assert_eq!(of_list.groups[..3], [Some(2), Some(1), Some(0)]);

    fs::remove_dir_all(root.join("validation/나")).unwrap();
    let (_, _, told) = listed(&settings, root);
    assert!(told.contains("no image of one class: `나`"), "{told}");
}

#[test]
fn keys_that_exclude_each_other_are_shown_in_the_pipeline_file() {
    let project = Project::new();
    let check = |fields: &str| {
        project.write("pipelines/p.toml", &format!("[dataset.d]\n{fields}\n"));
        project.fails(2, &["check", "pipelines/p.toml"]).stderr
    };
    let told = check("manifest = \"a.csv\"\nvalidation = \"b\"\ncrop = \"area\"");
    assert!(told.contains("`manifest` beside `validation`"), "{told}");
    assert!(told.contains("`crop` beside `manifest`"), "{told}");
    assert!(check("validation = \"b\"").contains("neither `train` nor `manifest`"));
    assert!(check("train = \"b\"\ncrop = \"box\"").contains("accepted: `area`"));
}
