//! The fuzzers' corpora, replayed: what once was a fault stays mended, and every target still builds and runs.

use std::{fs, path::Path};

#[path = "../fuzz/src/lib.rs"]
mod fuzzed;

#[test]
fn every_file_of_the_fuzzers_corpora_ends_with_a_value_or_an_error_in_words() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpora");
    for (name, _) in fuzzed::TARGETS {
        let files = fs::read_dir(corpora.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            fuzzed::run(name, &bytes);
            // Also as an unfinished download or a full disk leaves it.
            fuzzed::run(name, &bytes[..bytes.len() / 2]);
        }
    }
    fuzzed::forget();
}

#[test]
fn every_target_is_a_program_of_the_fuzzers() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml"));
    let manifest: toml::Table = manifest.unwrap().parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter();
    let programs: Vec<_> = programs.map(|bin| bin["name"].as_str().unwrap()).collect();
    assert_eq!(programs, fuzzed::TARGETS.map(|(name, _)| name));
}
