//! The zip packaging (PyTorch 1.6 and later): `*/data.pkl` and one stored entry `*/data/KEY` for each storage.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

use ::zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::{
    super::StateDict,
    bad,
    pickle::{self, LARGEST},
    state::collect,
};
use crate::error::{Error, Result};

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

pub(super) fn read(bytes: &[u8]) -> Result<StateDict> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|e| bad("it is no whole zip archive").because(e))?;
    let prefix = prefix(&archive)?;
    if archive
        .index_for_name(&format!("{prefix}byteorder"))
        .is_some()
    {
        let order = entry(&mut archive, &format!("{prefix}byteorder"), 16)?;
        if order != b"little" {
            return Err(Error::failed(
                "its numbers are big-endian, and only little-endian files are accepted",
            ));
        }
    }
    let program = entry(&mut archive, &format!("{prefix}data.pkl"), LARGEST)?;
    let (value, heap, _) = pickle::run(&program)?;

    // Every storage that a tensor may use is read once; together they cannot be larger than the file.
    let mut storages = HashMap::new();
    let mut left = bytes.len();
    collect(&value, &heap, super::limit(bytes.len()), |tensor| {
        let key = &tensor.storage.key;
        if !storages.contains_key(key) {
            let content = entry(&mut archive, &format!("{prefix}data/{key}"), left)?;
            left -= content.len();
            storages.insert(key.clone(), content);
        }
        tensor.gather(&storages[key])
    })
}

/// What stands before `data.pkl`: the name of the archive and a slash.
fn prefix(archive: &Archive<'_>) -> Result<String> {
    let names = archive.file_names().filter_map(std::result::Result::ok);
    let found: Vec<_> = names
        .filter_map(|name| name.strip_suffix("data.pkl").map(str::to_owned))
        .collect();
    match &found[..] {
        [prefix] if prefix.is_empty() || prefix.ends_with('/') => Ok(prefix.clone()),
        _ => Err(bad("it is a zip archive without one `data.pkl`")),
    }
}

/// The content of an entry of at most `limit` bytes, with its checksum verified.
fn entry(archive: &mut Archive<'_>, name: &str, limit: usize) -> Result<Vec<u8>> {
    let mut file = archive.by_name(name).map_err(|e| match e {
        ZipError::FileNotFound => bad(&format!("its entry `{name}` is missing")),
        e => bad(&format!("its entry `{name}` cannot be read")).because(e),
    })?;
    // PyTorch never compresses, and a stored entry cannot be larger than the file it lies in.
    if file.compression() != CompressionMethod::Stored || file.encrypted() {
        return Err(bad(&format!(
            "its entry `{name}` is compressed or encrypted"
        )));
    }
    if file.size() > limit as u64 {
        return Err(bad(&format!(
            "its entry `{name}` has {} bytes, more than can be right",
            file.size()
        )));
    }
    let mut content = Vec::with_capacity(file.size() as usize);
    let read = file
        .by_ref()
        .take(limit as u64 + 1)
        .read_to_end(&mut content);
    read.map_err(|e| bad(&format!("its entry `{name}` is damaged")).because(e))?;
    if content.len() as u64 != file.size() {
        return Err(bad(&format!("its entry `{name}` is truncated")));
    }
    Ok(content)
}
