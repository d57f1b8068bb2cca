//! `kfood doctor`: what this machine offers.

use std::{env, thread};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{open, print, scratch::Scratch},
    data,
    error::Result,
    exec::{libtorch::Libtorch, worker::Process},
    files, native,
    record::Job,
    report::bytes,
    stage::Worker,
    stop::Stop,
};

/// Look at this machine: libtorch, devices, decoders, cache.
#[derive(Debug, Args)]
pub(in crate::cli) struct Doctor {
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn doctor(args: &Doctor) -> Result<u8> {
    let cache = match open::cache_root(&env::current_dir().unwrap_or_default()) {
        Ok(place) => json!(place.display().to_string()),
        Err(error) => json!({ "error": error.to_string() }),
    };
    let tensors = tensors();
    let failed = tensors.is_err();
    let found = json!({
        "kfood": env!("CARGO_PKG_VERSION"),
        "cores": thread::available_parallelism().map_or(1, usize::from),
        "memory_left": native::memory_left(),
        "cache": cache,
        "decoders": {
            "jpeg": data::JPEG_DECODER,
            "webp": data::WEBP_DECODER,
            "others": "image (PNG, GIF, BMP, TIFF, PNM)",
        },
        "libtorch": libtorch(),
        "tensors": match &tensors {
            Ok(found) => found.clone(),
            Err(error) => json!({ "error": error.to_string() }),
        },
    });
    if args.json {
        print::json(&found)?;
    } else {
        let mut told = found;
        if let Some(left) = told["memory_left"].as_u64() {
            told["memory_left"] = json!(bytes(left));
        }
        print::told(&lines("", &told))?;
    }
    if let Err(error) = tensors {
        print::error(&error);
    }
    Ok(u8::from(failed))
}

/// Where libtorch lies and how it was found; nothing where there is none, which is told with the tensors.
fn libtorch() -> Value {
    if !cfg!(feature = "tensors") {
        return Value::Null;
    }
    Libtorch::find().map_or(Value::Null, |libtorch| {
        json!({
            "folder": libtorch.libraries.display().to_string(),
            "found": libtorch.found.words(),
        })
    })
}

/// Asks a worker, because only a worker may load libtorch.
///
/// # Errors
/// When there is no worker, or it cannot load libtorch.
pub(in crate::cli) fn tensors() -> Result<Value> {
    let folder = Scratch::new()?;
    let out = folder.path().to_owned();
    let job = Job::Doctor { out: out.clone() };
    Process::beside_this_program()?.run(&job, &out, &|_| {}, &Stop::default())?;
    files::read_json(&out.join(Job::DOCTOR))
}

/// `name: value` lines, nested names joined by dots; a line for each item of a list, none for what does not apply.
fn lines(prefix: &str, value: &Value) -> String {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| match prefix {
                "" => lines(name, value),
                _ => lines(&format!("{prefix}.{name}"), value),
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| lines(prefix, &flat(item)))
            .collect(),
        Value::Null => String::new(),
        Value::String(text) => format!("{prefix}: {text}\n"),
        other => format!("{prefix}: {other}\n"),
    }
}

/// An item of a list in one line: `device cpu, precision_auto bf16`.
fn flat(item: &Value) -> Value {
    let Value::Object(map) = item else {
        return item.clone();
    };
    let pairs = map.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    Value::String(pairs.collect::<Vec<_>>().join(", "))
}
