//! Files of PyTorch and safetensors: every way of saving, and what is refused.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kfood::model::{DType, StateDict, TensorData, load, pytorch};

use super::{fixture, refused};

fn names(state: &StateDict) -> Vec<&str> {
    state.iter().map(|(name, _)| name).collect()
}

/// 0, 0.5, 1, ... as [3, 4]: what every good fixture holds under `weight`.
fn halves() -> Vec<f32> {
    (0..12).map(|i| i as f32 / 2.0).collect()
}

#[test]
fn every_way_of_saving_a_state_dict_with_pytorch_is_read() {
    let files = [
        ("plain.pt", DType::F32),
        ("nested.pt", DType::F32),
        ("legacy.pt", DType::F32),
        ("parameter.pt", DType::F32),
        ("views.pt", DType::F32),
        ("bf16.pt", DType::Bf16),
        ("f16.pt", DType::F16),
        ("f64.pt", DType::F32),
    ];
    for (file, dtype) in files {
        let state = pytorch::read(&fixture(file)).unwrap();
        assert_eq!(names(&state)[..2], ["weight", "steps"], "{file}");
        let weight = state.get("weight").unwrap();
        assert_eq!(
            (weight.dtype, &weight.shape[..]),
            (dtype, &[3, 4][..]),
            "{file}"
        );
        assert_eq!(weight.to_f32(), halves(), "{file}");
        assert_eq!(
            state.get("steps").and_then(TensorData::as_i64),
            Some(7),
            "{file}"
        );
    }
}

#[test]
fn names_stand_as_in_the_file_whatever_wrapped_the_network() {
    let state = pytorch::read(&fixture("module.pt")).unwrap();
    assert_eq!(names(&state), ["module.weight", "module.steps"]);
}

#[test]
fn views_with_offsets_and_shared_storages_are_read() {
    let state = pytorch::read(&fixture("views.pt")).unwrap();
    let view = state.get("view").unwrap();
    assert_eq!(view.shape, [4, 3]);
    let transposed: Vec<f32> = (0..12)
        .map(|i| ((i % 3) * 4 + i / 3) as f32 / 2.0)
        .collect();
    assert_eq!(view.to_f32(), transposed);
    assert_eq!(
        state.get("shared").unwrap().to_f32()[..3],
        [-1.0, -0.5, 0.0]
    );
}

#[test]
fn a_hostile_file_is_refused_by_the_name_of_what_it_wants_to_call() {
    for file in ["hostile.pt", "hostile_legacy.pt", "hostile.pkl"] {
        let path = fixture(file);
        refused(
            load(&path),
            &[
                file,
                if file.ends_with(".pkl") {
                    "magic number"
                } else {
                    "`posix.system`"
                },
            ],
        );
    }
    assert!(!Path::new("executed-by-a-model-file").exists());
}

/// `tests/hostile_models.py` made these files, in each of which Python would run a command.
#[test]
fn no_way_in_which_a_model_file_calls_something_is_followed() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpora/pt");
    let files = fs::read_dir(corpus)
        .unwrap()
        .map(|file| file.unwrap().path());
    let calls = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("calls_")
    };
    let mut seen = [0, 0];
    for path in files.filter(calls) {
        match pytorch::read(&path) {
            // What lies beside the weights is passed over, and they are as they are.
            Ok(state) => {
                let weight = state.iter().find(|(name, _)| name.ends_with("weight"));
                assert_eq!(weight.unwrap().1.to_f32(), halves(), "{}", path.display());
                seen[0] += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("calls_"), "{error}");
                seen[1] += 1;
            }
        }
        assert!(
            !Path::new("executed-by-a-model-file").exists(),
            "{}",
            path.display()
        );
    }
    assert!(seen[0] > 20 && seen[1] > 5, "{seen:?}");
}

#[test]
fn a_pickled_model_and_a_file_of_several_models_say_what_to_save_instead() {
    refused(
        load(&fixture("whole_model.pt")),
        &[
            "an object of `torch.nn.modules.linear.Linear`",
            "save `model.state_dict()`",
        ],
    );
    refused(
        load(&fixture("several.pt")),
        &["none of the known architectures"],
    );
}

#[test]
fn a_file_that_is_no_model_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pt");
    for (content, words) in [
        (&b""[..], "is no model file"),
        (b"\xff\xd8\xff\xe0 a photograph", "is no model file"),
        (b"PK\x03\x04", "no whole zip archive"),
        (b"\x80\x02", "ends in the middle"),
        (b"\x80\x02K\x01.", "without PyTorch's magic number"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f{", "cannot be read"),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "git lfs pull",
        ),
        (b"<!DOCTYPE html>", "web page"),
        (b"\x08\x08\x12\x05kfood", "it is ONNX"),
    ] {
        fs::write(&path, content).unwrap();
        refused(load(&path), &["model.pt", words]);
    }
    refused(
        load(&fixture("plain.pt")),
        &["none of the known architectures", "`weight`, `steps`"],
    );
    refused(
        load(&folder.path().join("absent.pt")),
        &["cannot read", "absent.pt"],
    );
}

#[test]
fn every_truncation_of_a_good_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pt");
    for file in ["plain.pt", "legacy.pt"] {
        let whole = fs::read(fixture(file)).unwrap();
        for length in (0..whole.len()).step_by(7) {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(pytorch::read(&path).is_err(), "{length} bytes of {file}");
        }
    }
}
