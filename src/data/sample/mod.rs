//! Generated sample data: photograph-like JPEGs of dishes in class folders, for trying everything without real data.
//!
//! `train` and `test` hold eight dishes, `health/train` and `health/test` four others, the small set for transfer. Some
//! test images are look-alikes of training images, as real collections have them; `planted.csv` lists them. `sample.json`
//! says that everything is there.

mod canvas;
mod dish;
mod marker;
mod photograph;
mod recipe;
mod serving;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder, imageops};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    seed::{Seed, stream},
};
use dish::{Dish, HEALTH, MAIN};
use marker::{MARKER, Marker};
use photograph::photograph;

/// How much to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleSettings {
    /// Equal seeds give equal bytes.
    pub seed: Seed,
    /// Training images of each class.
    pub train_per_class: u32,
    /// Test images of each class.
    pub test_per_class: u32,
    /// Look-alikes of each way (equal bytes, compressed again, mirrored) in the main set; the second set has a third as many,
    /// at least one.
    pub planted: u32,
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self {
            seed: 42,
            train_per_class: 60,
            test_per_class: 15,
            planted: 3,
        }
    }
}

/// What was generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Classes of the main set.
    pub classes: usize,
    /// Classes of the second set.
    pub health_classes: usize,
    /// Images in all.
    pub images: usize,
    /// Test images that are look-alikes of training images.
    pub planted: usize,
    /// Bytes of all images.
    pub bytes: u64,
}

/// The list of look-alikes; its presence marks a folder as generated here.
const LIST: &str = "planted.csv";

/// How a look-alike was made.
#[derive(Clone, Copy)]
enum Way {
    Equal,
    Recompressed,
    Flipped,
}

impl Way {
    const ALL: [Self; 3] = [Self::Equal, Self::Recompressed, Self::Flipped];

    const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Recompressed => "recompressed",
            Self::Flipped => "flipped",
        }
    }
}

/// One file to write.
struct Item {
    dish: Dish,
    /// Relative to the folder.
    path: String,
    /// Where its draws come from: set, dish, part, number.
    position: [u64; 4],
    /// The training image that it repeats.
    copy: Option<(Way, String)>,
}

/// Writes the sample data into a folder. Running it again with the same settings changes nothing, not even times of files,
/// and draws nothing; what an interrupted run left out, or was removed since, is completed. Drawing tells its progress.
///
/// # Errors
/// When the folder holds something else, or cannot be written.
pub fn write(folder: &Path, settings: &SampleSettings, tell: Tell<'_>) -> Result<Summary> {
    refuse_other_content(folder)?;
    let items = items(settings);
    let list = list(&items);
    let sizes = match finished(folder, settings, &items, &list) {
        Some(sizes) => sizes,
        None => complete(folder, settings, &items, &list, tell)?,
    };
    Ok(Summary {
        classes: MAIN.len(),
        health_classes: HEALTH.len(),
        images: items.len(),
        planted: items.iter().filter(|i| i.copy.is_some()).count(),
        bytes: sizes.iter().sum(),
    })
}

/// The files of both sets.
fn items(settings: &SampleSettings) -> Vec<Item> {
    let mut items = plan(settings, "", 0, &MAIN, settings.planted);
    let few = settings.planted.div_ceil(3);
    items.extend(plan(settings, "health/", 1, &HEALTH, few));
    items
}

/// The content of [`LIST`].
fn list(items: &[Item]) -> String {
    let mut list = "path,original,how\n".to_owned();
    for item in items {
        if let Some((way, original)) = &item.copy {
            list.push_str(&format!("{},{original},{}\n", item.path, way.name()));
        }
    }
    list
}

/// The sizes of the images, where the folder holds this very sample whole.
fn finished(
    folder: &Path,
    settings: &SampleSettings,
    items: &[Item],
    list: &str,
) -> Option<Vec<u64>> {
    // A marker that cannot be read or understood is none: the sample is then drawn, which tells what is wrong.
    let marker: Marker = files::read_json(&folder.join(MARKER)).ok()?;
    if fs::read(folder.join(LIST)).ok()? != list.as_bytes() {
        return None;
    }
    let size = |item: &Item| {
        let found = fs::metadata(folder.join(&item.path)).ok()?;
        found.is_file().then_some(found.len())
    };
    let sizes: Vec<u64> = items.iter().map(size).collect::<Option<_>>()?;
    (marker == Marker::new(settings, items, &sizes)).then_some(sizes)
}

/// Draws every image, writes those that are missing or differ, and the marker last. The sizes of the images.
fn complete(
    folder: &Path,
    settings: &SampleSettings,
    items: &[Item],
    list: &str,
    tell: Tell<'_>,
) -> Result<Vec<u64>> {
    // From here on until the end nothing may call the folder whole, not the marker of other settings either.
    files::remove(&folder.join(MARKER))?;
    files::create_folder(folder)?;
    write_if_new(&folder.join(LIST), list.as_bytes())?;
    let drawn = AtomicU64::new(0);
    let sizes = items
        .par_iter()
        .map(|item| {
            let bytes = draw(item, settings.seed)?;
            let path = folder.join(&item.path);
            if let Some(parent) = path.parent() {
                files::create_folder(parent)?;
            }
            write_if_new(&path, &bytes)?;
            tell(StageEvent::Progress {
                what: "drawing".to_owned(),
                done: drawn.fetch_add(1, Ordering::Relaxed) + 1,
                total: items.len() as u64,
                unit: "images".to_owned(),
            });
            Ok(bytes.len() as u64)
        })
        .collect::<Result<Vec<_>>>()?;
    let marker = Marker::new(settings, items, &sizes);
    files::write_json(&folder.join(MARKER), &marker)?;
    Ok(sizes)
}

fn refuse_other_content(folder: &Path) -> Result<()> {
    let used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if used && !folder.join(LIST).is_file() {
        return Err(Error::usage(format!(
            "`{}` is not empty and holds no sample data",
            folder.display()
        ))
        .help("name a new or empty folder"));
    }
    Ok(())
}

/// The files of one set; the first test images of the dishes, one dish after the other, become the look-alikes.
fn plan(
    settings: &SampleSettings,
    set: &str,
    number: u64,
    dishes: &[Dish],
    each: u32,
) -> Vec<Item> {
    let mut items = Vec::new();
    let mut ways: Vec<Vec<Way>> = vec![Vec::new(); dishes.len()];
    for i in 0..each as usize * Way::ALL.len() {
        ways[i % dishes.len()].push(Way::ALL[i % Way::ALL.len()]);
    }
    for (d, dish) in (0_u64..).zip(dishes) {
        let name = dish.name();
        let train = |i: u32| format!("{set}train/{name}/{:04}.jpg", i + 1);
        for i in 0..settings.train_per_class {
            items.push(Item {
                dish: *dish,
                path: train(i),
                position: [number, d, 0, u64::from(i)],
                copy: None,
            });
        }
        let mut ways = ways[d as usize].iter();
        for i in 0..settings.test_per_class {
            let way = ways.next().filter(|_| i < settings.train_per_class);
            items.push(Item {
                dish: *dish,
                path: format!("{set}test/{name}/{:04}.jpg", i + 1),
                position: [number, d, u64::from(way.is_none()), u64::from(i)],
                copy: way.map(|way| (*way, train(i))),
            });
        }
    }
    items
}

/// The bytes of one file.
fn draw(item: &Item, seed: Seed) -> Result<Vec<u8>> {
    let mut rng = stream(seed, "sample", &item.position);
    let image = photograph(item.dish, &mut rng);
    let bytes = compress(&image, rng.random_range(62..=95))?;
    match item.copy {
        None | Some((Way::Equal, _)) => Ok(bytes),
        Some((Way::Recompressed, _)) => compress(&reopened(&bytes)?, 55),
        Some((Way::Flipped, _)) => {
            let flipped = imageops::flip_horizontal(&reopened(&bytes)?);
            compress(&flipped, quality(&mut rng))
        }
    }
}

fn quality(rng: &mut ChaCha8Rng) -> u8 {
    rng.random_range(80..=92)
}

fn compress(image: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(image)
        .map_err(|e| Error::failed("cannot compress a generated image").because(e))?;
    Ok(bytes)
}

fn reopened(bytes: &[u8]) -> Result<RgbImage> {
    image::load_from_memory_with_format(bytes, ImageFormat::Jpeg)
        .map(image::DynamicImage::into_rgb8)
        .map_err(|e| Error::failed("cannot read a generated image").because(e))
}

/// Leaves a file alone that already has this content.
fn write_if_new(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    files::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(seed: Seed) -> SampleSettings {
        SampleSettings {
            seed,
            train_per_class: 2,
            test_per_class: 2,
            planted: 1,
        }
    }

    #[test]
    fn bytes_depend_on_the_seed_and_not_on_threads() {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let summary = write(folders[0].path(), &small(1), &|_| {}).unwrap();
        let again = one
            .unwrap()
            .install(|| write(folders[1].path(), &small(1), &|_| {}))
            .unwrap();
        write(folders[2].path(), &small(2), &|_| {}).unwrap();
        assert_eq!(summary, again);
        assert_eq!((summary.images, summary.planted), (48, 6));
        let read = |i: usize, name: &str| fs::read(folders[i].path().join(name)).unwrap();
        for name in ["train/김밥/0001.jpg", "health/test/두부구이/0002.jpg", LIST] {
            assert_eq!(read(0, name), read(1, name));
        }
        assert_ne!(
            read(0, "train/김밥/0001.jpg"),
            read(2, "train/김밥/0001.jpg")
        );
        let list = String::from_utf8(read(0, LIST)).unwrap();
        let equal = list.lines().find(|l| l.ends_with(",equal")).unwrap();
        let (copy, rest) = equal.split_once(',').unwrap();
        assert_eq!(read(0, copy), read(0, rest.split_once(',').unwrap().0));
    }

    /// One image of each class and part, and still a look-alike of every way in both sets.
    fn tiny(seed: Seed) -> SampleSettings {
        SampleSettings {
            train_per_class: 1,
            test_per_class: 1,
            ..small(seed)
        }
    }

    /// The mean absolute difference of two images of one size, in steps of 0 to 255.
    fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
        let pairs = a.as_raw().iter().zip(b.as_raw());
        let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / a.as_raw().len() as f64
    }

    #[test]
    fn look_alikes_differ_in_bytes_and_look_alike() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &tiny(1), &|_| {}).unwrap();
        let list = fs::read_to_string(folder.path().join(LIST)).unwrap();
        let mut ways = Vec::new();
        for line in list.lines().skip(1).filter(|l| !l.ends_with(",equal")) {
            let [path, original, way] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            ways.push(way.to_owned());
            let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
            let (copy, original) = (read(path), read(original));
            assert_ne!(copy, original, "{line}");
            let (copy, original) = (reopened(&copy).unwrap(), reopened(&original).unwrap());
            assert_eq!(copy.dimensions(), original.dimensions(), "{line}");
            let mirrored = imageops::flip_horizontal(&copy);
            let (alike, other) = match way {
                "flipped" => (mirrored, copy),
                _ => (copy, mirrored),
            };
            let (alike, other) = (difference(&alike, &original), difference(&other, &original));
            // Compression costs a few steps of 255; the wrong way round, plates and tables do not meet.
            assert!(
                alike < 10.0 && alike * 1.5 < other,
                "{line}: {alike} {other}"
            );
        }
        ways.sort_unstable();
        assert_eq!(ways, ["flipped", "flipped", "recompressed", "recompressed"]);
        let sizes: std::collections::HashSet<_> = items(&tiny(1))
            .iter()
            .map(|item| image::image_dimensions(folder.path().join(&item.path)).unwrap())
            .collect();
        assert!(sizes.len() > 3, "{sizes:?}");
    }

    #[test]
    fn a_whole_sample_is_known_as_such_and_a_part_of_one_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let known = |seed: Seed| {
            let items = items(&tiny(seed));
            finished(folder.path(), &tiny(seed), &items, &list(&items)).is_some()
        };
        let content = || -> Vec<_> {
            let items = items(&tiny(1));
            let images = items.iter().map(|item| fs::read(at(&item.path)).ok());
            images.chain([fs::read(at(LIST)).ok()]).collect()
        };
        assert!(!known(1));
        let summary = write(folder.path(), &tiny(1), &|_| {}).unwrap();
        let (whole, marker) = (content(), fs::read(at(MARKER)).unwrap());
        assert!(known(1) && !known(2));
        assert_eq!(write(folder.path(), &tiny(1), &|_| {}).unwrap(), summary);

        let image = at("train/김밥/0001.jpg");
        let damages: [&dyn Fn(); 6] = [
            &|| fs::remove_file(&image).unwrap(),
            &|| fs::write(&image, b"half").unwrap(),
            &|| fs::remove_dir_all(at("health/test")).unwrap(),
            &|| fs::write(at(LIST), b"path,original,how\n").unwrap(),
            &|| fs::write(at(MARKER), b"{").unwrap(),
            // An interrupted run has no marker, and may have stopped in the middle of a file.
            &|| {
                fs::remove_file(at(MARKER)).unwrap();
                fs::remove_dir_all(at("health")).unwrap();
                fs::write(&image, &fs::read(&image).unwrap()[..100]).unwrap();
            },
        ];
        for (i, damage) in damages.into_iter().enumerate() {
            damage();
            assert!(!known(1), "damage {i}");
            assert_eq!(write(folder.path(), &tiny(1), &|_| {}).unwrap(), summary);
            assert!(content() == whole, "damage {i}");
            assert_eq!(fs::read(at(MARKER)).unwrap(), marker, "damage {i}");
        }

        write(folder.path(), &tiny(2), &|_| {}).unwrap();
        assert!(known(2) && !known(1) && content() != whole);
    }

    #[test]
    fn a_folder_without_the_list_is_not_taken_for_a_sample() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MARKER), b"{}").unwrap();
        assert!(write(folder.path(), &tiny(1), &|_| {}).is_err());
        assert_eq!(fs::read(folder.path().join(MARKER)).unwrap(), b"{}");
    }

    #[test]
    fn a_folder_with_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), b"mine").unwrap();
        assert!(write(folder.path(), &small(1), &|_| {}).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
