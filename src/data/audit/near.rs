//! Near pairs: candidates by hashes, then a look at each.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    align::{Agreement, agreement},
    closer_look::CloserLook,
    coefficients::{form, hash, hashes, inverse},
    fingerprint::SIDE,
    index::{Index, Unsorted},
    join::{Questions, join},
    parallax::parallax,
    picture::{Picture, black},
    variant::{Map, VARIANTS},
};
use crate::{error::Result, files::Scratch, stop::Stop};

/// Bits in which the hash of a copy may differ: of a whole picture, and of one cut or turned.
const WHOLE: u32 = 11;
const CHANGED: u32 = 7;
/// The correlation of pictures before and after they are laid onto each other, and of their detail, from which on they are one.
const BEFORE: f32 = 0.5;
const AFTER: f32 = 0.8;
const DETAIL: f32 = 0.7;
/// The shift within a pair from which on it is two photographs of one scene, in cells of a closer look.
const MOVED: f64 = 0.36;
/// A picture with a smaller standard deviation (of 255) is flat: it looks like every other flat one, which means nothing.
const FLAT: f64 = 3.0;
/// Variants that are tried on a pair, the nearest hashes first.
const TRIED: usize = 3;
/// Pairs that are looked at for one image, and hashes that are compared for it: bounds for sets of thousands of almost equal
/// pictures, far above what others need.
const LOOKED_AT: usize = 512;
const COMPARED: usize = 4_000_000;

/// Images whose hashes are made at a time, and those that are searched for together by a thread: at most, and at least.
const BATCH: usize = 1 << 14;
const TOGETHER: usize = 1 << 10;
const FEW: usize = 64;
/// Candidates of one image from which on those are left out that are not looked at: twice and more of what stays.
const CROWDED: usize = 1 << 12;

/// The thumbnail of an image, wherever it is kept.
type Thumbnail<'a> = dyn Fn(usize) -> Result<Box<[u8; SIDE * SIDE]>> + Sync + 'a;

/// Two images that agree: what `copy` shows is what `original` shows through the map.
struct Agreed {
    original: usize,
    copy: usize,
    map: Map,
    correlation: f32,
}

impl Agreed {
    /// The smaller place first.
    fn places(&self) -> (usize, usize) {
        (self.original.min(self.copy), self.original.max(self.copy))
    }
}

/// A pair that may be one: the other image, bits that differ, the variant and the form of the first.
type Candidate = (u32, u32, u8, u8);

/// Pairs of places with their correlation, each once, the smaller place first, in order. The hashes of the search go to `scratch`.
pub(super) fn find(
    count: usize,
    thumbnail: &Thumbnail<'_>,
    closer: &(impl Fn(usize) -> Result<CloserLook> + Sync),
    scratch: Scratch,
    stop: &Stop,
) -> Result<Vec<(usize, usize, f32)>> {
    // Pictures are made of thumbnails where they are looked at: as numbers they take four times the memory.
    let forms = Forms::new(count, thumbnail, scratch, stop)?;
    // So many that all threads end at about the same time.
    let together = (count / (4 * rayon::current_num_threads())).clamp(FEW, TOGETHER);
    let batches = (0..count.div_ceil(together))
        .into_par_iter()
        .with_max_len(1);
    let found = batches.map(|i| {
        let images = i * together..count.min((i + 1) * together);
        let pictures = pictures(images, thumbnail)?;
        let mut found = Vec::new();
        for ((a, picture), candidates) in pictures.iter().zip(forms.candidates(&pictures, stop)?) {
            stop.check()?;
            found.extend(confirmed(*a, picture, &candidates, thumbnail)?);
        }
        Ok(found)
    });
    let found = found.collect::<Result<Vec<_>>>()?;
    let mut found: Vec<Agreed> = found.into_iter().flatten().collect();
    drop(forms);
    // A pair may be found from both sides: the better correlation stays.
    found.sort_by(|x, y| {
        let better = y.correlation.total_cmp(&x.correlation);
        x.places().cmp(&y.places()).then(better)
    });
    found.dedup_by_key(|pair| pair.places());
    let kept = found
        .par_iter()
        .map(|pair| {
            stop.check()?;
            let (a, b) = pair.places();
            let copy = !is_of_one_scene(pair, closer)?;
            Ok(copy.then_some((a, b, pair.correlation)))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(kept.into_iter().flatten().collect())
}

/// Images that are not flat, by their places.
type Pictures = Vec<(usize, Box<Picture<SIDE>>)>;

fn pictures(images: Range<usize>, thumbnail: &Thumbnail<'_>) -> Result<Pictures> {
    let picture = |i: usize| Ok(picture_of(&*thumbnail(i)?).map(|picture| (i, picture)));
    images.filter_map(|i| picture(i).transpose()).collect()
}

/// All eight forms of the pictures that are not flat, so that a variant is looked up once and not in eight forms of its own.
struct Forms {
    index: Index,
    /// The image of every eight hashes.
    images: Vec<u32>,
}

impl Forms {
    fn new(count: usize, thumbnail: &Thumbnail<'_>, scratch: Scratch, stop: &Stop) -> Result<Self> {
        let mut unsorted = Unsorted::new(scratch);
        let mut images = Vec::new();
        for from in (0..count).step_by(BATCH) {
            stop.check()?;
            let batch = (from..count.min(from + BATCH)).into_par_iter();
            let hashed = batch.map(|i| {
                let picture = picture_of(&*thumbnail(i)?);
                let hashes = picture.map(|picture| hashes(&VARIANTS.plain(&picture)));
                Ok(hashes.map(|hashes| (hashes, i as u32)))
            });
            let hashed = hashed.collect::<Result<Vec<Option<([u64; 8], u32)>>>>()?;
            for (hashes, image) in hashed.into_iter().flatten() {
                unsorted.push(&hashes)?;
                images.push(image);
            }
        }
        Ok(Self {
            index: unsorted.sorted()?,
            images,
        })
    }

    /// The candidates of each picture, by the other image and then the nearest first: as many as are looked at.
    fn candidates(&self, pictures: &Pictures, stop: &Stop) -> Result<Vec<Vec<Candidate>>> {
        let variants = VARIANTS.all.len();
        let mut asked = Vec::with_capacity(variants * pictures.len());
        for (_, picture) in pictures {
            asked.extend(VARIANTS.of(picture).iter().map(hash));
        }
        let mut radii = vec![CHANGED; variants];
        radii[0] = WHOLE;
        let questions = Questions {
            hashes: &asked,
            radii: &radii,
            budget: COMPARED,
        };
        let mut found = vec![Vec::new(); pictures.len()];
        join(&self.index, &questions, stop, |near| {
            let (of, v) = (near.question / variants, near.question % variants);
            let (a, b) = (pictures[of].0, self.images[near.place as usize / 8]);
            // Whole pictures are found from both sides alike; one is enough.
            if b as usize != a && (v > 0 || b as usize > a) {
                let f = inverse(near.place as usize % 8);
                found[of].push((b, near.distance, v as u8, f as u8));
                if found[of].len() > CROWDED {
                    tidy(&mut found[of]);
                }
            }
        })?;
        found.iter_mut().for_each(tidy);
        Ok(found)
    }
}

/// Leaves what is looked at of candidates, in order: more of them later change nothing of what is left out.
fn tidy(candidates: &mut Vec<Candidate>) {
    candidates.sort_unstable();
    candidates.dedup();
    let (mut images, mut tried, mut last) = (0, 0, None);
    candidates.retain(|(b, ..)| {
        tried = if last == Some(*b) { tried + 1 } else { 1 };
        images += usize::from(tried == 1);
        last = Some(*b);
        images <= LOOKED_AT && tried <= TRIED
    });
}

/// A thumbnail as numbers; `None` for a flat one.
fn picture_of(thumbnail: &[u8; SIDE * SIDE]) -> Option<Box<Picture<SIDE>>> {
    let cells = thumbnail.iter().map(|v| f64::from(*v));
    let n = (SIDE * SIDE) as f64;
    let mean = cells.clone().sum::<f64>() / n;
    let variance = cells.map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let mut picture = black();
    let values = picture.as_flattened_mut().iter_mut();
    for (value, small) in values.zip(thumbnail) {
        *value = f32::from(*small);
    }
    (variance.sqrt() >= FLAT).then_some(picture)
}

/// Those of them that agree.
fn confirmed(
    a: usize,
    picture: &Picture<SIDE>,
    candidates: &[Candidate],
    thumbnail: &Thumbnail<'_>,
) -> Result<Vec<Agreed>> {
    let mut found = Vec::new();
    for of_one in candidates.chunk_by(|x, y| x.0 == y.0) {
        let b = of_one[0].0 as usize;
        let Some(other) = picture_of(&*thumbnail(b)?) else {
            continue;
        };
        let agreed = of_one.iter().find_map(|(_, _, v, f)| {
            let map = through(&VARIANTS.all[*v as usize].map, *f as usize);
            agreement(picture, &other, map, BEFORE).filter(|(agreed, _)| is_copy(agreed))
        });
        found.extend(agreed.map(|(agreed, map)| Agreed {
            original: a,
            copy: b,
            map,
            // Four digits are enough, and the same everywhere.
            correlation: (agreed.detail * 1e4).round() / 1e4,
        }));
    }
    Ok(found)
}

/// Whether a closer look finds two photographs of one scene; not where it cannot tell.
fn is_of_one_scene(pair: &Agreed, closer: &impl Fn(usize) -> Result<CloserLook>) -> Result<bool> {
    let (original, copy) = (closer(pair.original)?.0, closer(pair.copy)?.0);
    let moved = original
        .zip(copy)
        .and_then(|(a, b)| parallax(&a, &b, pair.map));
    Ok(moved.is_some_and(|moved| moved >= MOVED))
}

fn is_copy(agreement: &Agreement) -> bool {
    agreement.whole >= AFTER && agreement.detail >= DETAIL
}

/// The map of a variant behind that of a form.
fn through(map: &Map, f: usize) -> Map {
    let at = |x: f64, y: f64| {
        let [x, y] = form(f, [x, y]);
        [
            map[0] + map[1] * x + map[2] * y,
            map[3] + map[4] * x + map[5] * y,
        ]
    };
    let ([x0, y0], [x1, y1], [x2, y2]) = (at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0));
    [x0, x1 - x0, x2 - x0, y0, y1 - y0, y2 - y0]
}
