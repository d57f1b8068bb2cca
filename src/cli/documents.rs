//! Documents in files, with the photographs that they show.

use std::{borrow::Cow, path::Path};

use super::{
    print,
    thumbnails::{self, Origin},
};
use crate::{
    error::{Error, Result},
    files,
    report::{Block, Document, Evidence, Format, Pictures},
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
    if let Some(note) = of_pack(pictures.from_pack()) {
        print::say(&format!("note: {note}"));
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
    let told = with_note(document, pictures.from_pack());
    let bytes = (Format::of(path)?.write)(&told, &pictures)?;
    files::replace_with(path, |to| {
        to.write_all(&bytes)
            .map_err(|e| Error::io("write", path, e))
    })?;
    Ok(pictures)
}

/// That photographs are not shown as they are.
fn of_pack(photographs: usize) -> Option<String> {
    (photographs > 0).then(|| {
        format!(
            "{} {} shown as in the pack, for the {} gone or changed",
            count(photographs, "photograph"),
            either(photographs, "is", "are"),
            either(photographs, "file is", "files are")
        )
    })
}

/// The document with that said behind its title and the line below.
fn with_note(document: &Document, from_pack: usize) -> Cow<'_, Document> {
    let Some(note) = of_pack(from_pack) else {
        return Cow::Borrowed(document);
    };
    let note = Document::new(vec![Block::warning(format!("{note}."))]);
    let note = note.in_language(document.language).blocks;
    let mut told = document.clone();
    let place = told.blocks.len().min(2);
    told.blocks.splice(place..place, note);
    Cow::Owned(told)
}
