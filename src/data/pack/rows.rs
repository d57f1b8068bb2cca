//! The files of a pack under way: its rows, what is compared of photographs that a row shows a part of, and the journal of both.

use std::path::Path;

use super::{
    PackWriter,
    journal::{COMPARED, Journal, Line},
    layout::Entry,
};
use crate::{
    data::resample::COMPARED_SIDE,
    digest::Digest,
    error::Result,
    files::folder_of,
    record::Photograph,
    settings::{Pixels, Storage},
};

/// A row of the pack as a reader will find it.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// u8, height x width x (red, green, blue).
    pub pixels: &'a [u8],
    /// Of these pixels.
    pub digest: Digest,
    /// All of the photograph at a small size, where the row shows a part of it: as many pixels as [`COMPARED_SIDE`] says.
    pub compared: Option<&'a [u8]>,
}

impl<'a> Look<'a> {
    pub(super) fn at(pixels: &'a [u8], compared: Option<&'a [u8]>) -> Self {
        Self {
            pixels,
            digest: Digest::of(pixels),
            compared,
        }
    }
}

/// Who looks at the rows of a pack while it is made.
pub trait Watch: Sync {
    /// Looks at the pixels of a usable row as a reader of the pack will find them.
    ///
    /// # Errors
    /// What ends the making.
    fn see(&self, i: usize, look: Look<'_>) -> Result<()>;

    /// Hears that row `i` is equal to row `of`, which was seen unless it was dropped.
    ///
    /// # Errors
    /// What ends the making.
    fn repeat(&self, of: usize, i: usize) -> Result<()>;
}

/// See the module.
pub(super) struct Rows {
    pub(super) pixels: PackWriter,
    compared: Option<PackWriter>,
    journal: Option<Journal>,
}

impl Rows {
    /// Creates the files for so many rows: the pack at `path`, the others beside it. A journal is kept for `settings`.
    pub(super) fn create(
        path: &Path,
        pixels: Pixels,
        storage: Storage,
        count: usize,
        settings: Option<Digest>,
    ) -> Result<Self> {
        let folder = folder_of(path);
        let (width, height) = (pixels.resize.width(), pixels.resize.height());
        let compared = (!pixels.resize.shows_all()).then(|| {
            let (path, side) = (folder.join(COMPARED), COMPARED_SIDE);
            PackWriter::of_rows(&path, side, side, Storage::Raw, count)
        });
        let mut writer = PackWriter::of_rows(path, width, height, storage, count)?;
        if settings.is_some() {
            writer = writer.kept()?;
        }
        Ok(Self {
            pixels: writer,
            compared: compared.transpose()?,
            journal: settings
                .map(|settings| Journal::create(folder, settings, count))
                .transpose()?,
        })
    }

    /// Says what makes rows, from row `i` on.
    pub(super) fn are_made_of(&self, i: usize, made_of: &[Digest]) -> Result<()> {
        self.pixels.are_made_of(i, made_of)?;
        let compared = self.compared.as_ref();
        compared.map_or(Ok(()), |compared| compared.are_made_of(i, made_of))
    }

    /// Whether rows need something to compare beside them.
    pub(super) fn compares(&self) -> bool {
        self.compared.is_some()
    }

    /// Writes a row, leaves in `row` what a reader will find, and gives the digest of that.
    pub(super) fn write(
        &self,
        i: usize,
        row: &mut [u8],
        compared: Option<&[u8]>,
        photograph: &Photograph,
    ) -> Result<Digest> {
        let digest = self.pixels.write_and_see(i, row)?;
        self.compare(i, compared)?;
        self.note(i, photograph)?;
        Ok(digest)
    }

    /// Leaves a row black.
    pub(super) fn drop_row(&self, i: usize, photograph: &Photograph) -> Result<()> {
        self.pixels.drop_row(i)?;
        self.compare(i, None)?;
        self.note(i, photograph)
    }

    /// Takes a row over from an unfinished pack, as its line says.
    pub(super) fn go_on(
        &self,
        i: usize,
        stored: &[u8],
        compared: Option<&[u8]>,
        line: &Line,
    ) -> Result<()> {
        let entry = Entry {
            made_of: line.made_of,
            row: line.row,
            offset: 0,
            length: line.length,
            dropped: line.photograph.dropped.is_some(),
        };
        self.pixels.take_row(i, stored, &entry)?;
        self.compare(i, compared)?;
        self.note(i, &line.photograph)
    }

    /// Writes what is compared of a row that was taken over from a finished pack.
    pub(super) fn compare(&self, i: usize, compared: Option<&[u8]>) -> Result<()> {
        match (&self.compared, compared) {
            (Some(writer), Some(compared)) => writer.write(i, compared),
            (Some(writer), None) => writer.drop_row(i),
            (None, _) => Ok(()),
        }
    }

    /// Makes row `i` equal to row `of`, which is written already.
    pub(super) fn repeat(&self, of: usize, i: usize) -> Result<()> {
        self.pixels.repeat(of, i)?;
        self.compared.as_ref().map_or(Ok(()), |c| c.repeat(of, i))
    }

    /// Only now these are packs.
    pub(super) fn finish(self) -> Result<()> {
        self.pixels.finish()?;
        self.compared.map_or(Ok(()), PackWriter::finish)
    }

    fn note(&self, i: usize, photograph: &Photograph) -> Result<()> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let Some(entry) = self.pixels.written(i)? else {
            return Ok(());
        };
        let compared = match &self.compared {
            Some(compared) => compared.written(i)?,
            None => None,
        };
        journal.add(&Line {
            made_of: entry.made_of,
            row: entry.row,
            at: entry.offset,
            length: entry.length,
            compared: compared.map(|c| (c.row, c.offset)),
            photograph: photograph.clone(),
        })
    }
}
