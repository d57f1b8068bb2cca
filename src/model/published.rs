//! Whether a file is the published weights that it is to be: its name says how its SHA-256 begins.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    record::ModelFile,
    text::shown_path,
};

/// Holds a file that is named as published weights against the digest that their name says; any other file is fine.
///
/// # Errors
/// When it cannot be read, or its digest is another one.
pub(super) fn verify(file: &ModelFile) -> Result<()> {
    match file.published() {
        Some(weights) => begins_with(&file.path, weights.sha256())
            .map_err(|error| error.help(format!("fetch it again: `kfood fetch {}`", weights.name))),
        None => Ok(()),
    }
}

/// Whether the SHA-256 of a file begins with these hexadecimal digits.
///
/// # Errors
/// When it does not, or the file cannot be read.
pub fn begins_with(path: &Path, digits: &str) -> Result<()> {
    let failed = |e| Error::io("read", path, e);
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
    let mut digest = Sha256::new();
    loop {
        let read = file.fill_buf().map_err(failed)?;
        if read.is_empty() {
            break;
        }
        digest.update(read);
        let n = read.len();
        file.consume(n);
    }
    let found: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found.starts_with(digits) {
        return Ok(());
    }
    Err(Error::failed(format!(
        "`{}` is not what it is named for: its SHA-256 begins with `{}` instead of `{digits}`",
        shown_path(path),
        found.get(..digits.len()).unwrap_or(&found)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_against_the_digits_in_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        begins_with(&path, "ba7816bf").unwrap();
        let error = begins_with(&path, "11ad3fa6").unwrap_err().to_string();
        assert!(
            error.contains("begins with `ba7816bf` instead of `11ad3fa6`"),
            "{error}"
        );
    }
}
