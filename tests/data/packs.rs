//! Packs: only what changed is decoded, and what cannot be decoded is dropped where that is wanted.

use std::{fs, path::Path};

use kfood::{
    config,
    data::{Pack, decode},
    error::Result,
    event::StageEvent,
    files::read_json,
    record::{Foreign, Photographs, Unusable},
    settings::Storage,
    stages,
    stop::Stop,
};

use super::{jpeg, preprocess, put, run, run_after, small_set};

/// The data set as it is now, and its pack in `name`, made with what the earlier folders have.
fn packed(
    root: &Path,
    name: &str,
    settings: &config::Preprocess,
    dataset: &config::Dataset,
    earlier: &[&str],
) -> Result<Vec<StageEvent>> {
    let (listed, stop) = (root.join(format!("{name}-list")), Stop::default());
    run(
        &stages::DatasetStage::new("d", dataset),
        &[],
        &listed,
        &stop,
    )
    .unwrap();
    let stage = stages::PreprocessStage::new("p", settings, dataset);
    let from = [("images", listed.join("images.json"))];
    let earlier: Vec<_> = earlier.iter().map(|e| root.join(e)).collect();
    run_after(&stage, &from, &root.join(name), &stop, &earlier)
}

/// The line that asks for it.
fn stored(storage: Storage) -> &'static str {
    match storage {
        Storage::Raw => "storage = \"raw\"",
        Storage::Jpeg => "storage = \"jpeg\"",
    }
}

/// The images that were decoded, as the events tell.
fn decoded(told: &[StageEvent]) -> u64 {
    let count = |event: &StageEvent| match event {
        StageEvent::Progress { what, total, .. } if what == "decoding" => Some(*total),
        _ => None,
    };
    told.iter().find_map(count).unwrap_or(0)
}

/// A small data set, and the packs that are made of it one after another.
struct Packs {
    folder: tempfile::TempDir,
    dataset: config::Dataset,
    settings: config::Preprocess,
}

impl Packs {
    fn new(storage: Storage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dataset = small_set(folder.path());
        let settings = preprocess(16, stored(storage));
        Self {
            folder,
            dataset,
            settings,
        }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a pack with what these earlier folders have; how many images were decoded, and what was told.
    fn after(&self, name: &str, earlier: &[&str]) -> (u64, String) {
        let told = packed(self.root(), name, &self.settings, &self.dataset, earlier).unwrap();
        let pack = Pack::open(&self.root().join(name).join("pixels.pack")).unwrap();
        pack.verify().unwrap();
        (decoded(&told), format!("{told:?}"))
    }

    /// Makes a pack of nothing but the photographs; how many were decoded.
    fn full(&self, name: &str) -> u64 {
        self.after(name, &[]).0
    }

    #[track_caller]
    fn are_equal(&self, a: &str, b: &str) {
        for output in ["pixels.pack", "photographs.json", "look_alikes.json"] {
            let of = |name: &str| fs::read(self.root().join(name).join(output)).unwrap();
            assert!(of(a) == of(b), "{a} {b} {output}");
        }
    }
}

const STORAGES: [Storage; 2] = [Storage::Raw, Storage::Jpeg];

#[test]
fn an_unchanged_data_set_is_packed_again_without_decoding() {
    for packs in STORAGES.map(Packs::new) {
        assert_eq!(packs.full("first"), 8);
        let (n, told) = packs.after("again", &["first"]);
        assert!(
            n == 0 && told.contains("reused 8 of 8 images, decoded 0"),
            "{told}"
        );
        packs.are_equal("first", "again");
    }
}

#[test]
fn one_image_more_is_decoded_and_a_copy_of_another_is_not() {
    for packs in STORAGES.map(Packs::new) {
        packs.full("first");
        // In the middle, and the copy under a name that promises another format.
        put(packs.root(), "train/잡채/00.jpg", &jpeg([7, 7, 7]));
        put(packs.root(), "test/김밥/copy.png", &jpeg([201, 50, 30]));
        let (n, told) = packs.after("added", &["gone", "first"]);
        assert_eq!(n, 1, "{told}");
        assert!(
            told.contains("reused 8 of 10 images, decoded 1; 1 is equal to others"),
            "{told}"
        );
        assert_eq!(packs.full("added-full"), 9);
        packs.are_equal("added", "added-full");
        let seen: Photographs = read_json(&packs.root().join("added/photographs.json")).unwrap();
        let odd: Vec<_> = seen.photographs.iter().flat_map(|p| &p.odd).collect();
        assert_eq!(odd, ["named .png, is JPEG"]);
    }
}

#[test]
fn images_that_are_gone_or_moved_need_no_decoding_and_may_come_from_two_packs() {
    for packs in STORAGES.map(Packs::new) {
        packs.full("first");
        put(packs.root(), "train/잡채/00.jpg", &jpeg([7, 7, 7]));
        packs.after("added", &["first"]);
        let at = |name: &str| packs.root().join(name);
        fs::remove_file(at("train/잡채/1.jpg")).unwrap();
        fs::rename(at("train/잡채/2.jpg"), at("test/잡채/0.jpg")).unwrap();
        assert_eq!(packs.after("removed", &["first", "added"]).0, 0);
        packs.full("removed-full");
        packs.are_equal("removed", "removed-full");
    }
}

#[test]
fn a_damaged_row_is_decoded_and_a_damaged_pack_or_record_costs_everything_and_nothing_else() {
    for packs in STORAGES.map(Packs::new) {
        packs.full("whole");
        packs.full("damaged");
        let path = packs.root().join("damaged/pixels.pack");
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let at = bad.len() - 100;
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert_eq!(packs.after("healed", &["damaged"]).0, 1);
        packs.are_equal("healed", "whole");

        fs::write(&path, &good[..good.len() - 1]).unwrap();
        assert_eq!(packs.after("anew", &["damaged"]).0, 8);
        packs.are_equal("anew", "whole");

        fs::write(&path, &good).unwrap();
        fs::write(packs.root().join("damaged/photographs.json"), "{").unwrap();
        assert_eq!(packs.after("unread", &["damaged"]).0, 8);
    }
}

#[test]
fn another_size_is_another_work() {
    for storage in STORAGES {
        let mut packs = Packs::new(storage);
        packs.full("first");
        packs.settings = preprocess(17, stored(storage));
        assert_eq!(packs.after("larger", &["first"]).0, 8);
    }
}

#[test]
fn broken_files_are_dropped_where_that_is_wanted() {
    for storage in [Storage::Raw, Storage::Jpeg] {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let dataset = small_set(root);
        put(root, "train/잡채/page.jpg", b"<html>404");
        put(root, "train/잡채/page2.jpg", b"<html>404");
        let settings = preprocess(16, &format!("{}\nunreadable = \"drop\"", stored(storage)));
        let told = packed(root, "p", &settings, &dataset, &[]).unwrap();
        let warned = |told: &[StageEvent]| {
            let warning = told.iter().find_map(|event| match event {
                StageEvent::Warning(text) => Some(text.clone()),
                _ => None,
            });
            warning.unwrap()
        };
        let text = warned(&told);
        assert!(text.contains("dropped 2 of 10 files"), "{text}");
        assert!(
            text.contains("`train/잡채/page2.jpg`: an HTML page"),
            "{text}"
        );
        let pack = Pack::open(&root.join("p/pixels.pack")).unwrap();
        pack.verify().unwrap();
        let seen: Photographs = read_json(&root.join("p/photographs.json")).unwrap();
        for i in 0..10 {
            let dropped = i == 6 || i == 7;
            assert_eq!(pack.is_dropped(i), dropped, "{i}");
            assert_eq!(pack.row(i).unwrap().iter().all(|v| *v == 0), dropped, "{i}");
            let why = seen.photographs[i].dropped.clone();
            assert_eq!(why, dropped.then_some(Unusable::Is(Foreign::Html)));
        }
        let again = packed(root, "again", &settings, &dataset, &["p"]).unwrap();
        assert_eq!(decoded(&again), 0);
        assert_eq!(warned(&again), text);
        assert_eq!(
            fs::read(root.join("p/pixels.pack")).unwrap(),
            fs::read(root.join("again/pixels.pack")).unwrap()
        );

        for class in [
            "train/\u{1100}\u{1175}\u{11b7}\u{1107}\u{1161}\u{11b8}",
            "train/잡채",
            "test/김밥",
            "test/잡채",
        ] {
            for entry in fs::read_dir(root.join(class)).unwrap() {
                fs::write(entry.unwrap().path(), b"<html>404").unwrap();
            }
        }
        let none = packed(root, "none", &settings, &dataset, &["p"]).unwrap_err();
        assert!(
            none.to_string()
                .contains("none of the 10 files can be used"),
            "{none}"
        );
    }
}

#[test]
fn random_and_damaged_bytes_never_panic() {
    let good = jpeg([120, 40, 200]);
    for seed in 0..300_usize {
        let mut bytes = good.clone();
        for k in 0..=(seed % 7) {
            let at = (seed * 7919 + k * 104_729) % bytes.len();
            bytes[at] ^= 1 << ((seed + k) % 8);
        }
        let _ = decode(&bytes);
    }
}
