//! PyTorch's model files: state dicts as `torch.save` writes them, read without executing anything.
//!
//! A file is a pickle, a program for a small stack machine that may call any Python function. The machine here
//! knows containers, numbers and the rebuilding of tensors, and refuses everything else by name.
//! Two packagings: a zip (`data.pkl` and one entry for each storage; since PyTorch 1.6) and the older stream of pickles.

use std::path::Path;

use super::StateDict;
use crate::{
    error::{Error, Result},
    files,
};

mod global;
mod legacy;
mod pickle;
mod state;
mod storage;
mod writer;
mod zip;

pub use writer::write;

/// Reads a state dict, plain or nested under a usual key. Its name does not matter.
///
/// # Errors
/// When the file cannot be read, is truncated or malformed, asks for a function to be called, holds several models,
/// or something else than tensors where tensors belong.
pub fn read(path: &Path) -> Result<StateDict> {
    from_bytes(&files::read(path)?).map_err(|e| e.within(&format!("`{}`", path.display())))
}

fn from_bytes(bytes: &[u8]) -> Result<StateDict> {
    if bytes.starts_with(b"PK\x03\x04") {
        zip::read(bytes)
    } else if bytes.starts_with(b"\x80") {
        legacy::read(bytes)
    } else {
        Err(Error::failed(
            "is no PyTorch file: it starts neither as a zip nor as a pickle",
        ))
    }
}

/// The most bytes that the tensors of a file of this size may take together: u8 elements grow eightfold, and tensors may
/// share storages.
fn limit(file: usize) -> usize {
    file.saturating_mul(8).saturating_add(1 << 20)
}

fn bad(what: &str) -> Error {
    Error::failed(format!("is damaged, or no state dict of PyTorch: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::{
        prelude::{ProptestConfig, any, prop, proptest},
        sample::Index,
    };

    use super::*;
    use crate::model::{DType, TensorData};

    const FILES: [&[u8]; 6] = [
        include_bytes!("../../../tests/fixtures/plain.pt"),
        include_bytes!("../../../tests/fixtures/nested.pt"),
        include_bytes!("../../../tests/fixtures/views.pt"),
        include_bytes!("../../../tests/fixtures/legacy.pt"),
        include_bytes!("../../../tests/fixtures/hostile.pt"),
        include_bytes!("../../../tests/fixtures/hostile_legacy.pt"),
    ];

    fn mutated(bytes: &[u8], changes: &[(Index, u8)], end: Option<Index>) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        bytes
    }

    /// Bare, so that mutations reach the machine past the zip's checksums.
    fn pickle_of_plain() -> Vec<u8> {
        let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(FILES[0])).unwrap();
        let mut pickle = Vec::new();
        let name = archive
            .file_names()
            .flatten()
            .find(|n| n.ends_with("data.pkl"))
            .unwrap()
            .into_owned();
        std::io::Read::read_to_end(&mut archive.by_name(&name).unwrap(), &mut pickle).unwrap();
        pickle
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_changed_or_truncated_file_is_an_error_or_a_state_dict_and_never_a_panic(
            file in 0..FILES.len(),
            changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
            end in any::<Option<Index>>(),
        ) {
            let _ = from_bytes(&mutated(FILES[file], &changes, end));
        }

        #[test]
        fn a_changed_pickle_is_an_error_or_a_value_and_never_a_panic(
            changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
            end in any::<Option<Index>>(),
        ) {
            if let Ok((value, heap, _)) = pickle::run(&mutated(&pickle_of_plain(), &changes, end)) {
                let _ = state::collect(&value, &heap, 1 << 16, |tensor| {
                    tensor.gather(&vec![0; tensor.storage.bytes().min(1 << 16)])
                });
            }
        }

        #[test]
        fn any_opcodes_are_an_error_or_a_value_and_never_a_panic(
            program in prop::collection::vec(
                prop::sample::select(b".(0NK\x01\x02]})\x85\x86aesutqhRbQ2\x94\x93X\0\x8c".to_vec()),
                0..200,
            ),
        ) {
            let _ = pickle::run(&program);
        }
    }

    #[test]
    fn what_is_written_is_read_and_equal_content_gives_equal_bytes() {
        let mut state = StateDict::new();
        state.insert(
            "가.weight",
            TensorData::f32(vec![2, 1, 3], &[1., 2., 3., 4., 5., 6.]).unwrap(),
        );
        state.insert("steps", TensorData::i64_scalar(-9));
        state.insert("empty", TensorData::f32(vec![0, 4], &[]).unwrap());
        state.insert(
            "half",
            TensorData::new(DType::Bf16, vec![1], vec![0, 0x40]).unwrap(),
        );
        let bytes = writer::to_bytes(&state).unwrap();
        assert_eq!(bytes, writer::to_bytes(&state).unwrap());
        assert_eq!(from_bytes(&bytes).unwrap(), state);
    }

    #[test]
    fn a_deeply_nested_pickle_does_not_exhaust_the_stack() {
        let depth = 1_000_000;
        let mut program = vec![b']'; depth];
        program.extend(vec![b'a'; depth - 1]);
        program.push(b'.');
        let (value, _, _) = pickle::run(&program).unwrap();
        assert_eq!(value.kind(), "a list");
    }

    #[test]
    fn a_tensor_larger_than_its_file_is_refused_before_it_is_made() {
        // One element of storage, seen 2^40 times through strides of 0.
        let mut program =
            b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage"
                .to_vec();
        program.extend(b"ctorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0");
        program.extend(b"\x8a\x06\0\0\0\0\0\x01\x85K\0\x85\x89}tRs.");
        let (value, heap, _) = pickle::run(&program).unwrap();
        let error = state::collect(&value, &heap, 1 << 20, |_| {
            unreachable!("nothing is gathered")
        })
        .unwrap_err();
        assert!(
            error.to_string().contains("larger than the file can hold"),
            "{error}"
        );
    }
}
