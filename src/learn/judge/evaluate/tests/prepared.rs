//! A small data set and a model, as an evaluation is given them.

use super::*;
use crate::data::PackWriter;

/// A data set of 12 images, of which 6 train, 3 validate and 3 test, and a model for it.
pub(super) fn prepared(folder: &Path, info: Option<&CheckpointInfo>) -> record::Evaluate {
    write_pack(&folder.join("pixels.pack"));
    write_records(folder);
    let state = Network::new(Arch::Resnet18, 3, 1, Device::Cpu).state();
    model::safetensors::write(&folder.join(model_files::BEST), &state, info).unwrap();
    record::Evaluate {
        data: record::Data {
            pack: folder.join("pixels.pack"),
            labels: folder.join("labels.json"),
            split: folder.join("membership.json"),
            fold: None,
        },
        images: folder.join("images.json"),
        look_alikes: folder.join("look_alikes.json"),
        pixels: Pixels::new(resize(SIDE)),
        model: record::ModelFile {
            path: folder.join(model_files::BEST),
            normalize: None,
            classes: None,
            weights: None,
            pretrained: None,
        },
        on: vec![Part::Train, Part::Validation, Part::Test],
        test_if_there: false,
        tta: Vec::new(),
        cosine: None,
        batch_size: 4,
        device: "cpu".to_owned(),
        threads: 1,
        out: folder.join("out"),
    }
}

fn write_pack(path: &Path) {
    let writer = PackWriter::create(
        path,
        SIDE as u32,
        SIDE as u32,
        Storage::Raw,
        vec![Digest::of(b""); IMAGES],
    )
    .unwrap();
    for i in 0..IMAGES {
        writer.write(i, &pixels(i)).unwrap();
    }
    writer.finish().unwrap();
}

/// Which images there are, of which class, and in which part.
fn write_records(folder: &Path) {
    let part = |i: usize| {
        if i < 9 { Part::Train } else { Part::Test }
    };
    let image = |i: usize| Image {
        path: format!(
            "{}/{}/{i}.jpg",
            if i < 9 { "train" } else { "test" },
            CLASSES[i % 3]
        ),
        digest: Digest::of(&pixels(i)),
        bytes: 1,
        crop: None,
    };
    let images = Images {
        images: (0..IMAGES).map(image).collect(),
    };
    let labels = Labels {
        classes: CLASSES.map(str::to_owned).to_vec(),
        labels: (0..IMAGES)
            .map(|i| Label {
                part: part(i),
                class: (i % 3) as u32,
            })
            .collect(),
        ..Labels::default()
    };
    let assignment = |i: usize| match i {
        0..6 => Assignment::Train,
        6..9 => Assignment::Validation,
        _ => Assignment::Test,
    };
    let split = Split {
        folds: None,
        assignments: (0..IMAGES).map(assignment).collect(),
        left_out: Vec::new(),
    };
    files::write_json(&folder.join("images.json"), &images).unwrap();
    files::write_json(&folder.join("labels.json"), &labels).unwrap();
    files::write_json(&folder.join("membership.json"), &split).unwrap();
    files::write_json(&folder.join("look_alikes.json"), &LookAlikes::default()).unwrap();
}
