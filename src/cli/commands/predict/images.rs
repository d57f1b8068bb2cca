//! The photographs that a command line names: files, folders, patterns, zips, lists, and paths from standard input.

use std::{
    collections::HashSet,
    io::Read,
    iter,
    path::{Path, PathBuf},
};

use super::pattern::{is_pattern, matches};
use crate::{
    cli::print,
    config::of_elsewhere,
    data::{Pictures, Place, forms_of_path},
    error::{Error, Result},
    record::ImageFile,
    text::{either, shown_path},
};

/// A photograph, and what it is called in an answer.
pub(super) struct Asked {
    /// Absolute; one in a zip lies below the zip.
    pub path: PathBuf,
    /// Where its bytes are.
    pub file: ImageFile,
}

/// All photographs of what is [`given`], each once and in that order; what was passed over is told.
///
/// # Errors
/// When something cannot be read, or there is no photograph at all.
pub(super) fn asked(given: &[PathBuf]) -> Result<Vec<Asked>> {
    let mut all = Vec::new();
    let mut told = Vec::new();
    for path in given {
        let found = Pictures::of(path)?;
        if found.passed_over.total() > 0 {
            told.push(format!("`{}`: {}", shown_path(path), found.passed_over));
        }
        told.extend(found.notes.into_iter().map(|note| format!("note: {note}")));
        for place in &found.places {
            all.push(one(place)?);
        }
    }
    let named = all.len();
    let mut seen = HashSet::new();
    all.retain(|one: &Asked| seen.insert(one.path.clone()));
    let again = named - all.len();
    if again > 0 {
        let times = either(again, "image is", "images are");
        told.push(format!(
            "note: {again} {times} named once more; each is classified once"
        ));
    }
    for line in &told {
        print::say(line);
    }
    if all.is_empty() {
        return Err(Error::usage("there are no images in what was given")
            .help("name image files, or folders that hold some"));
    }
    Ok(all)
}

fn one(place: &Place) -> Result<Asked> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(|e| Error::io("find", path, e));
    Ok(match place {
        Place::File(path) => {
            let path = absolute(path)?;
            let file = ImageFile::File(path.clone());
            Asked { path, file }
        }
        Place::Zip { archive, entry } => {
            let zip = absolute(archive.path())?;
            Asked {
                path: zip.join(&archive.entries()[*entry].name),
                file: ImageFile::Zip { zip, entry: *entry },
            }
        }
    })
}

/// What a command line names: paths that are there, what patterns match, and for `-` the lines of standard input.
///
/// # Errors
/// When something is not there, or a pattern or standard input cannot be understood.
pub(super) fn given(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in named {
        if path.as_os_str() != "-" {
            all.extend(there(path)?);
            continue;
        }
        let mut lines = String::new();
        std::io::stdin().read_to_string(&mut lines).map_err(|e| {
            Error::usage("standard input holds no paths in UTF-8")
                .because(e)
                .help("give a path on each line, as `find photos -name '*.jpg'` does")
        })?;
        for line in lines.lines().filter(|line| !line.is_empty()) {
            all.extend(there(Path::new(line))?);
        }
    }
    Ok(all)
}

/// A path itself, or the files that it matches as a pattern.
fn there(path: &Path) -> Result<Vec<PathBuf>> {
    // A link that leads nowhere is a file that cannot be used, as it is in a folder.
    let is_there = |path: &PathBuf| path.exists() || path.is_symlink();
    let forms = path.to_str().map(forms_of_path).unwrap_or_default();
    let mut forms = iter::once(path.to_owned()).chain(forms.into_iter().map(PathBuf::from));
    if let Some(found) = forms.find(is_there) {
        return Ok(vec![found]);
    }
    let pattern = path.to_str().filter(|text| is_pattern(text));
    let (message, help) = match pattern {
        Some(pattern) => {
            let files = matches(pattern)?;
            if !files.is_empty() {
                return Ok(files);
            }
            let message = format!("no file matches `{}`", shown_path(path));
            let help = "`*` stands for a part of a name and `**` for folders, as in 'photos/**/*.jpg'; capitals count";
            (message, help.to_owned())
        }
        None => elsewhere(path),
    };
    Err(Error::usage(message).help(help))
}

/// What is wrong with a path to nothing, and the way out.
fn elsewhere(path: &Path) -> (String, String) {
    let written = path.to_str().and_then(|text| of_elsewhere(text, path));
    written.unwrap_or_else(|| {
        let message = format!("there is no image or folder `{}`", shown_path(path));
        let help = "name image files, or folders that hold some; a path is relative to the folder that you are in";
        (message, help.to_owned())
    })
}
