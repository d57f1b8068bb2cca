//! `kfood predict`: photographs from wherever they are, and what speaks for a guess.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::{
    layouts::{Names, zip_of},
    support::{Project, Ran},
};

const TRAINING: &str = r#"
[dataset.dishes]
train = "data/train"

[split.holdout]
dataset = "dishes"

[preprocess.pixels]
dataset = "dishes"
resize = { width = 32, height = 32 }

[train.net]
data = "pixels"
split = "holdout"
arch = "resnet18"
epochs = 1
batch_size = 8
optimizer.sgd = { lr = 0.01 }
augment = [{ center_crop = 30 }]
"#;

/// A second network that sees photographs in another size, and both as one.
const TWO_FORMS: &str = r#"
[preprocess.small]
dataset = "dishes"
resize = { width = 16, height = 16 }

[train.other]
data = "small"
split = "holdout"
arch = "resnet18"
epochs = 1
batch_size = 8
optimizer.sgd = { lr = 0.01 }

[ensemble.both]
from = ["net", "other"]
"#;

fn trained() -> Project {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", TRAINING);
    project.ok(&["run", "pipelines/p.toml", "--device", "cpu"]);
    project
}

fn predict(project: &Project, args: &[&str]) -> Ran {
    let model = "pipelines/p.toml:net";
    project.kfood(&[&["predict", "--model", model, "--device", "cpu"], args].concat())
}

/// The guesses for each image, in their order.
fn guesses(ran: &Ran) -> Vec<Value> {
    let rows: Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["guesses"].clone()).collect()
}

#[test]
fn photographs_are_guessed_alike_wherever_they_are_and_what_speaks_for_a_guess_is_drawn() {
    let project = trained();
    from_a_folder_a_pattern_a_zip_and_a_list(&project);
    what_is_not_there_is_told(&project);
    what_speaks_for_a_guess_is_drawn(&project);
}

fn from_a_folder_a_pattern_a_zip_and_a_list(project: &Project) {
    let folder = guesses(&predict(project, &["data/test", "--json"]));
    assert_eq!(folder.len(), 12);

    for pattern in ["data/test/**/*.png", "data/test/*/0[0-9]?.png"] {
        assert_eq!(guesses(&predict(project, &[pattern, "--json"])), folder);
    }
    // A name that is no UTF-8 is one too, below folders and links as well.
    let odd = project.path("data/odd");
    fs::create_dir_all(&odd).unwrap();
    let image = project
        .path("data/test")
        .read_dir()
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let image = image.read_dir().unwrap().next().unwrap().unwrap().path();
    fs::copy(image, odd.join(OsStr::from_bytes(b"\xff.png"))).unwrap();
    for pattern in ["data/odd/*.png", "data/o*/?.png", "data/**/[!0-9].png"] {
        let ran = predict(project, &[pattern, "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 1, "{pattern}");
    }
    fs::remove_dir_all(odd).unwrap();
    // Whichever spelling of Hangul the disk and the pattern have.
    let decomposed: String = "data/test/김*/*.png".nfd().collect();
    let some = guesses(&predict(project, &[&decomposed, "--json"]));
    assert!(!some.is_empty() && some.iter().all(|one| folder.contains(one)));

    let mut files = Vec::new();
    let mut list = "label,path\n".to_owned();
    for ran in [predict(project, &["data/test", "--json"])] {
        let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
        for row in rows.as_array().unwrap() {
            let path = row["path"].as_str().unwrap();
            let (_, below) = path.split_once("data/test/").unwrap();
            files.push((below.to_owned(), fs::read(path).unwrap()));
            list += &format!("?,test/{below}\n");
        }
    }
    files.push(("notes.txt".to_owned(), b"none".to_vec()));
    fs::write(project.path("test.zip"), zip_of(&files, Names::Flagged)).unwrap();
    project.write("data/list.csv", &list);
    let zip = predict(project, &["test.zip", "--json"]);
    assert_eq!(guesses(&zip), folder, "{}", zip.stderr);
    assert!(
        zip.stderr.contains("passed over 1 entry: 1"),
        "{}",
        zip.stderr
    );
    let rows: Value = serde_json::from_str(&zip.stdout).unwrap();
    let path = rows[0]["path"].as_str().unwrap();
    assert!(
        path.contains("/test.zip/") && path.ends_with(".png"),
        "{path}"
    );
    // A folder of nothing but zips is what they hold, as for a data set.
    fs::create_dir_all(project.path("zips/more")).unwrap();
    for (zip, files) in [("a", &files[..5]), ("more/b", &files[5..])] {
        let zip = project.path(&format!("zips/{zip}.zip"));
        fs::write(zip, zip_of(files, Names::Flagged)).unwrap();
    }
    let zips = predict(project, &["zips", "--json"]);
    assert_eq!(guesses(&zips), folder, "{}", zips.stderr);
    let listed = predict(project, &["data/list.csv", "--json"]);
    assert_eq!(guesses(&listed), folder);
    // A list that lies where one is, of whole paths, one of them as an address.
    let root = project.path("data/").canonicalize().unwrap();
    let whole = list.replace("?,test/", &format!("?,{}/test/", root.display()));
    let whole = whole.replacen("?,/", "?,file:///", 1);
    project.write("whole.csv", &whole);
    let listed = predict(project, &["whole.csv", "--json"]);
    assert_eq!(guesses(&listed), folder, "{}", listed.stderr);

    // What is named twice is classified once, and said.
    let twice = predict(project, &["data/test", "data/list.csv", "--json"]);
    assert_eq!(guesses(&twice), folder);
    assert!(
        twice.stderr.contains("12 images are named once more"),
        "{}",
        twice.stderr
    );
    let over = predict(project, &["data/list.csv", "-o", "data/list.csv"]);
    assert!(
        over.code == 2 && over.stderr.contains("is what was read"),
        "{}",
        over.stderr
    );
}

fn what_is_not_there_is_told(project: &Project) {
    let told = |args: &[&str]| predict(project, args).stderr;
    let none = told(&["data/test/**/*.JPG"]);
    assert!(
        none.contains("no file matches `data/test/**/*.JPG`"),
        "{none}"
    );
    let sign = told(&["data/no\tfile.png"]);
    assert!(
        sign.contains("`data/no\\tfile.png` holds a control character, and nothing is there"),
        "{sign}"
    );
    // One that is there is a photograph like others.
    let mut photographs = fs::read_dir(project.path("data/test/김밥")).unwrap();
    let photograph = photographs.next().unwrap().unwrap().path();
    fs::copy(photograph, project.path("data/a\tfile\n.png")).unwrap();
    let ran = predict(project, &["data/a\tfile\n.png"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut command = project.command(&["predict", "--model", "pipelines/p.toml:net", "data/test"]);
    let ran = Ran::of(command.env("TMPDIR", "nowhere").output().unwrap());
    assert!(
        ran.code == 1
            && ran
                .stderr
                .contains("let `TMPDIR` name a folder that can be written"),
        "{}",
        ran.stderr
    );
    let broken = told(&["data/[x"]);
    assert!(broken.contains("`data/[x` is no pattern"), "{broken}");
    project.write("data/list.csv", "file,label\na.png,x\n");
    let column = told(&["data/list.csv"]);
    assert!(
        column.contains("has no column `path`, only `file`, `label`"),
        "{column}"
    );
    project.write("data/list.csv", "path\ntest/nothing.png\n");
    let row = told(&["data/list.csv"]);
    assert!(row.contains("line 2: no file `test/nothing.png`"), "{row}");
}

fn what_speaks_for_a_guess_is_drawn(project: &Project) {
    project.write("bad.png", "no image");
    let ran = predict(
        project,
        &["bad.png", "data/test", "--cam", "cam", "-o", "out.csv"],
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("cam: written, 12 pictures"),
        "{}",
        ran.stderr
    );
    let table = project.read("out.csv");
    let mut rows = table.lines();
    assert!(rows.next().unwrap().ends_with(",cam"));
    assert!(rows.next().unwrap().ends_with(','), "{table}");
    for row in rows {
        let (_, cam) = row.rsplit_once(',').unwrap();
        let picture = image::open(project.path(cam)).unwrap();
        assert_eq!((picture.width(), picture.height()), (30, 30));
    }
    let inside = predict(project, &["data/test", "--cam", "data/test/cam"]);
    assert!(
        inside.code == 2 && inside.stderr.contains("would be taken for photographs"),
        "{}",
        inside.stderr
    );
}

#[test]
fn an_ensemble_whose_models_see_photographs_in_two_sizes_leaves_a_cut_one_out_of_both() {
    let project = Project::with_dishes();
    project.write("pipelines/p.toml", &format!("{TRAINING}{TWO_FORMS}"));
    project.ok(&["run", "pipelines/p.toml", "--device", "cpu"]);
    let both = |images: &[&str]| {
        let asked = ["predict", "--model", "pipelines/p.toml:both", "--json"];
        project.kfood(&[&asked, images].concat())
    };
    let good = guesses(&both(&["data/test"]));
    assert_eq!(good.len(), 12);

    let whole = image::open(project.path("data/test/김밥/000.png")).unwrap();
    whole.save(project.path("cut.jpg")).unwrap();
    let bytes = fs::read(project.path("cut.jpg")).unwrap();
    fs::write(project.path("cut.jpg"), &bytes[..bytes.len() - 60]).unwrap();
    let ran = both(&["cut.jpg", "data/test"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(rows[0]["error"].is_string(), "{}", rows[0]);
    assert_eq!(guesses(&ran)[1..], good);
}
