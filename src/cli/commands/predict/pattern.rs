//! The files that a pattern such as `photos/**/*.jpg` matches, as in a shell, whatever the bytes of their names.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

/// Hidden files only where the pattern names them.
const AS_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// One component of a pattern.
enum Part {
    Name(String),
    Matching(Pattern),
    /// `**`: any folders, or none.
    Folders,
}

/// Whether a text is meant as a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The files that a pattern matches, in either spelling of Hangul and of accents, in the order of their paths.
///
/// # Errors
/// When it is no pattern, or a folder cannot be read.
pub(super) fn matches(pattern: &str) -> Result<Vec<PathBuf>> {
    let parts = pattern.split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| read(pattern, part));
    let parts: Vec<Part> = parts.collect::<Result<_>>()?;
    let root = if pattern.starts_with('/') { "/" } else { "" };
    let mut found = Vec::new();
    expand(Path::new(root), &parts, &mut found)?;
    found.retain(|path| !path.is_dir());
    found.sort();
    // `**/**` leads to a file in several ways.
    found.dedup();
    Ok(found)
}

fn read(pattern: &str, part: &str) -> Result<Part> {
    if part == "**" {
        return Ok(Part::Folders);
    }
    let composed: String = part.nfc().collect();
    if !is_pattern(part) {
        return Ok(Part::Name(part.to_owned()));
    }
    let read = Pattern::new(&composed).map_err(|e| {
        Error::usage(format!("`{pattern}` is no pattern: {}", e.msg))
            .help("`[abc]` is one of these letters; write a bracket itself as `[[]`")
    })?;
    Ok(Part::Matching(read))
}

fn expand(folder: &Path, parts: &[Part], found: &mut Vec<PathBuf>) -> Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        found.push(folder.to_owned());
        return Ok(());
    };
    match part {
        Part::Name(name) => {
            let path = folder.join(name);
            if path.symlink_metadata().is_ok() {
                return expand(&path, rest, found);
            }
            let composed: String = name.nfc().collect();
            for (path, name) in names(folder)? {
                if name == composed {
                    expand(&path, rest, found)?;
                }
            }
        }
        Part::Matching(pattern) => {
            for (path, name) in names(folder)? {
                if pattern.matches_with(&name, AS_A_SHELL) {
                    expand(&path, rest, found)?;
                }
            }
        }
        Part::Folders => {
            expand(folder, rest, found)?;
            for (path, name) in names(folder)? {
                // A link may lead in a circle.
                if !name.starts_with('.') && path.is_dir() && !path.is_symlink() {
                    expand(&path, parts, found)?;
                }
            }
        }
    }
    Ok(())
}

/// What lies in a folder, with composed names, in which a sign stands for bytes that are no UTF-8; nothing where there is no folder.
fn names(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let failed = |e| Error::io("read", here, e);
    let entries = match fs::read_dir(here) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(failed(e)),
    };
    let one = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.map_err(failed)?.file_name();
        let composed = name.to_string_lossy().nfc().collect();
        Ok((folder.join(&name), composed))
    };
    entries.map(one).collect()
}
