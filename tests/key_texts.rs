//! The key texts of every committed pipeline, as they were: results that people have stay theirs however the program is rebuilt.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use kfood::{
    cache::KeyDocument,
    config,
    digest::Digest,
    stage::{Source, Stage},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const GOLDEN: &str = "tests/fixtures/key_texts.txt";

/// The canonical text of a stage's key, with the name of where it comes from in place of each input's content.
fn key_text(stage: &dyn Stage) -> String {
    let from = |source: &Source| match source {
        Source::Stage { id, output } => format!("{id}/{output}"),
        Source::Files => "files".to_owned(),
    };
    let inputs: BTreeMap<_, _> = stage
        .inputs()
        .into_iter()
        .map(|i| (i.role, from(&i.source)))
        .collect();
    let digests = inputs
        .iter()
        .map(|(role, from)| (role.clone(), Digest::of(from.as_bytes())));
    let mut text = KeyDocument::of(stage, digests.collect()).canonical();
    for from in inputs.values() {
        text = text.replace(&Digest::of(from.as_bytes()).to_string(), from);
    }
    text
}

/// A line for each stage: the pipeline file, the stage, its key text.
fn found() -> String {
    let mut files: Vec<_> = walkdir::WalkDir::new(Path::new(ROOT).join("pipelines"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut text = String::new();
    for file in files {
        let lookup = |name: &str| (name == "KFOOD_REAL_DATA").then(|| "/nowhere".to_owned());
        let pipeline =
            config::load_with(&file, &lookup).unwrap_or_else(|m| panic!("{}", m.render()));
        let name = file.strip_prefix(ROOT).unwrap().display();
        // Stages of used files stand with those files.
        let own = |id: &str| !id.split('[').next().unwrap_or(id).contains('.');
        for stage in kfood::stages::of(&pipeline).iter().filter(|s| own(s.id())) {
            writeln!(text, "{name} {} {}", stage.id(), key_text(stage.as_ref())).unwrap();
        }
    }
    text
}

// Built in another way than usual, the decoder is a setting too.
#[test]
#[cfg_attr(not(jpeg_scan), ignore = "needs libjpeg-turbo, compiled along")]
fn the_key_texts_of_all_committed_pipelines_are_what_they_were() {
    let path = Path::new(ROOT).join(GOLDEN);
    let found = found();
    if std::env::var_os("KFOOD_WRITE_KEY_TEXTS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert!(
            found == expected,
            "a key text is now\n{found}\nand was\n{expected}\nIf that is meant (a stage's version was raised), write them anew: \
             KFOOD_WRITE_KEY_TEXTS=1 cargo test --release key_texts"
        );
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}
