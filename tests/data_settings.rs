//! The settings of datasets, preprocess stages and splits in pipeline files.

use kfood::{
    config::{ModelSource, Preprocess, Settings, Split},
    settings::{Fit, GroupBy, Leaks, Quality, Resize, Storage, Unreadable},
};

use super::pipeline_files::{HEAD, good, instance, told};

fn preprocess(text: &str) -> Preprocess {
    let text = format!("[dataset.d]\ntrain = \"t\"\n[preprocess.p]\ndataset = \"d\"\n{text}\n");
    match &instance(&good(&text), "p").settings {
        Settings::Preprocess(settings) => settings.clone(),
        other => panic!("{other:?}"),
    }
}

fn split(text: &str) -> Split {
    match &instance(
        &good(&format!("{HEAD}[split.s]\ndataset = \"dishes\"\n{text}\n")),
        "s",
    )
    .settings
    {
        Settings::Split(settings) => settings.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_preprocess_has_forms_of_resize_and_defaults() {
    let plain = preprocess("resize = { width = 64, height = 48 }");
    assert_eq!(
        (plain.pixels.resize.width(), plain.pixels.resize.height()),
        (64, 48)
    );
    assert_eq!(plain.pixels.quality, Quality::Fast);
    assert_eq!(
        (plain.unreadable, plain.storage),
        (Unreadable::Fail, Storage::Raw)
    );

    let cut = preprocess(
        "resize = { short_side = 64, crop = 56 }\nquality = \"exact\"\nunreadable = \"drop\"\nstorage = \"jpeg\"",
    );
    assert_eq!(
        (cut.pixels.resize.width(), cut.pixels.resize.height()),
        (56, 56)
    );
    assert_eq!(cut.pixels.quality, Quality::Exact);
    assert_eq!(
        (cut.unreadable, cut.storage),
        (Unreadable::Drop, Storage::Jpeg)
    );

    let padded = preprocess("resize = { width = 64, height = 64, fit = \"pad\" }");
    assert!(matches!(
        padded.pixels.resize,
        Resize::Sides { fit: Fit::Pad, .. }
    ));
}

#[test]
fn a_resize_that_makes_no_sense_is_told_at_its_place() {
    let mistakes = |resize: &str| {
        told(&format!(
            "[dataset.d]\ntrain = \"t\"\n[preprocess.p]\ndataset = \"d\"\nresize = {resize}\n"
        ))
    };
    for (resize, words) in [
        ("{ short_side = 64, crop = 65 }", "crop = 224"),
        ("{ width = 64 }", "`height`"),
        ("{ width = 64, height = 64, fit = \"stretch\" }", "stretch"),
        ("{ width = 64, height = 64, depth = 3 }", "depth"),
        ("{ width = 64, short_side = 64 }", "expected"),
        ("{ width = 0, height = 64 }", "0"),
        ("{ width = 4096, height = 2048 }", "2048 x 2048"),
        ("{ short_side = 4097, crop = 224 }", "4096"),
        ("{ short_side = 3000 }", "2048 x 2048"),
    ] {
        let told = mistakes(resize);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("5:") && told[0].contains(words),
            "{resize}: {told:?}"
        );
    }
}

#[test]
fn a_split_says_what_stays_together_and_what_leaks_do() {
    let plain = split("");
    assert_eq!(
        (plain.leaks, plain.given, plain.stable),
        (Leaks::Report, false, false)
    );
    assert_eq!((plain.group_by, plain.data), (None, None));
    let grouped =
        split("leaks = \"group\"\ndata = \"pixels\"\ngroup_by = \"source\"\nstable = true");
    assert_eq!((grouped.leaks, grouped.stable), (Leaks::Group, true));
    assert_eq!(grouped.group_by, Some(GroupBy::Source));
    assert_eq!(grouped.data.as_deref(), Some("pixels"));
    assert!(split("given = true").validation.is_none());
}

#[test]
fn splits_that_contradict_themselves_are_told() {
    let one = |text: &str| {
        let told = told(&format!("{HEAD}[split.s]\ndataset = \"dishes\"\n{text}\n"));
        assert_eq!(told.len(), 1, "{told:?}");
        told[0].clone()
    };
    assert!(one("leaks = \"group\"").contains("`leaks` without `data`"));
    assert!(one("leaks = \"hide\"").contains("hide"));
    assert!(one("given = true\nvalidation = 0.3").contains("`validation` together with `given`"));
    assert!(one("given = true\nfolds = 3").contains("`folds` together with `given`"));
    assert!(one("given = true\nstable = true").contains("`stable` together with `given`"));
}

#[test]
fn a_model_file_may_be_given_its_class_names() {
    let evaluate = "[evaluate.theirs]\nmodel = \"m.pt\"\nnormalize = \"imagenet\"\ndata = \"pixels\"\nsplit = \"holdout\"\n";
    let text = format!("{HEAD}{evaluate}classes = [\"나\", \"가\"]\n");
    let pipeline = good(&text);
    let Settings::Evaluate(theirs) = &instance(&pipeline, "theirs").settings else {
        panic!("an evaluate")
    };
    let ModelSource::File { classes, .. } = &theirs.model else {
        panic!("a file")
    };
    assert_eq!(
        classes.as_deref(),
        Some(["나".to_owned(), "가".to_owned()].as_slice())
    );
    // The second spelling is decomposed, and the same name.
    let twice = told(&format!(
        "{HEAD}{evaluate}classes = [\"가\", \"\\u1100\\u1161\"]\n"
    ));
    assert!(
        twice[0].ends_with("the class `가` is named twice"),
        "{twice:?}"
    );
}
