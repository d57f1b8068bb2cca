//! Going on from what an interrupted making of a pack left.

use std::{
    cmp::Reverse,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{
    Fill, Look,
    glance::Glances,
    journal::{self, At, Leftover, Line},
    row_jpeg,
    rows::{Rows, Watch},
    wanted::Wanted,
};
use crate::{
    data::resample::COMPARED_SIDE, digest::Digest, error::Result, event::StageEvent,
    record::Unusable, settings::Storage, text::number,
};

/// Lines that a thread takes at a time.
const PIECE: usize = 4;
/// Lines whose answers wait at a time to be put in their places.
const BATCH: usize = 1 << 14;

/// Where rows stay when the making of a pack is interrupted.
#[derive(Clone, Copy, Debug)]
pub struct Unfinished<'a> {
    /// A private folder that outlives this making.
    pub state: &'a Path,
    /// Such folders of other makings, which may be under way.
    pub others: &'a [PathBuf],
    /// Of all settings that make a row, and of the program's version of them.
    pub settings: Digest,
}

impl Unfinished<'_> {
    /// "80 of 120 images", if an unfinished making left rows in this folder.
    #[must_use]
    pub fn told(state: &Path) -> Option<String> {
        let told = |name| journal::told(&state.join(name));
        let (made, of) = told("rows").max(told("left"))?;
        Some(format!(
            "{} of {} images",
            number(made as u64),
            number(of as u64)
        ))
    }
}

impl Fill<'_> {
    /// Takes over what unfinished packs have of the rows that are still wanted, and says how many.
    pub(super) fn go_on(
        &self,
        from: &[PathBuf],
        wanted: &Wanted<'_>,
        writer: &Rows,
        glances: &mut Glances,
        watch: &impl Watch,
    ) -> Result<usize> {
        let Some(Unfinished { settings, .. }) = self.unfinished else {
            return Ok(0);
        };
        let row_bytes = writer.pixels.head().row_bytes();
        let mut taken = 0;
        for folder in from {
            let Some(leftover) = Leftover::open(folder, settings, self.storage, row_bytes) else {
                continue;
            };
            // The last line of a row counts.
            let mut lines: Vec<(u32, At)> = Vec::new();
            for (at, line) in leftover.lines() {
                if let Some(i) = wanted.get(&line.made_of)?
                    && !glances.has(i)
                    && !for_this_version(&line)
                {
                    lines.push((i as u32, at));
                }
            }
            lines.sort_unstable_by_key(|(i, at)| (*i, Reverse(*at)));
            lines.dedup_by_key(|(i, _)| *i);
            for lines in lines.chunks(BATCH) {
                let done = lines.par_chunks(PIECE).map(|lines| {
                    self.stop.check()?;
                    let done = lines.iter().filter_map(|(i, at)| {
                        let line = leftover.line(*at)?;
                        match self.take(&leftover, *i as usize, &line, writer, watch) {
                            Ok(false) => None,
                            Ok(true) => Some(Ok((*i as usize, line.photograph))),
                            Err(error) => Some(Err(error)),
                        }
                    });
                    done.collect::<Result<Vec<_>>>()
                });
                for (i, photograph) in done.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
                    glances.put(i, photograph);
                    taken += 1;
                }
            }
        }
        if taken > 0 {
            let (taken, all) = (number(taken as u64), number(self.images.len() as u64));
            let text = format!("goes on from {taken} of {all} images of an interrupted run");
            (self.tell)(StageEvent::Note(text));
        }
        Ok(taken)
    }

    /// Takes one row of an unfinished pack over; not where it is not whole.
    fn take(
        &self,
        leftover: &Leftover,
        i: usize,
        line: &Line,
        writer: &Rows,
        watch: &impl Watch,
    ) -> Result<bool> {
        let dropped = line.photograph.dropped.is_some();
        let Some(stored) = leftover.row(line) else {
            return Ok(false);
        };
        let side = COMPARED_SIDE as usize;
        // The journal may have been begun anew since its lines were looked through.
        if line.made_of != writer.pixels.made_of(i)? {
            return Ok(false);
        }
        let mut compared = None;
        if writer.compares() && !dropped {
            compared = leftover.compared(line, 3 * side * side);
            if compared.is_none() {
                return Ok(false);
            }
        }
        let head = writer.pixels.head();
        let decoded = match self.storage {
            _ if dropped => None,
            Storage::Raw => None,
            Storage::Jpeg => {
                let mut row = vec![0; head.row_bytes()];
                if row_jpeg::decode(&stored, head.width, head.height, &mut row).is_err() {
                    return Ok(false);
                }
                Some(row)
            }
        };
        writer.go_on(i, &stored, compared.as_deref(), line)?;
        if !dropped {
            let pixels = decoded.as_deref().unwrap_or(&stored);
            watch.see(i, Look::at(pixels, compared.as_deref()))?;
        }
        Ok(true)
    }
}

/// Whether a file was dropped for what another version of kfood may find otherwise.
fn for_this_version(line: &Line) -> bool {
    let dropped = line.photograph.dropped.as_ref();
    dropped.is_some_and(Unusable::is_for_this_version)
}
