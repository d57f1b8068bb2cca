//! How well the leak audit finds planted copies, and what it costs.
//!
//! Originals are the training images of `korean20` and `korean_transfer7` in the folder that `KFOOD_REAL_DATA` names, or generated
//! photographs where it names none. Of each kind of change 300 of them are copied, compressed again at quality 90 unless the
//! kind says otherwise, and searched among all originals and the other copies. A pair of two different originals is false
//! unless the search finds it among the originals alone. With `KFOOD_AUDIT_DUMP` set, pairs found among the originals and
//! false ones are drawn side by side into that folder.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table is printed"
)]

use std::{
    collections::BTreeSet,
    env,
    f64::consts::PI,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder, imageops};
use kfood::{
    data::{
        Reading, Resampler,
        audit::{CloserLook, Fingerprint, find},
        sample::{self, SampleSettings},
        scan,
    },
    digest::Digest,
    record::{LookAlikes, Pair, Part},
    seed::stream,
    settings::{Count, Pixels, Resize},
    stop::Stop,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const COPIES: usize = 300;
const SIDE: u32 = 224;

type Seen = (Fingerprint, Digest, Arc<Vec<u8>>);
type Change = fn(&RgbImage, &mut ChaCha8Rng) -> (RgbImage, u8);

const KINDS: &[(&str, Change)] = &[
    ("quality 70", |i, _| (i.clone(), 70)),
    ("quality 50", |i, _| (i.clone(), 50)),
    ("quality 30", |i, _| (i.clone(), 30)),
    ("resized to 50%", |i, _| (resized(i, 0.5), 90)),
    ("resized to 200%", |i, _| (resized(i, 2.0), 90)),
    ("cropped 5%", |i, r| (cropped(i, 0.05, r), 90)),
    ("cropped 10%", |i, r| (cropped(i, 0.10, r), 90)),
    ("cropped 15%", |i, r| (cropped(i, 0.15, r), 90)),
    ("cropped 20%", |i, r| (cropped(i, 0.20, r), 90)),
    ("rotated 5 degrees, black corners", |i, r| {
        (rotated(i, 5.0, false, r), 90)
    }),
    ("rotated 10 degrees, black corners", |i, r| {
        (rotated(i, 10.0, false, r), 90)
    }),
    ("rotated 15 degrees, black corners", |i, r| {
        (rotated(i, 15.0, false, r), 90)
    }),
    ("rotated 5 degrees, cut square", |i, r| {
        (rotated(i, 5.0, true, r), 90)
    }),
    ("rotated 10 degrees, cut square", |i, r| {
        (rotated(i, 10.0, true, r), 90)
    }),
    ("rotated 15 degrees, cut square", |i, r| {
        (rotated(i, 15.0, true, r), 90)
    }),
    ("rotated 7.5 degrees, cut square", |i, r| {
        (rotated(i, 7.5, true, r), 90)
    }),
    ("mirrored", |i, _| (imageops::flip_horizontal(i), 90)),
    ("rotated 90 degrees", |i, _| (imageops::rotate90(i), 90)),
    ("brightness -40%", |i, _| (brighter(i, 0.6), 90)),
    ("brightness -20%", |i, _| (brighter(i, 0.8), 90)),
    ("brightness +20%", |i, _| (brighter(i, 1.2), 90)),
    ("brightness +40%", |i, _| (brighter(i, 1.4), 90)),
    ("mirrored, cropped 10%, quality 50", |i, r| {
        (imageops::flip_horizontal(&cropped(i, 0.1, r)), 50)
    }),
    ("resized to 50%, brightness +20%, quality 30", |i, _| {
        (brighter(&resized(i, 0.5), 1.2), 30)
    }),
    ("rotated 5 degrees, brightness -20%, quality 50", |i, r| {
        (brighter(&rotated(i, 5.0, true, r), 0.8), 50)
    }),
    ("rotated 90 degrees, cropped 15%", |i, r| {
        (imageops::rotate90(&cropped(i, 0.15, r)), 90)
    }),
];

/// Correlations of detail at which recall is shown beside the audit's own.
const SURE: [f32; 6] = [0.6, 0.7, 0.75, 0.8, 0.85, 0.9];

fn main() {
    if env::args().any(|a| a == "--as-found") {
        return as_found();
    }
    let keep = tempfile::tempdir().unwrap();
    let originals = Originals::read(&originals(keep.path()));
    let dump = env::var_os("KFOOD_AUDIT_DUMP").map(PathBuf::from);
    let fine = originals.alike(dump.as_deref());
    let columns = SURE.map(|least| format!("at {least}"));
    println!(
        "| change | n | found (false pairs) | {} |",
        columns.join(" | ")
    );
    let (mut found_all, mut false_all) = (0, 0);
    for (k, (name, change)) in KINDS.iter().enumerate() {
        let planted = Planted::of(&originals, k, *change);
        let (found, wrong) = planted.told(name, &fine, dump.as_deref());
        found_all += found;
        false_all += wrong;
    }
    println!(
        "precision over all: {:.2}%",
        100.0 * found_all as f64 / (found_all + false_all).max(1) as f64
    );
    as_found();
    timing(&originals.known);
}

/// Photographs of which no two have the same bytes.
struct Originals {
    images: Vec<RgbImage>,
    known: Vec<Seen>,
    names: Vec<String>,
}

impl Originals {
    fn read(paths: &[PathBuf]) -> Self {
        let bytes: Vec<Vec<u8>> = paths
            .par_iter()
            .map(|path| fs::read(path).unwrap())
            .collect();
        let known = seen(&bytes);
        let mut digests = BTreeSet::new();
        let distinct: Vec<usize> = (0..known.len())
            .filter(|i| digests.insert(known[*i].1))
            .collect();
        Self {
            images: distinct
                .par_iter()
                .map(|i| image::open(&paths[*i]).unwrap().into_rgb8())
                .collect(),
            known: distinct.iter().map(|i| known[*i].clone()).collect(),
            names: distinct
                .iter()
                .map(|i| paths[*i].display().to_string())
                .collect(),
        }
    }

    /// Tells what look-alikes there are among them; gives all pairs within a family.
    fn alike(&self, dump: Option<&Path>) -> BTreeSet<(usize, usize)> {
        let began = Instant::now();
        let among = search(&self.known);
        println!(
            "{} distinct originals, {} pairs among them, {:.2} s",
            self.known.len(),
            among.pairs.len(),
            began.elapsed().as_secs_f64()
        );
        for Pair {
            a, b, correlation, ..
        } in &among.pairs
        {
            let [one, other] = [a, b].map(|i| *i as usize);
            println!(
                "  {} {} {correlation:.3}",
                self.names[one], self.names[other]
            );
            if let Some(folder) = dump {
                beside(
                    folder,
                    "among",
                    &self.images[one],
                    &self.images[other],
                    *a,
                    *b,
                );
            }
        }
        let mut fine = BTreeSet::new();
        for family in among.families(|_| true) {
            for a in &family {
                fine.extend(family.iter().map(|b| (*a, *b)));
            }
        }
        fine
    }
}

/// Changed copies of some originals, and what the audit finds among them and all originals.
struct Planted<'a> {
    originals: &'a Originals,
    /// The originals that were copied.
    which: Vec<usize>,
    copies: Vec<RgbImage>,
    found: LookAlikes,
}

impl<'a> Planted<'a> {
    /// Copies of change `k`.
    fn of(originals: &'a Originals, k: usize, change: Change) -> Self {
        let images = &originals.images;
        let n = COPIES.min(images.len());
        let which: Vec<usize> = (0..n).map(|i| i * images.len() / n).collect();
        let copy = |i: &usize| {
            let mut rng = stream(7, "audit bench", &[k as u64, *i as u64]);
            let (image, quality) = change(&images[*i], &mut rng);
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, quality)
                .encode_image(&image)
                .unwrap();
            image::load_from_memory(&bytes).unwrap().into_rgb8()
        };
        let copies: Vec<RgbImage> = which.par_iter().map(copy).collect();
        let planted: Vec<Vec<u8>> = copies.par_iter().map(png).collect();
        let mut all = originals.known.clone();
        all.extend(seen(&planted));
        Self {
            found: search(&all),
            originals,
            which,
            copies,
        }
    }

    /// The copy's place among the copies, if it is one.
    fn copy(&self, i: u32) -> Option<usize> {
        (i as usize).checked_sub(self.originals.known.len())
    }

    /// The original that an image is or was made from.
    fn origin(&self, i: u32) -> usize {
        self.copy(i).map_or(i as usize, |copy| self.which[copy])
    }

    fn image(&self, i: u32) -> &RgbImage {
        match self.copy(i) {
            Some(copy) => &self.copies[copy],
            None => &self.originals.images[i as usize],
        }
    }

    /// The originals whose copies are found with at least such a correlation.
    fn hits(&self, least: f32) -> usize {
        let sure = self.found.pairs.iter().filter(|p| p.correlation >= least);
        let right = sure.filter(|p| self.origin(p.a) == self.origin(p.b));
        let found: BTreeSet<usize> = right.map(|p| self.origin(p.b)).collect();
        found.len()
    }

    /// Prints a line of the table; gives how many copies were found, and how many pairs are false.
    fn told(
        &self,
        name: &str,
        fine: &BTreeSet<(usize, usize)>,
        dump: Option<&Path>,
    ) -> (usize, usize) {
        let is_false = |pair: &&Pair| {
            let (a, b) = (self.origin(pair.a), self.origin(pair.b));
            a != b && !fine.contains(&(a, b))
        };
        let wrong: Vec<_> = self.found.pairs.iter().filter(is_false).collect();
        if let Some(folder) = dump {
            let what = format!("false {name}");
            for pair in &wrong {
                let (a, b) = (pair.a, pair.b);
                beside(folder, &what, self.image(a), self.image(b), a, b);
            }
        }
        let n = self.which.len();
        let percent = |hits: usize| 100.0 * hits as f64 / n as f64;
        let wrong_at = |least: f32| wrong.iter().filter(|p| p.correlation >= least).count();
        let sure = SURE.map(|least| {
            let found = percent(self.hits(least));
            format!("{found:.1}% ({})", wrong_at(least))
        });
        let all = self.hits(f32::NEG_INFINITY);
        println!(
            "| {name} | {n} | {:.1}% ({}) | {} |",
            percent(all),
            wrong.len(),
            sure.join(" | ")
        );
        (all, wrong.len())
    }
}

/// What the audit says of real data sets as they were found.
fn as_found() {
    let Some(real) = env::var_os("KFOOD_REAL_DATA").map(PathBuf::from) else {
        return;
    };
    for set in ["korean_banchan10", "korean20", "korean_transfer7"] {
        let mut paths = Vec::new();
        let mut train = 0;
        for (name, role) in [("train", Part::Train), ("test", Part::Test)] {
            let listing = scan(&real.join(set).join(name), role, Reading::default()).unwrap();
            paths.extend(
                listing
                    .images
                    .into_iter()
                    .map(|i| PathBuf::from(i.place.to_string())),
            );
            if role == Part::Train {
                train = paths.len();
            }
        }
        let bytes: Vec<Vec<u8>> = paths
            .par_iter()
            .map(|path| fs::read(path).unwrap())
            .collect();
        let found = search(&seen(&bytes));
        let like = found.nearest(|image| image < train);
        let leaked: Vec<_> = like[train..]
            .iter()
            .flatten()
            .map(|(_, likeness)| *likeness)
            .collect();
        let inside = found
            .pairs
            .iter()
            .filter(|p| (p.b as usize) < train)
            .count();
        println!(
            "{set}: {} of {} test images look like training images ({leaked:?}); {inside} pairs inside of train",
            leaked.len(),
            paths.len() - train,
        );
        let across = |p: &&Pair| (p.a as usize) < train && (p.b as usize) >= train;
        for pair in found.pairs.iter().filter(across).take(20) {
            let name = |i: u32| paths[i as usize].file_name().unwrap_or_default().to_owned();
            println!(
                "  {} {} {:.3}",
                name(pair.a).display(),
                name(pair.b).display(),
                pair.correlation
            );
        }
    }
}

/// The search in a set as large as mission 1's and in a larger one, of originals laid over each other in pairs.
fn timing(known: &[Seen]) {
    let pixels: Vec<u8> = (0..3 * SIDE * SIDE).map(|i| (i * 7 % 251) as u8).collect();
    let began = Instant::now();
    for _ in 0..1000 {
        std::hint::black_box(Fingerprint::of(
            std::hint::black_box(&pixels),
            SIDE as usize,
            SIDE as usize,
        ));
    }
    println!(
        "one fingerprint of 224 x 224: {:.3} ms",
        began.elapsed().as_secs_f64()
    );
    for n in [33_593, 150_000] {
        let mut rng = stream(3, "audit timing", &[]);
        let mixed: Vec<_> = (0..n)
            .map(|_| {
                let (a, b) = (
                    rng.random_range(0..known.len()),
                    rng.random_range(0..known.len()),
                );
                let fingerprint = known[a].0.mixed(
                    &known[b].0,
                    [rng.random_range(0..1024), rng.random_range(0..1024)],
                );
                let digest = Digest::of(&rng.random::<u64>().to_le_bytes());
                (fingerprint, digest, known[a].2.clone())
            })
            .collect();
        let began = Instant::now();
        let found = search(&mixed);
        println!(
            "{n} images: {:.1} s on {} threads, {} pairs",
            began.elapsed().as_secs_f64(),
            rayon::current_num_threads(),
            found.pairs.len()
        );
    }
}

fn originals(keep: &Path) -> Vec<PathBuf> {
    let folders = match env::var_os("KFOOD_REAL_DATA").map(PathBuf::from) {
        Some(real) => vec![
            real.join("korean20/train"),
            real.join("korean_transfer7/train"),
        ],
        None => {
            eprintln!("KFOOD_REAL_DATA is not set: generated photographs stand in for real ones");
            let settings = SampleSettings {
                planted: 0,
                ..SampleSettings::default()
            };
            sample::write(keep, &settings, &|_| {}).unwrap();
            vec![keep.join("train"), keep.join("health/train")]
        }
    };
    let mut paths = Vec::new();
    for folder in folders {
        let listing = scan(&folder, Part::Train, Reading::default()).unwrap();
        paths.extend(
            listing
                .images
                .into_iter()
                .map(|i| PathBuf::from(i.place.to_string())),
        );
    }
    paths.sort();
    paths
}

fn seen(files: &[Vec<u8>]) -> Vec<Seen> {
    let side = Count::new(SIDE).unwrap();
    let pixels = Pixels::new(Resize::squash(side, side));
    files
        .par_iter()
        .map_init(
            || Resampler::new(pixels),
            |resampler, bytes| {
                let row = resampler.decode(bytes, None).unwrap();
                let fingerprint = Fingerprint::of(&row.pixels, SIDE as usize, SIDE as usize);
                (fingerprint, Digest::of(bytes), Arc::new(row.pixels))
            },
        )
        .collect()
}

fn search(all: &[Seen]) -> LookAlikes {
    let fingerprints: Vec<_> = all.iter().map(|(f, ..)| Some(f.clone())).collect();
    let digests: Vec<_> = all.iter().map(|(_, d, _)| *d).collect();
    let closer = |i: usize| Ok(CloserLook::of(&all[i].2, SIDE as usize, SIDE as usize));
    find(&fingerprints, &digests, closer, &Stop::default()).unwrap()
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn resized(image: &RgbImage, scale: f64) -> RgbImage {
    let side = |n: u32| (f64::from(n) * scale).round() as u32;
    let filter = imageops::FilterType::CatmullRom;
    imageops::resize(image, side(image.width()), side(image.height()), filter)
}

/// `share` of each side is cut off, at a random place.
fn cropped(image: &RgbImage, share: f64, rng: &mut ChaCha8Rng) -> RgbImage {
    let keep = |n: u32| (f64::from(n) * (1.0 - share)).round() as u32;
    let (w, h) = (keep(image.width()), keep(image.height()));
    let x = rng.random_range(0..=image.width() - w);
    let y = rng.random_range(0..=image.height() - h);
    imageops::crop_imm(image, x, y, w, h).to_image()
}

/// Turned by so many degrees, either way; the corners are black, or cut off with the largest upright rectangle of the same shape.
fn rotated(image: &RgbImage, degrees: f64, cut: bool, rng: &mut ChaCha8Rng) -> RgbImage {
    let angle = degrees * PI / 180.0 * if rng.random() { 1.0 } else { -1.0 };
    let (w, h) = image.dimensions();
    let (cx, cy) = (f64::from(w) / 2.0 - 0.5, f64::from(h) / 2.0 - 0.5);
    let (sin, cos) = angle.sin_cos();
    let turned = RgbImage::from_fn(w, h, |x, y| {
        let (x, y) = (f64::from(x) - cx, f64::from(y) - cy);
        let (x, y) = (cx + cos * x - sin * y, cy + sin * x + cos * y);
        imageops::interpolate_bilinear(image, x as f32, y as f32).unwrap_or(Rgb([0; 3]))
    });
    if !cut {
        return turned;
    }
    let long = f64::from(w.max(h)) / f64::from(w.min(h));
    let inside = 1.0 / (cos + sin.abs() * long);
    let keep = |n: u32| (f64::from(n) * inside).floor() as u32;
    let (kw, kh) = (keep(w), keep(h));
    imageops::crop_imm(&turned, (w - kw) / 2, (h - kh) / 2, kw, kh).to_image()
}

fn brighter(image: &RgbImage, by: f32) -> RgbImage {
    let mut changed = image.clone();
    for pixel in changed.pixels_mut() {
        pixel.0 = pixel.0.map(|v| (f32::from(v) * by).round() as u8);
    }
    changed
}

fn beside(folder: &Path, what: &str, a: &RgbImage, b: &RgbImage, i: u32, j: u32) {
    fs::create_dir_all(folder).unwrap();
    let filter = imageops::FilterType::Triangle;
    let mut both = RgbImage::new(2 * SIDE, SIDE);
    imageops::replace(&mut both, &imageops::resize(a, SIDE, SIDE, filter), 0, 0);
    imageops::replace(
        &mut both,
        &imageops::resize(b, SIDE, SIDE, filter),
        i64::from(SIDE),
        0,
    );
    both.save(folder.join(format!("{what} {i} {j}.png")))
        .unwrap();
}
