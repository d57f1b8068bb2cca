//! Odd files and real photographs.

use std::{
    fs::{self, File},
    time::{Duration, Instant},
};

use kfood::{
    data::{Pack, Resampler, decode},
    files::read_json,
    record::Labels,
    stages,
    stop::Stop,
};

use super::{folders, preprocess, run};
use crate::support::real_photographs;

#[test]
#[ignore = "needs photographs in KFOOD_REAL_DATA: `-- --ignored real_photographs`"]
fn odd_files_are_taken_or_refused_as_expected() {
    let folder = real_photographs().join("odd_images");
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
#[ignore = "needs photographs in KFOOD_REAL_DATA: `-- --ignored real_photographs`"]
fn real_photographs_become_a_pack() {
    let folder = real_photographs().join("korean_transfer7");
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
