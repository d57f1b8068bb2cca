//! The audit on the generated sample, whose look-alikes are planted and listed.

use std::{collections::BTreeSet, fs};

use super::*;
use crate::{
    data::{
        Resampler,
        sample::{self, SampleSettings},
    },
    settings::{Count, Pixels, Resize},
};

#[test]
fn planted_look_alikes_are_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SampleSettings {
        train_per_class: 8,
        test_per_class: 4,
        planted: 6,
        ..SampleSettings::default()
    };
    sample::write(folder.path(), &settings, &|_| {}).unwrap();
    let mut paths = BTreeSet::new();
    for entry in walkdir::WalkDir::new(folder.path()) {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|e| e == "jpg") {
            let path = entry.path().strip_prefix(folder.path()).unwrap();
            paths.insert(path.to_str().unwrap().to_owned());
        }
    }
    let paths: Vec<String> = paths.into_iter().collect();
    let side = Count::new(96).unwrap();
    let mut resampler = Resampler::new(Pixels::new(Resize::squash(side, side)));
    let (mut fingerprints, mut digests, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for path in &paths {
        let bytes = fs::read(folder.path().join(path)).unwrap();
        let row = resampler.decode(&bytes, None).unwrap();
        fingerprints.push(Some(Fingerprint::of(&row.pixels, 96, 96)));
        digests.push(Digest::of(&bytes));
        rows.push(row.pixels);
    }
    let closer = |i: usize| Ok(CloserLook::of(&rows[i], 96, 96));
    let found = find(&fingerprints, &digests, closer, &Stop::default()).unwrap();
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let again = one.install(|| find(&fingerprints, &digests, closer, &Stop::default()));
    assert_eq!(again.unwrap(), found, "whatever the number of threads");

    let at = |path: &str| paths.iter().position(|p| p == path).unwrap() as u32;
    let list = fs::read_to_string(folder.path().join("planted.csv")).unwrap();
    let mut planted = BTreeSet::new();
    for line in list.lines().skip(1) {
        let [copy, original, way] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (a, b) = (at(copy).min(at(original)), at(copy).max(at(original)));
        let likeness = if way == "equal" {
            Likeness::Bytes
        } else {
            Likeness::Near
        };
        let pair = found.pairs.iter().find(|p| (p.a, p.b) == (a, b));
        assert_eq!(pair.map(|p| p.likeness), Some(likeness), "{line}");
        planted.insert((a, b));
    }
    assert_eq!(planted.len(), 24);
    for pair in &found.pairs {
        let names = (&paths[pair.a as usize], &paths[pair.b as usize]);
        assert!(planted.contains(&(pair.a, pair.b)), "{names:?} {pair:?}");
    }
}

fn never(_: usize) -> Result<CloserLook> {
    unreachable!("nothing here is near anything")
}

#[test]
fn equal_rows_of_other_files_are_the_same_pixels_and_missing_rows_are_passed_over() {
    let row = |shift: usize| {
        let pixels: Vec<u8> = (0..3 * 40 * 40)
            .map(|i| ((i + shift) * i % 253) as u8)
            .collect();
        Some(Fingerprint::of(&pixels, 40, 40))
    };
    let digest = |n: u8| Digest::of(&[n]);
    let rows = [row(0), row(0), None, row(0), row(900)];
    let files = [digest(0), digest(1), digest(2), digest(0), digest(2)];
    let found = find(&rows, &files, never, &Stop::default()).unwrap();
    let found: Vec<_> = found.pairs.iter().map(|p| (p.a, p.b, p.likeness)).collect();
    // What was dropped is like nothing, whatever its bytes are.
    let expected = [(0, 1, Likeness::Pixels), (0, 3, Likeness::Bytes)];
    assert_eq!(found, expected);
}

#[test]
fn flat_pictures_look_like_nothing_and_a_stop_is_obeyed() {
    let rows: Vec<_> = (0..4)
        .map(|v| Some(Fingerprint::of(&[100 + v; 3 * 32 * 32], 32, 32)))
        .collect();
    let files: Vec<_> = (0..4).map(|v| Digest::of(&[v])).collect();
    assert!(
        find(&rows, &files, never, &Stop::default())
            .unwrap()
            .pairs
            .is_empty()
    );
    let stop = Stop::default();
    stop.request();
    assert!(find(&rows, &files, never, &stop).is_err());
}
