//! Contact sheets of photographs: from the files themselves, else from the pack.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{open::Opened, print, thumbnails::Source};
use crate::{
    config::{Pipeline, Settings},
    data::{Captioned, Place, Sheet, Thumbnails},
    error::{Error, Result},
    exec::Summary,
    record::Images,
    text::{self, shown_path},
};

/// The longer side of a photograph on a sheet, in pixels.
const SIDE: u32 = 128;

/// A photograph by its path in `images.json`, and what is written below it.
pub(super) type Shot = (String, Vec<String>);

/// The photographs of one data set.
pub(super) struct Shots {
    source: Source,
}

impl Shots {
    /// Of a dataset instance and the preprocess instance whose pack has its photographs.
    ///
    /// # Errors
    /// When the list of the data set is not in the cache.
    pub(super) fn open(
        opened: &Opened,
        summary: &Summary,
        (dataset, data): (&str, &str),
    ) -> Result<Self> {
        let listed = summary.output(dataset, Images::FILE)?;
        let source = Source::open(opened, summary, &listed, (dataset, data))?;
        Ok(Self { source })
    }

    /// Where an image is on disk; `None` where it cannot be found any more.
    pub(super) fn place(&self, path: &str) -> Option<&Place> {
        self.source.place(path)
    }

    /// Writes a sheet of lines, each with its name, and says so. A photograph that is nowhere any more is left white.
    ///
    /// # Errors
    /// When a pack cannot be read, or the sheet is too large or cannot be written.
    pub(super) fn write(&self, lines: Vec<(String, Vec<Shot>)>, to: &Path) -> Result<()> {
        let mut sheet = Sheet::new(SIDE, SIDE);
        for (name, shots) in lines {
            let shots = shots.into_par_iter();
            let made = shots.map_init(
                || Thumbnails::of_side(SIDE),
                |made, (path, caption)| {
                    let picture = self.source.picture(made, &path)?.unwrap_or_default();
                    Ok(Captioned { picture, caption })
                },
            );
            sheet.line(name, made.collect::<Result<_>>()?);
        }
        sheet.write(to)?;
        print::say(&format!("{}: written", shown_path(to)));
        Ok(())
    }
}

/// Pictures that are written into a data set would be part of it from then on.
///
/// # Errors
/// When the folder lies in one.
pub(super) fn refuse_within_data(folder: &Path, pipeline: &Pipeline) -> Result<()> {
    for instance in &pipeline.instances {
        let Settings::Dataset(dataset) = &instance.settings else {
            continue;
        };
        let parts = [&dataset.train, &dataset.validation, &dataset.test];
        let parts = parts.into_iter().flatten().map(|part| &part.path);
        if let Some(part) = holder(folder, parts) {
            let message = format!(
                "`{}` lies in the data of `{}`, `{}`: a sheet there would be taken for a photograph",
                shown_path(folder),
                text::shown(&instance.id),
                shown_path(part)
            );
            return Err(Error::usage(message).help("name a folder elsewhere"));
        }
    }
    Ok(())
}

/// The first of these in which a folder lies that need not be there yet; links are followed.
pub(super) fn holder<'a>(
    folder: &Path,
    of: impl IntoIterator<Item = &'a PathBuf>,
) -> Option<&'a Path> {
    let folder = std::path::absolute(folder).ok()?;
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let above = folder.ancestors().find(|path| path.exists());
    let above = above.map_or_else(|| folder.clone(), real);
    let mut of = of.into_iter().map(PathBuf::as_path);
    of.find(|path| above.starts_with(real(path)))
}
