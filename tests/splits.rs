//! What the split stage does with groups, given parts and look-alikes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

use kfood::{
    data::{
        Reading, Resampler,
        audit::{CloserLook, Fingerprint, find},
        scan,
    },
    digest::Digest,
    error::Result,
    event::StageEvent,
    files::{read_json, write_json},
    record::{Assignment, Image, Images, Label, Labels, Likeness, LookAlikes, Pair, Part, Split},
    settings::{Count, Pixels, Resize},
    stage::{Context, Desk, Source, Stage},
    stages::SplitStage,
    stop::Stop,
};

use crate::{data::split as settings, support::real_photographs};

/// Ten images of each of two classes in training, two of each in test.
fn labels() -> Labels {
    let label = |i: u32| Label {
        part: if i < 20 { Part::Train } else { Part::Test },
        class: i % 2,
    };
    Labels {
        classes: vec!["김밥".to_owned(), "잡채".to_owned()],
        labels: (0..24).map(label).collect(),
        ..Labels::default()
    }
}

const GROUPED: &str = "leaks = \"group\"\ndata = \"pixels\"";

fn pair(a: u32, b: u32) -> Pair {
    Pair {
        a,
        b,
        likeness: Likeness::Near,
        correlation: 0.9,
    }
}

/// Runs the stage with what the lines of its table ask for.
fn split(asks: &str, labels: &Labels, pairs: &[Pair]) -> Result<(Split, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let image = |i: usize| Image {
        path: format!("{}/{i:02}.jpg", if i < 20 { "train" } else { "test" }),
        digest: Digest::of(&[i as u8]),
        bytes: 1,
        crop: None,
    };
    let images = Images {
        images: (0..24).map(image).collect(),
    };
    let alike = LookAlikes {
        images: 24,
        pairs: pairs.to_vec(),
    };
    write_json(&path("labels.json"), labels).unwrap();
    write_json(&path("images.json"), &images).unwrap();
    write_json(&path("look_alikes.json"), &alike).unwrap();
    let stage = SplitStage::new("s", &settings(asks, !labels.validation.is_empty()));
    let inputs: BTreeMap<String, PathBuf> = stage
        .inputs()
        .into_iter()
        .map(|input| match input.source {
            Source::Stage { output, .. } => (input.role, path(&output)),
            Source::Files => panic!("a split reads no files"),
        })
        .collect();
    let told = Mutex::new(Vec::new());
    stage.run(&Context {
        desk: Desk {
            out: folder.path(),
            state: folder.path(),
            key: Digest::of(b"key"),
            kin: Digest::of(b"kin"),
            inputs: &inputs,
            earlier: &[],
            device: "cpu",
            threads: 1,
        },
        files: &BTreeMap::new(),
        unfinished: &[],
        tell: &|event| {
            if let StageEvent::Warning(text) | StageEvent::Note(text) = event {
                told.lock().unwrap().push(text);
            }
        },
        stop: &Stop::default(),
    })?;
    let split = read_json(&path("membership.json"))?;
    Ok((split, told.into_inner().unwrap()))
}

#[track_caller]
fn refused(asks: &str, labels: &Labels, pairs: &[Pair], message: &str) {
    let error = split(asks, labels, pairs).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
    assert!(error.help_text().is_some(), "{error}");
}

#[test]
fn a_split_that_asks_for_nothing_reads_labels_alone_and_is_what_it_always_was() {
    let stage = SplitStage::new("s", &settings("", false));
    let roles: Vec<_> = stage.inputs().into_iter().map(|i| i.role).collect();
    assert_eq!(roles, ["labels"]);
    let expected = serde_json::json!({ "validation": 0.2, "seed": 3 });
    assert_eq!(stage.settings(), expected);
    // Pairs of look-alikes change nothing: they are not even read.
    let (plain, told) = split("", &labels(), &[pair(0, 20)]).unwrap();
    assert_eq!(plain, kfood::data::hold_out(&labels(), 0.2, 3).0);
    assert!(told.is_empty());
}

#[test]
fn every_setting_is_in_the_key_and_brings_its_inputs() {
    let stage = SplitStage::new(
        "s",
        &settings(
            &format!("stable = true\ngroup_by = \"source\"\n{GROUPED}"),
            false,
        ),
    );
    let expected = serde_json::json!({
        "validation": 0.2, "seed": 3, "stable": true, "group_by": "source", "leaks": "group"
    });
    assert_eq!(stage.settings(), expected);
    let roles: Vec<_> = stage.inputs().into_iter().map(|i| i.role).collect();
    assert_eq!(roles, ["labels", "images", "look_alikes"]);
}

#[test]
fn groups_of_a_manifest_and_sources_stay_on_one_side() {
    let mut labels = labels();
    // Four in a group: 0 to 3, 4 to 7, and so on.
    let numbers: Vec<_> = (0..24).map(|i| (i < 20).then_some(i / 4)).collect();
    for by in ["group", "source"] {
        labels.groups = if by == "group" {
            numbers.clone()
        } else {
            Vec::new()
        };
        labels.sources = if by == "source" {
            numbers.clone()
        } else {
            Vec::new()
        };
        for folds in [None, Some(5)] {
            let asks = format!("group_by = {by:?}\n{}", folds.map_or("", |_| "folds = 5"));
            let (split, _) = split(&asks, &labels, &[]).unwrap();
            for group in split.assignments[..20].chunks(4) {
                assert!(group.iter().all(|a| *a == group[0]), "{group:?}");
            }
            let fold = folds.map(|_| 0);
            assert_eq!(split.members(Part::Validation, fold).len(), 4);
        }
    }
}

#[test]
fn groups_that_the_given_test_part_shares_with_training_are_told() {
    let mut labels = labels();
    // Those of images 0 to 3 and 4 to 7 have a test image each, the last two have a group of their own.
    let of = |i: u32| match i {
        20 => 0,
        21 => 1,
        i => i / 4,
    };
    labels.groups = (0..24).map(|i| Some(of(i))).collect();
    let (_, told) = split("group_by = \"group\"", &labels, &[]).unwrap();
    assert_eq!(
        told,
        [
            "2 groups of the given test part have images in the training part too (8 images there): what is told of the test part may be too good"
        ]
    );
    let (_, told) = split("", &labels, &[]).unwrap();
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn groups_that_leave_nothing_to_validate_by_are_refused_with_a_way_out() {
    let mut labels = labels();
    // One for each class: to hold either out would leave nothing of that class to learn from.
    labels.groups = (0..24).map(|i| Some(i % 2)).collect();
    refused(
        "group_by = \"group\"",
        &labels,
        &[],
        "`group_by = \"group\"` leaves none of 20 images for validation",
    );
    // A part of its own is taken as it is.
    labels.validation = vec![1, 4];
    let (split, _) = split("given = true", &labels, &[]).unwrap();
    assert_eq!(split.members(Part::Validation, None), [1, 4]);
}

#[test]
fn a_data_set_without_groups_or_a_validation_part_says_so() {
    refused(
        "group_by = \"group\"",
        &labels(),
        &[],
        "the data set has no groups",
    );
    refused(
        "group_by = \"source\"",
        &labels(),
        &[],
        "does not say where its images came from",
    );
    refused("given = true", &labels(), &[], "`given = true`");
}

#[test]
fn the_validation_part_of_the_data_set_is_taken_as_it_is() {
    let mut labels = labels();
    labels.validation = vec![1, 4, 5];
    let (split, told) = split("given = true", &labels, &[]).unwrap();
    assert_eq!(split.members(Part::Validation, None), [1, 4, 5]);
    assert!(told.is_empty());
}

#[test]
fn a_validation_part_is_taken_unasked_and_a_split_that_draws_another_says_so() {
    let mut labels = labels();
    labels.validation = vec![1, 4, 5];
    let (unasked, told) = split("", &labels, &[]).unwrap();
    assert_eq!(unasked.members(Part::Validation, None), [1, 4, 5]);
    assert!(told.is_empty());
    let (_, told) = split("validation = 0.2", &labels, &[]).unwrap();
    assert!(
        told[0].contains("gives 3 images to validation") && told[0].contains("`given = true`"),
        "{told:?}"
    );
}

#[test]
fn a_class_of_which_all_images_are_copies_of_test_images_is_an_error_by_name() {
    // All of class 1.
    let pairs: Vec<_> = (0..10).map(|i| pair(2 * i + 1, 21)).collect();
    refused(
        GROUPED,
        &labels(),
        &pairs,
        "nothing is left to train on of `잡채`",
    );
}

#[test]
fn look_alikes_stay_together_and_copies_of_test_images_are_left_out_and_listed() {
    let pairs = [pair(0, 2), pair(2, 4), pair(7, 21), pair(9, 22)];
    let (split, told) = split(GROUPED, &labels(), &pairs).unwrap();
    assert_eq!(split.assignments[0], split.assignments[2]);
    assert_eq!(split.assignments[0], split.assignments[4]);
    let left: Vec<_> = split.left_out.iter().map(|l| (l.image, l.like)).collect();
    assert_eq!(left, [(7, 21), (9, 22)]);
    assert_eq!(split.assignments[7], Assignment::LeftOut);
    assert!(
        told[0].starts_with("2 images of the training part look like")
            && told[0].contains("`train/07.jpg` (like `test/21.jpg`)"),
        "{told:?}"
    );
}

#[test]
fn look_alikes_across_parts_can_be_an_error_that_lists_them() {
    let asks = "leaks = \"fail\"\ndata = \"pixels\"";
    refused(
        asks,
        &labels(),
        &[pair(3, 20)],
        "1 pair of look-alikes across parts:",
    );
    let (found, _) = split(asks, &labels(), &[pair(20, 21)]).unwrap();
    assert_eq!(found.members(Part::Test, None).len(), 4);
}

/// How many test images of a real data set look like training images, how far, and how many there are.
fn leaked(folder: &Path, side: usize) -> (Vec<Likeness>, usize) {
    let count = Count::new(u32::try_from(side).unwrap()).unwrap();
    let mut resampler = Resampler::new(Pixels::new(Resize::squash(count, count)));
    let (mut rows, mut digests, mut pixels, mut train) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (name, role) in [("train", Part::Train), ("test", Part::Test)] {
        train = rows.len();
        for found in scan(&folder.join(name), role, Reading::default())
            .unwrap()
            .images
        {
            let bytes = found.place.read().unwrap();
            let row = resampler.decode(&bytes, None).unwrap();
            rows.push(Some(Fingerprint::of(&row.pixels, side, side)));
            digests.push(Digest::of(&bytes));
            pixels.push(row.pixels);
        }
    }
    let closer = |i: usize| Ok(CloserLook::of(&pixels[i], side, side));
    let found = find(&rows, &digests, closer, &Stop::default()).unwrap();
    let like = found.nearest(|image| image < train);
    let leaked = like[train..]
        .iter()
        .flatten()
        .map(|(_, likeness)| *likeness);
    (leaked.collect(), rows.len() - train)
}

#[test]
#[ignore = "needs photographs in KFOOD_REAL_DATA: `-- --ignored real_photographs`"]
fn leaks_among_real_photographs_are_found_and_none_are_made_up() {
    let real = real_photographs();
    // A pack of 64 shows a closer look all that it has, one of 224 more than the photographs have.
    for side in [64, 96, 224] {
        let (found, test) = leaked(&real.join("korean_banchan10"), side);
        assert_eq!((found, test), (vec![Likeness::Bytes; 17], 17), "{side}");
        // Two pairs show one scene that was photographed twice within seconds: those are no copies.
        let (found, test) = leaked(&real.join("korean20"), side);
        assert_eq!((found, test), (vec![], 319), "{side}");
    }
}
