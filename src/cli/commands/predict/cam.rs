//! The folder of `--cam`: for each photograph a picture of what speaks for its first guess.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::images::Asked;
use crate::{
    cli::sheets,
    error::{Error, Result},
    files,
    text::shown_path,
};

/// The longest part of a photograph's name that a picture's takes, in bytes: a name may have 255.
const LONGEST_STEM: usize = 180;

/// Makes the folder.
///
/// # Errors
/// When it lies in a folder of photographs that are to be classified, or cannot be made.
pub(super) fn folder(folder: &Path, given: &[PathBuf]) -> Result<()> {
    let of_photographs = given.iter().filter(|path| path.is_dir());
    if let Some(of_photographs) = sheets::holder(folder, of_photographs) {
        return Err(Error::usage(format!(
            "`{}` lies in `{}`: the pictures would be taken for photographs",
            shown_path(folder),
            shown_path(of_photographs)
        ))
        .help("name a folder elsewhere"));
    }
    files::create_folder(folder)
}

/// `0001-NAME.jpg` and so on, in the order of the photographs.
pub(super) fn names(asked: &[Asked]) -> Vec<String> {
    let digits = asked.len().to_string().len().max(4);
    let name = |(i, one): (usize, &Asked)| {
        let stem = one.path.file_stem().unwrap_or_default().to_string_lossy();
        let long = stem.char_indices().find(|(at, _)| *at > LONGEST_STEM);
        let stem = long.map_or(&*stem, |(at, _)| &stem[..at]);
        format!("{:0digits$}-{stem}.jpg", i + 1)
    };
    asked.iter().enumerate().map(name).collect()
}

/// Takes the pictures from where the worker drew them; how many there are.
///
/// # Errors
/// When one cannot be written.
pub(super) fn taken(names: &[String], from: &Path, to: &Path) -> Result<usize> {
    let mut taken = 0;
    for name in names {
        let (from, to) = (from.join(name), to.join(name));
        // There is none of what is no usable image.
        if !from.exists() {
            continue;
        }
        if fs::rename(&from, &to).is_err() {
            files::replace_with_copy(&to, &from)?;
        }
        taken += 1;
    }
    Ok(taken)
}
