//! Rows of earlier packs that need no decoding again.

use std::path::{Path, PathBuf};

use super::{
    Look, Pack,
    glance::Glances,
    journal::COMPARED,
    layout::Head,
    rows::{Rows, Watch},
    wanted::Wanted,
};
use crate::{
    data::resample::COMPARED_SIDE,
    error::Result,
    files::read_json,
    record::{Photograph, PhotographColumns, Photographs, Unusable},
    settings::Storage,
};

/// The most bytes that are copied in one piece: between two pieces a request to stop is heeded.
const PIECE: usize = 32 << 20;

/// Earlier results of the same work on other images, newest first.
pub(super) struct Earlier(Vec<Finished>);

/// One of them.
struct Finished {
    pack: Pack,
    photographs: Glances,
    /// What is compared of photographs that a row shows a part of.
    compared: Option<Pack>,
}

/// Rows that lie behind each other here and there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The first row of the new pack.
    to: usize,
    /// The earlier pack and its first row.
    pack: usize,
    row: usize,
    /// How many.
    pub(super) rows: usize,
}

/// A row that was taken over.
pub(super) struct Taken {
    pub(super) to: usize,
    pub(super) photograph: Photograph,
}

impl Earlier {
    /// Opens what can be used in these folders. The rest is passed over without a word: it costs decoding and nothing else.
    /// `compares` says whether something to compare must be there beside the rows.
    pub(super) fn open(folders: &[PathBuf], head: &Head, compares: bool) -> Self {
        let usable = |folder: &PathBuf| open(folder, head, compares);
        Self(folders.iter().filter_map(usable).collect())
    }

    /// Where the wanted rows are, each given by the digest of what makes it and its place in the new pack.
    ///
    /// # Errors
    /// When an index cannot be read, or the makings of wanted rows.
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> Result<Vec<Piece>> {
        let mut found = Vec::new();
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut taken = vec![false; wanted.rows()];
        for (pack, earlier) in self.0.iter().enumerate() {
            let (photographs, earlier) = (&earlier.photographs, &earlier.pack);
            for entry in earlier.entries() {
                let (row, entry) = entry?;
                if found.len() == wanted.len() {
                    break;
                }
                let dropped = |row| photographs.get(row).dropped;
                if entry.dropped
                    && dropped(row)
                        .as_ref()
                        .is_some_and(Unusable::is_for_this_version)
                {
                    continue;
                }
                if let Some(to) = wanted.get(&entry.made_of)?
                    && !std::mem::replace(&mut taken[to], true)
                {
                    found.push((to as u32, pack as u32, row as u32));
                }
            }
        }
        found.sort_unstable();
        let most = |pack: usize| (PIECE / self.0[pack].pack.row_bytes()).max(1);
        let mut pieces: Vec<Piece> = Vec::new();
        for (to, pack, row) in found {
            let (to, pack, row) = (to as usize, pack as usize, row as usize);
            match pieces.last_mut() {
                Some(last)
                    if (last.to + last.rows, last.pack, last.row + last.rows)
                        == (to, pack, row)
                        && last.rows < most(pack) =>
                {
                    last.rows += 1;
                }
                _ => pieces.push(Piece {
                    to,
                    pack,
                    row,
                    rows: 1,
                }),
            }
        }
        Ok(pieces)
    }

    /// Takes over the rows of a piece that are as their index says: shared by the file system where it can, else written while
    /// they are at hand.
    pub(super) fn take(
        &self,
        piece: &Piece,
        rows: &Rows,
        watch: &impl Watch,
    ) -> Result<Vec<Taken>> {
        let Finished {
            pack,
            photographs,
            compared,
        } = &self.0[piece.pack];
        let writer = &rows.pixels;
        let mut taken = Vec::with_capacity(piece.rows);
        let mut whole = vec![false; piece.rows];
        let (mut buffer, mut compared_buffer) = (Vec::new(), Vec::new());
        for (k, whole) in whole.iter_mut().enumerate() {
            let row = piece.row + k;
            let Ok(stored) = pack.read_whole(row, &mut buffer) else {
                continue;
            };
            let dropped = pack.is_dropped(row);
            let compared = match compared.as_ref().filter(|_| !dropped) {
                None => None,
                Some(compared) => match compared.read_whole(row, &mut compared_buffer) {
                    Ok(compared) => Some(compared),
                    Err(_) => continue,
                },
            };
            match pack.storage() {
                _ if dropped => {}
                Storage::Raw => watch.see(piece.to + k, Look::at(stored, compared))?,
                // An encoded row may be whole and still be of another decoder's making.
                Storage::Jpeg => match pack.row(row) {
                    Ok(pixels) => watch.see(piece.to + k, Look::at(&pixels, compared))?,
                    Err(_) => continue,
                },
            }
            rows.compare(piece.to + k, compared)?;
            if !writer.shares() {
                writer.take_row(piece.to + k, stored, &pack.index_entry(row))?;
            }
            *whole = true;
            taken.push(Taken {
                to: piece.to + k,
                photograph: photographs.get(row),
            });
        }
        if writer.shares() {
            let mut from = 0;
            for run in whole.chunk_by(|a, b| a == b) {
                if run[0] {
                    writer.share_rows(piece.to + from, run.len(), pack, piece.row + from)?;
                }
                from += run.len();
            }
        }
        Ok(taken)
    }
}

fn open(folder: &Path, head: &Head, compares: bool) -> Option<Finished> {
    let pack = Pack::open(&folder.join(Pack::FILE)).ok()?;
    let found: PhotographColumns = read_json(&folder.join(Photographs::FILE)).ok()?;
    let found = Glances::of(found);
    let same = (pack.width(), pack.height(), pack.storage())
        == (head.width, head.height, head.storage)
        && pack.len() == found.len()
        && pack
            .entries()
            .all(|entry| entry.is_ok_and(|(i, entry)| entry.dropped == found.is_dropped(i)));
    let side = COMPARED_SIDE as usize;
    let compared = compares.then(|| {
        let compared = Pack::open(&folder.join(COMPARED)).ok()?;
        let sides = (compared.width(), compared.height(), compared.len());
        (sides == (side, side, pack.len())).then_some(compared)
    });
    let compared = match compared {
        None => None,
        Some(compared) => Some(compared?),
    };
    same.then_some(Finished {
        pack,
        photographs: found,
        compared,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::{super::PackWriter, *};
    use crate::{
        digest::Digest,
        files::write_json,
        settings::{Count, Fit, Pixels, Resize},
    };

    /// The rows that were seen, with their first value.
    #[derive(Default)]
    struct Seen(Mutex<Vec<(usize, u8)>>);

    impl Watch for Seen {
        fn see(&self, i: usize, look: Look<'_>) -> Result<()> {
            self.0.lock().unwrap().push((i, look.pixels[0]));
            Ok(())
        }

        fn repeat(&self, _: usize, _: usize) -> Result<()> {
            Ok(())
        }
    }

    fn digest(i: u8) -> Digest {
        Digest::of(&[i])
    }

    /// A pack with a row of one pixel for each number.
    fn pack(folder: &Path, name: &str, of: &[u8]) -> PathBuf {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).unwrap();
        let made_of = of.iter().map(|i| digest(*i)).collect();
        let path = folder.join(Pack::FILE);
        let writer = PackWriter::create(&path, 1, 1, Storage::Raw, made_of).unwrap();
        for (row, i) in of.iter().enumerate() {
            writer.write(row, &[*i; 3]).unwrap();
        }
        writer.finish().unwrap();
        let photographs = vec![Photograph::default(); of.len()];
        write_json(
            &folder.join(Photographs::FILE),
            &Photographs { photographs },
        )
        .unwrap();
        folder
    }

    #[test]
    fn neighbours_are_copied_together_and_damaged_rows_are_left() {
        let folder = tempfile::tempdir().unwrap();
        let new = pack(folder.path(), "new", &[1, 2, 3]);
        let old = pack(folder.path(), "old", &[5, 4, 3, 1]);
        let head = Head::new(1, 1, Storage::Raw, 6).unwrap();
        let pixels = Pixels::new(Resize::Sides {
            width: Count::new(1).unwrap(),
            height: Count::new(1).unwrap(),
            fit: Fit::Squash,
        });
        let lost = folder.path().join("gone");
        let earlier = Earlier::open(&[lost, new.clone(), old], &head, false);
        assert_eq!(earlier.0.len(), 2);
        let images = [1, 2, 3, 9, 5, 4];
        let made_of = images.map(digest);
        let making = |i: usize| Ok(made_of[i]);
        let (wanted, _) =
            Wanted::of(made_of.iter().map(Digest::leading).collect(), &making).unwrap();
        let pieces = earlier.find(&wanted).unwrap();
        let found: Vec<_> = pieces
            .iter()
            .map(|p| (p.to, p.pack, p.row, p.rows))
            .collect();
        assert_eq!(found, [(0, 0, 0, 3), (4, 1, 0, 2)]);

        // The second row of the new pack is damaged.
        let path = new.join(Pack::FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.len() - 4;
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        for shares in [false, true] {
            let made_of = images.map(digest).to_vec();
            let made = folder.path().join("made");
            let mut writer = Rows::create(&made, pixels, Storage::Raw, 6, None).unwrap();
            writer.are_made_of(0, &made_of).unwrap();
            let watch = Seen::default();
            writer.pixels = writer.pixels.sharing(shares);
            let mut taken = Vec::new();
            for piece in &pieces {
                taken.extend(earlier.take(piece, &writer, &watch).unwrap());
            }
            let taken: Vec<_> = taken.iter().map(|t| t.to).collect();
            assert_eq!(taken, [0, 2, 4, 5]);
            let seen = watch.0.into_inner().unwrap();
            assert_eq!(seen, [(0, 1), (2, 3), (4, 5), (5, 4)]);
            writer.pixels.write(1, &[2; 3]).unwrap();
            writer.repeat(0, 3).unwrap();
            writer.finish().unwrap();
            let made = Pack::open(&made).unwrap();
            made.verify().unwrap();
            let rows: Vec<_> = (0..6).map(|i| made.row(i).unwrap()[0]).collect();
            assert_eq!(rows, [1, 2, 3, 1, 5, 4]);
        }
    }
}
