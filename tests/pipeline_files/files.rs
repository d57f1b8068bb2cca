//! Files that use other files, and paths of data and models.

use std::path::Path;

use kfood::{
    config::{self, ModelSource, Settings},
    error::{Class, Error},
    settings::Normalize,
};

use super::{HEAD, NET, good, ids, instance, load_files, mistakes, net, told};

#[test]
fn a_used_file_keeps_its_seed_and_comes_first() {
    let user =
        "seed = 1\n[use]\nbase = \"below/base.toml\"\n[evaluate.result]\nmodel = \"base.net\"\n";
    let pipeline = load_files(&[("p.toml", user), ("below/base.toml", &net(""))]).unwrap();
    assert_eq!(
        ids(&pipeline),
        [
            "base.dishes",
            "base.pixels",
            "base.holdout",
            "base.five",
            "base.net",
            "result"
        ]
    );
    let Settings::Train(train) = &instance(&pipeline, "base.net").settings else {
        panic!("a train")
    };
    assert_eq!(
        (train.training.seed, train.data.as_str()),
        (7, "base.pixels")
    );
    assert!(instance(&pipeline, "base.net").is_used());
}

#[test]
fn a_file_that_is_used_twice_is_one_file() {
    let user = "[use]\na = \"a.toml\"\nbase = \"base.toml\"\n[select.best]\nfrom = [\"a.base.net\", \"a.more\"]\n[evaluate.result]\nmodel = \"best\"\n";
    let middle = NET
        .replace("train.net", "train.more")
        .replace("pixels", "base.pixels")
        .replace("holdout", "base.holdout");
    let middle = format!("[use]\nbase = \"base.toml\"\n{middle}");
    let files = [
        ("p.toml", user),
        ("a.toml", middle.as_str()),
        ("base.toml", &net("")),
    ];
    let pipeline = load_files(&files).unwrap();
    assert_eq!(
        ids(&pipeline),
        [
            "base.dishes",
            "base.pixels",
            "base.holdout",
            "base.five",
            "base.net",
            "a.more",
            "best",
            "result"
        ]
    );
}

#[test]
fn data_paths_are_relative_to_the_folder_above_pipelines() {
    let pipeline = load_files(&[("pipelines/deep/p.toml", HEAD)]).unwrap();
    let Settings::Dataset(dataset) = &instance(&pipeline, "dishes").settings else {
        panic!("a dataset")
    };
    let train = dataset.train.as_ref().unwrap();
    assert_eq!(train.path, pipeline.root.join("data/train"));
    assert!(pipeline.file.ends_with("pipelines/deep/p.toml"));
    assert_eq!(pipeline.root, pipeline.file.ancestors().nth(3).unwrap());
    assert_eq!((train.location.line, train.location.column), (3, 9));
}

#[test]
fn variables_in_paths_are_filled_in() {
    let text = "[dataset.a]\ntrain = \"${SET}/a\"\ntest = \"${UNSET:-b}/c\"\n";
    let pipeline = good(text);
    let Settings::Dataset(dataset) = &instance(&pipeline, "a").settings else {
        panic!("a dataset")
    };
    assert_eq!(dataset.train.as_ref().unwrap().path, Path::new("/set/a"));
    assert_eq!(dataset.train.as_ref().unwrap().written, "${SET}/a");
    assert_eq!(
        dataset.test.as_ref().unwrap().path,
        pipeline.root.join("b/c")
    );
}

#[test]
fn a_model_file_brings_no_data() {
    let text = format!(
        "{HEAD}[evaluate.theirs]\nmodel = \"models/theirs.pt\"\nnormalize = \"imagenet\"\ndata = \"pixels\"\nsplit = \"holdout\"\n"
    );
    let pipeline = good(&text);
    let Settings::Evaluate(theirs) = &instance(&pipeline, "theirs").settings else {
        panic!("an evaluate")
    };
    let ModelSource::File {
        path,
        normalize,
        classes,
        ..
    } = &theirs.model
    else {
        panic!("a file")
    };
    assert_eq!(path.path, pipeline.root.join("models/theirs.pt"));
    assert_eq!(*normalize, Some(Normalize::Imagenet));
    assert_eq!(*classes, None);
    let bare = format!("{HEAD}[evaluate.theirs]\nmodel = \"models/theirs.pt\"\n");
    assert_eq!(
        told(&bare),
        [
            "14:11 `models/theirs.pt` does not say how its images were normalised",
            "14:11 missing `data` in `evaluate.theirs`",
            "14:11 missing `split` in `evaluate.theirs`",
        ]
    );
}

#[test]
fn files_that_use_each_other_are_refused() {
    let files = [
        ("a.toml", "[use]\nb = \"b.toml\"\n"),
        (
            "b.toml",
            "[use]\na = \"a.toml\"\nc = \"none.toml\"\n[dataset.x]\ntrain = \"x\"\n",
        ),
    ];
    assert_eq!(
        load_files(&files).unwrap_err(),
        r#"error: pipeline files use each other in a circle: `a.toml -> b.toml -> a.toml`
 --> b.toml:2:1
  |
2 | a = "a.toml"
  | ^
  |
  = help: move what both need into a third file

error: cannot read `none.toml`: No such file or directory (os error 2)
 --> b.toml:3:5
  |
3 | c = "none.toml"
  |     ^^^^^^^^^^^
  |
  = help: a path in `[use]` is relative to the file that it stands in
"#
    );
}

#[test]
fn a_used_file_that_is_not_there_is_told_with_the_nearest_name() {
    let files = [
        ("b.toml", "[use]\na = \"mision1.toml\"\n"),
        ("mission1.toml", ""),
        ("other.toml", ""),
    ];
    let told = load_files(&files).unwrap_err();
    assert!(
        told.contains("help: did you mean `mission1.toml`, which lies there?"),
        "{told}"
    );
}

#[test]
fn a_variable_that_is_not_set_is_told_with_the_way_to_set_it() {
    assert_eq!(
        mistakes("[dataset.\"김밥\"]\ntrain = \"사진/${NOPE}/x\"\n"),
        r#"error: the environment variable `NOPE` is not set
 --> p.toml:2:13
  |
2 | train = "사진/${NOPE}/x"
  |               ^^^^^^^
  |
  = help: set it (`export NOPE=/path/to/it`), or give a default: `${NOPE:-data}`
"#
    );
}

#[test]
fn what_is_not_toml_is_told_in_the_same_form() {
    assert_eq!(
        mistakes("[dataset.x]\ntrain = \n"),
        r"error: this is not TOML: string values must be quoted, expected literal string
 --> p.toml:2:9
  |
2 | train = 
  |         ^
"
    );
    assert_eq!(told(""), ["1:1 the file holds no stage"]);
    let text = "trian = 1\nuse = 3\nsplit.dataset = \"x\"\n[preprocess.\"a.b\"]\n";
    assert_eq!(
        told(text),
        [
            "1:1 unknown key `trian`",
            "2:1 `use` is not a table of files",
            "3:7 `dataset` stands in `split` itself, not in a stage",
            "4:13 `a.b` is not a name: expected letters of any script, digits, `_` and `-`",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_in_the_same_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    let mistakes = config::load(&path).unwrap_err();
    let expected = format!(
        "cannot read `{}`: No such file or directory (os error 2)",
        path.display()
    );
    assert_eq!(mistakes.rows()[0].message, expected);
    std::fs::write(&path, b"# \xff\n").unwrap();
    let mistakes = config::load(&path).unwrap_err();
    let row = &mistakes.rows()[0];
    assert_eq!((row.line, row.column), (Some(1), Some(3)));
    assert_eq!(row.message, "the file is not UTF-8 text");
}

#[test]
fn mistakes_are_the_users_move_and_have_a_form_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, "[dataset.x]\n").unwrap();
    let mistakes = config::load(&path).unwrap_err();
    let row = serde_json::to_value(mistakes.rows()).unwrap();
    assert_eq!(row[0]["line"], 1);
    assert_eq!(row[0]["column"], 10);
    assert!(row[0]["help"].as_str().unwrap().starts_with("give `train`"));
    assert_eq!(Error::from(mistakes).class(), Class::Usage);
}

#[test]
fn a_later_error_can_point_to_a_place() {
    let pipeline = good(HEAD);
    let Settings::Dataset(dataset) = &instance(&pipeline, "dishes").settings else {
        panic!("a dataset")
    };
    let mut location = dataset.train.as_ref().unwrap().location.clone();
    location.file = "p.toml".into();
    assert_eq!(
        location.render(
            "no folder `data/train`",
            Some("put one folder per class there")
        ),
        r#"error: no folder `data/train`
 --> p.toml:3:9
  |
3 | train = "data/train"
  |         ^^^^^^^^^^^^
  |
  = help: put one folder per class there"#
    );
}
