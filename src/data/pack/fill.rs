//! Fills a pack: each image is taken from an earlier pack, is equal to another one, or is read, checked, decoded and written.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;

use super::{
    Look, Pack, Unfinished,
    dropped::{Why, refuse_or_warn},
    glance::Glances,
    journal,
    layout::made_of,
    progress::Progress,
    reuse::Earlier,
    rows::{Rows, Watch},
    wanted::Wanted,
};
use crate::{
    data::{LARGEST_ENTRY, Place, Resampler},
    digest::Digest,
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    native::Vectorised,
    record::{ImageColumns, Photograph, PhotographColumns, Unusable},
    settings::{Pixels, Storage, Unreadable},
    stop::Stop,
    text::{either, number},
};

/// Images that a thread takes at a time.
const PIECE: usize = 4;
/// Images, and pieces of earlier packs, whose answers wait at a time to be put in their places.
const BATCH: usize = 1 << 14;
const PIECES: usize = 64;

/// The making of one pack.
pub struct Fill<'a> {
    /// The rows.
    pub images: &'a ImageColumns,
    /// How they are made.
    pub pixels: Pixels,
    /// How they are stored.
    pub storage: Storage,
    /// What becomes of files that are no usable image.
    pub unreadable: Unreadable,
    /// What an unfinished making of the same settings left, and where this one leaves what it has.
    pub unfinished: Option<Unfinished<'a>>,
    /// Folders with a `pixels.pack` and its `photographs.json` of the same settings, newest first.
    pub earlier: &'a [PathBuf],
    /// Hears of progress, reuse and dropped files.
    pub tell: Tell<'a>,
    /// Looked at between two images.
    pub stop: &'a Stop,
}

/// A full pack.
pub struct Filled {
    /// Where the pack is.
    pub pack: PathBuf,
    /// What was seen of the files, in the order of the images.
    pub photographs: PhotographColumns,
}

impl Filled {
    /// The pack of all of each photograph, which lies beside it where rows show parts of them.
    #[must_use]
    pub fn compared(&self) -> PathBuf {
        self.pack.with_file_name(journal::COMPARED)
    }
}

impl Fill<'_> {
    /// Writes the pack at `path`, or within the folder of [`Unfinished`] where that is given, and says where it is; beside it lies
    /// [`Filled::compared`] where rows show parts of photographs. `places` is asked at most once, for those images alone that must be decoded, and
    /// gives what says where each of them is, by its place among these; `watch` looks at every usable row. The result is the same
    /// whatever there is to reuse.
    ///
    /// # Errors
    /// When a stop was requested, a file changed since it was listed, files cannot be used (all of them with
    /// [`Unreadable::Drop`], any with [`Unreadable::Fail`]), or the disk refuses.
    pub fn run<P: Fn(usize) -> Place + Sync>(
        &self,
        path: &Path,
        places: impl FnOnce(&[u32]) -> Result<P>,
        watch: &impl Watch,
    ) -> Result<Filled> {
        let count = self.images.len();
        let (path, left) = self.begin(path)?;
        let settings = self.unfinished.map(|unfinished| unfinished.settings);
        let writer = Rows::create(&path, self.pixels, self.storage, count, settings)?;
        let making = |i| writer.pixels.made_of(i);
        let (first, repeats) = Wanted::of(self.makings(&writer)?, &making)?;

        let mut glances = Glances::new(count);
        let mut reused = self.reuse(&first, &writer, &mut glances, watch)?;
        if let Some(left) = left {
            let left_rows = self.left_rows(&left);
            reused += self.go_on(&left_rows, &first, &writer, &mut glances, watch)?;
            files::remove(&left)?;
        }
        let mut open = first.firsts();
        drop(first);
        open.retain(|i| !glances.has(*i as usize));
        let lost = if open.is_empty() {
            Vec::new()
        } else {
            self.decode(&open, &places(&open)?, &writer, &mut glances, watch)?
        };
        self.repeat(&repeats, &writer, &mut glances, watch)?;

        self.say_what_was_saved(reused, open.len(), repeats.len());
        drop(open);
        let photographs = glances.columns(self.images)?;
        drop(glances);
        refuse_or_warn(self.images, &photographs, &lost, self.unreadable, self.tell)?;
        writer.finish()?;
        Ok(Filled {
            pack: path,
            photographs,
        })
    }

    /// Tells the writer what makes each row, and gives what the digests of that lead with.
    fn makings(&self, writer: &Rows) -> Result<Vec<u64>> {
        let mut leading = Vec::with_capacity(self.images.len());
        for from in (0..self.images.len()).step_by(BATCH) {
            let digests = (self.images).digests(from..self.images.len().min(from + BATCH))?;
            let makings = digests.par_iter().enumerate();
            let makings = makings.map(|(k, file)| made_of(file, self.images.crop(from + k)));
            let makings: Vec<Digest> = makings.collect();
            writer.are_made_of(from, &makings)?;
            leading.extend(makings.iter().map(Digest::leading));
        }
        Ok(leading)
    }

    /// Where the pack is made: at `path`, or within the folder of an unfinished making; then with the folder that the last one left.
    fn begin(&self, path: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
        let Some(unfinished) = &self.unfinished else {
            return Ok((path.to_owned(), None));
        };
        let (now, left) = journal::begin(unfinished.state)?;
        Ok((now.join(Pack::FILE), Some(left)))
    }

    /// The folders with rows of unfinished makings: the last one's, then those of others.
    fn left_rows(&self, left: &Path) -> Vec<PathBuf> {
        let others = self
            .unfinished
            .iter()
            .flat_map(|unfinished| unfinished.others);
        let of = |other: &PathBuf| ["rows", "left"].map(|name| other.join(name));
        std::iter::once(left.to_owned())
            .chain(others.flat_map(of))
            .collect()
    }

    /// Copies the rows that are equal to another one.
    fn repeat(
        &self,
        repeats: &[(u32, u32)],
        writer: &Rows,
        glances: &mut Glances,
        watch: &impl Watch,
    ) -> Result<()> {
        for (i, of) in repeats {
            self.stop.check()?;
            let (i, of) = (*i as usize, *of as usize);
            if !glances.has(of) {
                continue; // It could not even be read, which ends the making later.
            }
            writer.repeat(of, i)?;
            watch.repeat(of, i)?;
            glances.put(i, glances.get(of));
        }
        Ok(())
    }

    /// Takes over what earlier packs have of the wanted rows, and says how many.
    fn reuse(
        &self,
        wanted: &Wanted<'_>,
        writer: &Rows,
        glances: &mut Glances,
        watch: &impl Watch,
    ) -> Result<usize> {
        let earlier = Earlier::open(self.earlier, writer.pixels.head(), writer.compares());
        let pieces = earlier.find(wanted)?;
        if pieces.is_empty() {
            return Ok(0);
        }
        let progress = Progress::new(self.tell, "reusing", pieces.iter().map(|p| p.rows).sum());
        let mut n = 0;
        for pieces in pieces.chunks(PIECES) {
            let taken = pieces.par_iter().map(|piece| {
                self.stop.check()?;
                let taken = earlier.take(piece, writer, watch)?;
                progress.more(piece.rows);
                Ok(taken)
            });
            for row in taken.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
                glances.put(row.to, row.photograph);
                n += 1;
            }
        }
        Ok(n)
    }

    /// Decodes the open rows; what comes back could not be read at all.
    fn decode(
        &self,
        open: &[u32],
        places: &(impl Fn(usize) -> Place + Sync),
        writer: &Rows,
        glances: &mut Glances,
        watch: &impl Watch,
    ) -> Result<Vec<Why>> {
        let progress = Progress::new(self.tell, "decoding", open.len());
        let idle = Mutex::new(Vec::new());
        let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lost = Vec::new();
        for (batch, open) in open.chunks(BATCH).enumerate() {
            // Short pieces, so that all threads end at about the same time.
            let pieces = open.par_chunks(PIECE).enumerate().with_max_len(1);
            let decoded = pieces.map(|(piece, open)| {
                let from = batch * BATCH + piece * PIECE;
                let resampler = idle().pop();
                let mut resampler = resampler.unwrap_or_else(|| {
                    let resampler = Resampler::new(self.pixels);
                    match writer.compares() {
                        true => resampler.comparing(),
                        false => resampler,
                    }
                });
                let mut decoded = Vec::with_capacity(open.len());
                for (k, i) in open.iter().enumerate() {
                    self.stop.check()?;
                    let place = places(from + k);
                    let i = *i as usize;
                    decoded.push((i, self.one(i, &place, &mut resampler, writer, watch)?));
                    progress.more(1);
                }
                idle().push(resampler);
                Ok(decoded)
            });
            for (i, done) in decoded.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
                match done {
                    Ok(photograph) => glances.put(i, photograph),
                    Err(why) => lost.push(Why { image: i, why }),
                }
            }
        }
        Ok(lost)
    }

    /// Reads, checks, decodes and writes one image; the inner error says why it cannot be read.
    fn one(
        &self,
        i: usize,
        place: &Place,
        resampler: &mut Resampler,
        writer: &Rows,
        watch: &impl Watch,
    ) -> Result<Result<Photograph, String>> {
        let bytes = match place.read() {
            Ok(bytes) => bytes,
            // Of a zip that is another file now nothing is known.
            Err(_) if place.has_changed() => return Err(changed(place)),
            Err(e) => {
                return match self.why_as_listed(place, i, &e)? {
                    Some(why) => self.drop_row(i, writer, why),
                    None => Ok(Err(e.to_string())),
                };
            }
        };
        if Digest::of(&bytes) != self.images.digest(i)? {
            return Err(changed(place));
        }
        let mut row = match resampler.decode(&bytes, self.images.crop(i)) {
            Ok(row) => row,
            Err(why) => return self.drop_row(i, writer, why),
        };
        let sum = sum(&row.pixels);
        let photograph = Photograph {
            width: row.width,
            height: row.height,
            format: row.format.to_owned(),
            brightness: (sum as f64 / row.pixels.len().max(1) as f64) as f32,
            odd: row.odd,
            dropped: None,
        };
        let compared = row.compared.as_deref();
        let digest = writer.write(i, &mut row.pixels, compared, &photograph)?;
        let look = Look {
            pixels: &row.pixels,
            digest,
            compared,
        };
        watch.see(i, look)?;
        Ok(Ok(photograph))
    }

    fn drop_row(
        &self,
        i: usize,
        writer: &Rows,
        why: Unusable,
    ) -> Result<Result<Photograph, String>> {
        let photograph = Photograph {
            dropped: Some(why),
            ..Photograph::default()
        };
        writer.drop_row(i, &photograph)?;
        Ok(Ok(photograph))
    }

    /// Why a file cannot be used, where its digest says the same: it could not be read when the data set was listed either.
    fn why_as_listed(&self, place: &Place, i: usize, error: &Error) -> Result<Option<Unusable>> {
        match place {
            // What a zip holds is content, as the zip itself is; one that was damaged when it was listed has no length.
            Place::Zip { .. } => {
                let empty = self.images.has_no_bytes(i);
                Ok(empty.then(|| Unusable::InZip(error.to_string())))
            }
            Place::File(_) if place.is_oversize() => {
                Ok(Some(Unusable::OverMegabytes(LARGEST_ENTRY >> 20)))
            }
            Place::File(path) => {
                let Some(why) = files::why_lost(path, error) else {
                    return Ok(None);
                };
                let lost = Digest::of_lost(&self.images.path(i)?, why);
                let as_listed = lost == self.images.digest(i)?;
                Ok(as_listed.then(|| Unusable::Lost(why.to_owned())))
            }
        }
    }

    /// What a second look at a changed data set did not cost.
    fn say_what_was_saved(&self, reused: usize, decoded: usize, repeats: usize) {
        if reused + repeats == 0 {
            return;
        }
        let all = number(self.images.len() as u64);
        let mut text = format!(
            "reused {} of {all} images, decoded {}",
            number(reused as u64),
            number(decoded as u64)
        );
        if repeats > 0 {
            text += &format!(
                "; {} {} equal to others, byte for byte",
                number(repeats as u64),
                either(repeats, "is", "are")
            );
        }
        (self.tell)(StageEvent::Note(text));
    }
}

/// Of all values; in pieces whose sums are small, which is several times as fast.
fn sum(values: &[u8]) -> u64 {
    Sum(values).vectorised()
}

struct Sum<'a>(&'a [u8]);

impl Vectorised for Sum<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut sum = 0;
        for piece in self.0.chunks(1 << 16) {
            let mut of_piece = 0_u32;
            for value in piece {
                of_piece = of_piece.wrapping_add(u32::from(*value));
            }
            sum += u64::from(of_piece);
        }
        sum
    }
}

fn changed(place: &Place) -> Error {
    Error::failed(format!(
        "`{place}` changed since the data set was listed; nothing is stored"
    ))
    .help("run again once the files stay as they are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_more_than_a_piece_is_whole() {
        assert_eq!(sum(&vec![255; 200_001]), 255 * 200_001);
        assert_eq!(sum(&[]), 0);
    }
}
