//! The JSON Schema (draft-07) of pipeline files, made from the declarations of kinds and settings: what an editor completes,
//! underlines and tells.
//!
//! It says less than the reader: it never refuses a file that the reader takes. What must be given in a table below a stage may stand
//! in `matrix`, and what has to fit together is the reader's to say.

use serde_json::{Map, Value, json};

use crate::{
    config::{About, KINDS, settings_of},
    settings::declare::{End, Field, Interval, OneOf, Shape, Table, Variant, Word},
};

/// The schema of a whole file.
pub(super) fn of_files() -> Value {
    let mut properties = Map::new();
    let seed = "The seed of every stage that sets none.";
    properties.insert(
        "seed".into(),
        json!({ "description": seed, "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0 }),
    );
    properties.insert(
        "use".into(),
        json!({
            "description": "Other pipeline files, each by a name: `mission2 = \"mission2.toml\"`; a stage of it is `mission2.STAGE`.",
            "type": "object",
            "additionalProperties": { "type": "string" },
        }),
    );
    let mut definitions = Map::new();
    for kind in &KINDS {
        let stage = json!({ "$ref": format!("#/definitions/{}", kind.name) });
        properties.insert(
            kind.name.into(),
            json!({ "description": kind.doc, "type": "object", "additionalProperties": stage }),
        );
        definitions.insert(kind.name.into(), of_kind(kind));
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A pipeline of kfood",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "definitions": definitions,
    })
}

/// A stage of a kind. What must be given may be in `matrix` instead.
fn of_kind(kind: &About) -> Value {
    let fields = settings_of(kind);
    let needed: Vec<_> = fields.iter().filter(|f| f.needed).map(|f| f.name).collect();
    let mut properties = properties(&fields);
    properties.insert(
        "matrix".into(),
        json!({
            "description": "Settings to vary, each with a list of values: an instance for each combination, such as `matrix.seed = [1, 2, 3]`. Values may have names, which stand in those of the instances: `matrix.augment.named = { none = [], flip = [{ random_horizontal_flip = 0.5 }] }`.",
            "type": "object",
            "additionalProperties": true,
        }),
    );
    json!({
        "description": kind.doc,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        // `additionalProperties` allows here what is allowed without it, but without it Tombi calls every key one too many.
        "if": {
            "not": { "required": ["matrix"], "additionalProperties": true },
            "additionalProperties": true,
        },
        "then": { "required": needed, "additionalProperties": true },
    })
}

fn properties(fields: &[Field]) -> Map<String, Value> {
    let all = fields
        .iter()
        .map(|field| (field.name.into(), of_field(field)));
    all.collect()
}

/// A setting: what it does, what is accepted, what holds where it is left out.
fn of_field(field: &Field) -> Value {
    let mut schema = of_shape(&field.shape);
    let mut told = format!("{}\n\nAccepted: {}.", field.doc, field.accepts);
    match (&field.default, field.unset) {
        _ if field.needed => told += " It must be given.",
        (Some(default), _) => {
            told += &format!(" Default: `{default}`.");
            if let Some(default) = value(default) {
                schema.insert("default".into(), default);
            }
        }
        (None, "") => {}
        (None, unset) => told += &format!(" Left out: {unset}."),
    }
    schema.insert("description".into(), told.into());
    schema.into()
}

/// A value as it stands in a file.
fn value(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
    serde_json::to_value(table.get("value")?).ok()
}

fn of_shape(shape: &Shape) -> Map<String, Value> {
    let schema = match shape {
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Number(interval) => number(*interval),
        Shape::Text(_) | Shape::Path | Shape::Stage(_) => json!({ "type": "string" }),
        Shape::Word(words) => self::words(words),
        Shape::List { item, length } => list(item, *length),
        Shape::Map(item) => json!({ "type": "object", "additionalProperties": of_shape(item) }),
        Shape::Table(table) => self::table(table),
        Shape::OneOf(of) => one_of(of),
        Shape::Ways(ways) => {
            json!({ "anyOf": ways.iter().map(of_shape).collect::<Vec<_>>() })
        }
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn number(interval: Interval) -> Value {
    let mut schema = json!({ "type": "number" });
    match interval.low {
        End::Open => {}
        End::With(end) => schema["minimum"] = json!(end),
        End::Without(end) => schema["exclusiveMinimum"] = json!(end),
    }
    match interval.high {
        End::Open => {}
        End::With(end) => schema["maximum"] = json!(end),
        End::Without(end) => schema["exclusiveMaximum"] = json!(end),
    }
    schema
}

/// One of some words. JSON Schema has no sentence for each of an `enum`; Taplo, which most editors read TOML with, has its own.
fn words(words: &[Word]) -> Value {
    let names: Vec<_> = words.iter().map(|word| word.name).collect();
    let docs: Vec<_> = words.iter().map(|word| word.doc).collect();
    let mut schema = json!({ "type": "string", "enum": names });
    if docs.iter().any(|doc| !doc.is_empty()) {
        schema["x-taplo"] = json!({ "docs": { "enumValues": docs } });
    }
    schema
}

fn list(item: &Shape, length: Option<usize>) -> Value {
    let mut schema = json!({ "type": "array", "items": of_shape(item) });
    if let Some(length) = length {
        schema["minItems"] = json!(length);
        schema["maxItems"] = json!(length);
    }
    schema
}

/// A table of settings; one that names none of them here has its own.
fn table(table: &Table) -> Value {
    let mut schema = json!({ "type": "object" });
    if !table.doc.is_empty() {
        schema["description"] = json!(table.doc);
    }
    if !table.fields.is_empty() || table.example.is_empty() {
        schema["properties"] = properties(&table.fields).into();
        schema["additionalProperties"] = json!(false);
    }
    schema
}

/// A table with exactly one of some keys, or one of those keys alone whose value needs nothing. No `anyOf`, for which editors say of any
/// mistake that nothing fits: `pattern` holds for texts, the rest for tables.
fn one_of(of: &OneOf) -> Value {
    let keys = of.variants.iter().map(|v| (v.name.into(), of_variant(v)));
    let mut schema = json!({
        "description": of.doc,
        "type": "object",
        "properties": keys.collect::<Map<_, _>>(),
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    });
    let words: Vec<_> = of.words().collect();
    if !words.is_empty() {
        schema["type"] = json!(["object", "string"]);
        schema["pattern"] = json!(format!("^({})$", words.join("|")));
    }
    schema
}

fn of_variant(variant: &Variant) -> Value {
    let mut schema = of_shape(&variant.shape);
    let told = match variant.example {
        "" => variant.doc.to_owned(),
        example => format!("{}\n\nSuch as: `{example}`.", variant.doc),
    };
    schema.insert("description".into(), told.into());
    schema.into()
}
