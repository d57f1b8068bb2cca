//! The JSON Schema of pipeline files: what the reader takes it takes, and it tells an editor what stands in the declarations.

use std::{fs, path::Path, sync::OnceLock};

use jsonschema::Validator;
use kfood::{config::KINDS, config::settings_of};
use serde_json::Value;

use crate::support::Project;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PUBLISHED: &str = "docs/pipeline.schema.json";

/// As the command prints it.
fn printed() -> String {
    Project::new().ok(&["schema"]).stdout
}

fn validator() -> &'static Validator {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    VALIDATOR.get_or_init(|| {
        let text = fs::read_to_string(Path::new(ROOT).join(PUBLISHED)).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        jsonschema::draft7::meta::validate(&schema).unwrap();
        jsonschema::draft7::new(&schema).unwrap()
    })
}

/// What the schema has against a pipeline text.
pub fn refusals(text: &str) -> Vec<String> {
    let file: toml::Table = toml::from_str(text).unwrap();
    let file = serde_json::to_value(file).unwrap();
    let errors = validator().iter_errors(&file);
    errors
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect()
}

#[test]
fn the_published_schema_is_what_the_command_prints() {
    let path = Path::new(ROOT).join(PUBLISHED);
    let printed = printed();
    if std::env::var_os("KFOOD_WRITE_REFERENCE").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == printed,
        "{PUBLISHED} is not what the declarations say. Write it anew: KFOOD_WRITE_REFERENCE=1 cargo test --release -- schema"
    );
}

#[test]
fn every_committed_pipeline_is_valid_and_names_the_schema() {
    let files = walkdir::WalkDir::new(Path::new(ROOT).join("pipelines"));
    let files = files.into_iter().map(|entry| entry.unwrap().into_path());
    let files: Vec<_> = files
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    assert!(files.len() > 9, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(refusals(&text), Vec::<String>::new(), "{}", file.display());
        let named = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("#:schema "));
        let schema = file.parent().unwrap().join(named.unwrap());
        let published = Path::new(ROOT).join(PUBLISHED);
        assert_eq!(
            schema.canonicalize().unwrap(),
            published.canonicalize().unwrap()
        );
    }
}

#[test]
fn every_setting_of_every_kind_stands_in_it_with_what_it_does() {
    let schema: Value = serde_json::from_str(&printed()).unwrap();
    for kind in &KINDS {
        for field in settings_of(kind) {
            let found = &schema["definitions"][kind.name]["properties"][field.name];
            let told = found["description"].as_str().unwrap_or_default();
            assert!(
                told.contains(field.doc),
                "{}.{}: {found}",
                kind.name,
                field.name
            );
        }
    }
    let training = &schema["definitions"]["train"]["properties"];
    assert_eq!(training["batch_size"]["default"], 32);
    let words = training["precision"].to_string();
    assert!(words.contains("\"bf16\""), "{words}");
    let rate = &training["optimizer"]["properties"]["sgd"]["properties"]["lr"];
    assert_eq!(rate["type"], "number", "{rate}");
}

#[test]
fn it_refuses_what_is_misspelt_out_of_range_or_missing() {
    let refused = |lines: &str, why: &str| {
        let head = "data = \"pixels\"\nsplit = \"holdout\"\narch = \"resnet18\"\nepochs = 2\n";
        let stage = format!("[train.net]\n{head}optimizer.sgd = {{ lr = 0.1 }}\n");
        assert_eq!(refusals(&stage), Vec::<String>::new());
        let told = refusals(&format!("{stage}{lines}\n")).join("\n");
        assert!(told.contains(why), "{lines}: {told}");
    };
    refused("bach_size = 3", "'bach_size' was unexpected");
    refused("batch_size = 0", "less than the minimum of 1");
    refused("precision = \"f64\"", "not one of");
    refused("schedule.cosinus = {}", "'cosinus' was unexpected");
    refused("schedule = \"step\"", "does not match");
    let word = "[train.net]\nepochs = 2\ndata = \"p\"\nsplit = \"s\"\narch = \"resnet18\"\noptimizer.sgd.lr = 1\nschedule = \"cosine\"\n";
    assert_eq!(refusals(word), Vec::<String>::new());
    assert!(
        refusals("[train.net]\n")
            .join("\n")
            .contains("\"epochs\" is a required property")
    );
    assert!(
        refusals("[trian.net]\n")
            .join("\n")
            .contains("'trian' was unexpected")
    );
    // What is varied stands in `matrix`.
    assert_eq!(
        refusals("[train.net]\nmatrix.epochs = [1, 2]\n"),
        Vec::<String>::new()
    );
}
