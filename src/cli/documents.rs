//! Documents in files, with the photographs that they show.

use std::path::Path;

use super::{
    print,
    thumbnails::{self, Origin},
};
use crate::{
    error::{Error, Result},
    files,
    report::{Document, Evidence, Format, Pictures},
    text::{count, either, shown_path},
};

/// Writes a document in the form that the file's name asks for, with what speaks for guesses where that was looked for, and says so.
///
/// # Errors
/// When a result in the cache cannot be read, or the file not written.
pub(super) fn write(
    path: &Path,
    document: &Document,
    origins: &[Origin<'_>],
    evidence: Evidence,
) -> Result<()> {
    let pictures = silently(path, document, origins, evidence)?;
    print::say(&format!("{}: written", shown_path(path)));
    let n = pictures.from_pack();
    if n > 0 {
        print::say(&format!(
            "note: {} {} shown as in the pack, for the {} gone or changed",
            count(n, "photograph"),
            either(n, "is", "are"),
            either(n, "file is", "files are")
        ));
    }
    Ok(())
}

/// As [`write`], with the pictures that were shown, and nothing said.
///
/// # Errors
/// As [`write`].
pub(super) fn silently(
    path: &Path,
    document: &Document,
    origins: &[Origin<'_>],
    evidence: Evidence,
) -> Result<Pictures> {
    let pictures = Pictures {
        evidence,
        ..thumbnails::pictures(origins, document)?
    };
    let bytes = (Format::of(path)?.write)(document, &pictures)?;
    files::replace_with(path, |to| {
        to.write_all(&bytes)
            .map_err(|e| Error::io("write", path, e))
    })?;
    Ok(pictures)
}
