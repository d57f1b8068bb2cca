//! The project's root: what data paths are relative to, and where the cache lies.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use super::file::File;
use crate::text::shown_path;

/// The path as it was given, absolute. Links stay, so that a linked file belongs to the project in which it was named; `..`
/// goes where the system says it goes.
pub(super) fn given(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let parts: Vec<_> = path.components().collect();
    let Some(last) = parts.iter().rposition(|part| *part == Component::ParentDir) else {
        return Ok(path);
    };
    let up: PathBuf = parts[..=last].iter().collect();
    let mut given = up.canonicalize()?;
    given.extend(&parts[last + 1..]);
    Ok(given)
}

/// The nearest folder above a file that holds a folder `pipelines`, else the file's own.
pub(super) fn of(file: &Path) -> PathBuf {
    let above = file.ancestors().skip(1);
    let mut above = above.skip_while(|folder| !folder.join("pipelines").is_dir());
    above
        .next()
        .or(file.parent())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

/// Says which the root is where it is neither the file's folder nor the one above: somebody else's may be meant.
pub(super) fn notes(files: &[File]) -> Vec<String> {
    let mut told = Vec::new();
    for file in files {
        let far = !file
            .path
            .ancestors()
            .skip(1)
            .take(2)
            .any(|near| near == file.root);
        if far && !told.iter().any(|(root, _)| *root == &file.root) {
            told.push((&file.root, &file.shown));
        }
    }
    let note = |(root, file): (&PathBuf, &PathBuf)| {
        let root = shown_path(root);
        format!(
            "the project of `{}` is `{root}`, the nearest folder above it that holds a folder `pipelines`: \
             its data paths and its cache are relative to that",
            shown_path(file)
        )
    };
    told.into_iter().map(note).collect()
}
