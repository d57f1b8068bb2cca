//! Typed values in JSON files.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    marker::PhantomData,
    path::Path,
};

use serde::{
    Serialize,
    de::{DeserializeOwned, DeserializeSeed},
};

use super::{publish, read};
use crate::{
    error::{Error, Result},
    text::shown_path,
};

/// Reads a JSON file into a typed value.
///
/// # Errors
/// When it cannot be read or is not of that shape.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    read_json_into(path, PhantomData)
}

/// As [`read_json`], into what reads it.
///
/// # Errors
/// As [`read_json`].
pub fn read_json_into<T, S>(path: &Path, seed: S) -> Result<T>
where
    S: for<'de> DeserializeSeed<'de, Value = T>,
{
    let (file, length) = File::open(path)
        .and_then(|file| file.metadata().map(|meta| (file, meta.len())))
        .map_err(|e| Error::io("read", path, e))?;
    // A record of a million photographs is not held as text beside what it says.
    let read = match length > LARGE_JSON {
        true => {
            let reader = BufReader::with_capacity(1 << 18, file);
            whole(&mut serde_json::Deserializer::from_reader(reader), seed)
        }
        false => {
            let bytes = read(path)?;
            whole(&mut serde_json::Deserializer::from_slice(&bytes), seed)
        }
    };
    read.map_err(|e| match e.is_io() {
        true => Error::io("read", path, e.into()),
        false => Error::failed(format!("cannot understand `{}`", shown_path(path))).because(e),
    })
}

/// One value, and nothing behind it.
fn whole<'de, S, R>(json: &mut serde_json::Deserializer<R>, seed: S) -> serde_json::Result<S::Value>
where
    S: DeserializeSeed<'de>,
    R: serde_json::de::Read<'de>,
{
    let value = seed.deserialize(&mut *json)?;
    json.end()?;
    Ok(value)
}

/// Up to so many bytes are read at once, which is faster.
const LARGE_JSON: u64 = 8 << 20;

/// Writes a value as indented JSON with a final newline. Not atomic: for files in a private folder.
///
/// # Errors
/// When it cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let fail = |e| Error::io("write", path, e);
    let file = File::create(path).map_err(fail)?;
    let mut to = BufWriter::with_capacity(1 << 18, file);
    serde_json::to_writer_pretty(&mut to, value).map_err(|e| match e.is_io() {
        true => fail(e.into()),
        false => Error::failed(format!("cannot write `{}`", shown_path(path))).because(e),
    })?;
    to.write_all(b"\n").and_then(|()| to.flush()).map_err(fail)
}

/// Replaces a file by a value as indented JSON, as [`publish`].
///
/// # Errors
/// When it cannot be written.
pub fn publish_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::failed(format!("cannot write `{}`", shown_path(path))).because(e))?;
    text.push(b'\n');
    publish(path, &text)
}
