//! What stages left: mistakes with their photographs, and outputs by name.

use std::fs;

use image::{Rgb, RgbImage};

use super::{FILE, small};
use crate::support::Project;

/// Of trainings that move no weight, so that there are mistakes.
fn mistaken() -> Project {
    let project = small();
    project.edit(FILE, "lr = 0.001", "lr = 0.000000001");
    project.ok(&["run", FILE]);
    project
}

#[test]
fn mistakes_are_listed_the_most_confident_first_and_drawn_from_the_photographs() {
    let project = mistaken();
    let stage = format!("{FILE}:transferred");
    let told = project.json(&["mistakes", &stage, "--sheet", "wrong"]);
    assert_eq!(
        (&told["part"], &told["images"]),
        (&"test".into(), &12.into())
    );
    let mistakes = told["mistakes"].as_array().unwrap();
    let predictions = project.ok(&["show", &stage, "predictions.csv"]).stdout;
    let wrong = predictions.lines().filter(|line| line.contains(",false,"));
    assert_eq!(mistakes.len(), wrong.count());
    assert_eq!(told["wrong"], mistakes.len());
    assert!(!mistakes.is_empty(), "a mistake is needed to look at one");
    let sure: Vec<f64> = mistakes
        .iter()
        .map(|m| m["probability"].as_f64().unwrap())
        .collect();
    assert!(sure.windows(2).all(|w| w[0] >= w[1]), "{sure:?}");
    for mistake in mistakes {
        let path = mistake["path"].as_str().unwrap();
        assert_eq!(mistake["file"], format!("data/{path}"));
        assert_ne!(mistake["label"], mistake["predicted"]);
        let of_label = mistake["label_probability"].as_f64().unwrap();
        assert!(of_label < mistake["probability"].as_f64().unwrap());
        assert!(predictions.contains(path));
    }
    let sheet = image::open(project.path("wrong/mistakes-1.png"))
        .unwrap()
        .into_rgb8();
    // In the middle of its cell of 128 pixels stands the photograph.
    let at = sheet.get_pixel(4 + 64, 4 + 64).0;
    assert_ne!(at, [255; 3]);
    let captions = image::imageops::crop_imm(&sheet, 4, 4 + 128, 128, 36).to_image();
    assert!(captions.pixels().filter(|p| p.0 == [0; 3]).count() > 50);
}

#[test]
fn mistakes_are_asked_of_an_evaluation_and_of_a_part_that_it_was_made_on() {
    let project = mistaken();
    let stage = format!("{FILE}:transferred");
    let none = project
        .fails(2, &["mistakes", &stage, "--part", "train"])
        .stderr;
    assert!(
        none.contains("was not evaluated on `train`") && none.contains("`test`"),
        "{none}"
    );
    let kind = project
        .fails(2, &["mistakes", &format!("{FILE}:net")])
        .stderr;
    assert!(
        kind.contains("is of kind `train`, expected `evaluate`"),
        "{kind}"
    );
    let inside = project
        .fails(2, &["mistakes", &stage, "--sheet", "data/test"])
        .stderr;
    assert!(
        inside.contains("would be taken for a photograph"),
        "{inside}"
    );
    let one = project.ok(&["mistakes", &stage, "--limit", "1"]).stdout;
    assert!(
        one.contains("images of test") && one.contains("more: `--limit`"),
        "{one}"
    );
    let photographs = one.lines().filter(|line| line.contains("data/test/"));
    assert_eq!(photographs.count(), 1, "{one}");
}

#[test]
fn a_data_set_is_drawn_from_its_photographs_with_the_names_of_classes() {
    let project = small();
    project.ok(&["data", FILE, "--sheet", "seen", "--samples", "3"]);
    let sheet = image::open(project.path("seen/pixels-samples.png"))
        .unwrap()
        .into_rgb8();
    // Three lines with a name of 18 pixels above photographs of 128.
    assert_eq!(sheet.dimensions(), (4 + 3 * 132, 4 + 3 * (18 + 128 + 4)));
    let dark = |y: u32| {
        let name = image::imageops::crop_imm(&sheet, 4, y, 128, 18).to_image();
        name.pixels().filter(|p| p.0 == [0; 3]).count()
    };
    let names: Vec<_> = (0..3).map(|line| dark(4 + line * 150)).collect();
    assert!(
        names.iter().all(|n| *n > 20) && names[0] != names[2],
        "{names:?}"
    );
}

#[test]
fn a_sheet_of_a_data_set_shows_more_of_a_photograph_than_its_pack_holds() {
    let project = Project::new();
    // Stripes that a sheet of 128 pixels has room for, and a pack of 32 has not.
    let stripes = RgbImage::from_fn(256, 256, |x, _| Rgb([255 * (x / 6 % 2) as u8; 3]));
    for name in ["a", "b"] {
        fs::create_dir_all(project.path(&format!("data/{name}"))).unwrap();
        stripes
            .save(project.path(&format!("data/{name}/1.png")))
            .unwrap();
    }
    project.write(FILE, "[dataset.d]\ntrain = \"data\"\n[preprocess.pixels]\ndataset = \"d\"\nresize = { width = 32, height = 32 }\n");
    project.ok(&["data", FILE, "--sheet", "seen"]);
    let sheet = image::open(project.path("seen/pixels-samples.png"))
        .unwrap()
        .into_luma8();
    let row: Vec<u8> = (20..110)
        .map(|x| sheet.get_pixel(4 + x, 4 + 18 + 64).0[0])
        .collect();
    let contrast = row.iter().max().unwrap() - row.iter().min().unwrap();
    assert!(contrast > 180, "{row:?}");
}

#[test]
fn outputs_of_a_stage_are_named_printed_and_found_on_disk() {
    let project = small();
    let split = format!("{FILE}:holdout");
    let early = project.fails(1, &["show", &split]).stderr;
    assert!(early.contains("no finished result"), "{early}");
    project.ok(&["run", FILE, "holdout", "pixels"]);
    let list = project.ok(&["show", &split]).stdout;
    assert!(
        list.contains("membership.json") && list.contains("in cache/entries/"),
        "{list}"
    );
    let rows = project.json(&["show", &split]);
    let path = rows["outputs"][0]["path"].as_str().unwrap().to_owned();
    let name = rows["outputs"][0]["name"].as_str().unwrap().to_owned();
    let printed = project.ok(&["show", &split, &name]).stdout;
    assert_eq!(printed, fs::read_to_string(&path).unwrap());
    let pack = project.command(&["show", &format!("{FILE}:pixels"), "pixels.pack"]);
    let pack = { pack }.output().unwrap().stdout;
    let on_disk = project.json(&["show", &format!("{FILE}:pixels")]);
    let size = on_disk["outputs"].as_array().unwrap().iter();
    let size = { size }.find(|o| o["name"] == "pixels.pack").unwrap()["bytes"].clone();
    assert_eq!(pack.len(), size);
    let unknown = project.fails(2, &["show", &split, "slit.json"]).stderr;
    assert!(unknown.contains("has no output `slit.json`") && unknown.contains("`membership.json`"));
    let explained = project.ok(&["explain", FILE, "holdout"]).stdout;
    let folder = list.lines().last().unwrap();
    assert!(explained.contains(folder.trim()), "{explained}\n{folder}");
}
