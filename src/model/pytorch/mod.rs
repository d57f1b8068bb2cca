//! PyTorch's model files: state dicts as `torch.save` writes them, read without executing anything.
//!
//! A file is a pickle, a program for a small stack machine that may call any Python function. The machine here
//! knows containers, numbers and the rebuilding of tensors, and refuses everything else by name.
//! Two packagings: a zip (`data.pkl` and one entry for each storage; since PyTorch 1.6) and the older stream of pickles.

use std::{fs::File, io::Read, path::Path};

use super::{StateDict, catalog::Opened};
use crate::{
    error::{Error, Result},
    files,
    text::shown_path,
};

mod global;
mod legacy;
mod pickle;
mod state;
mod storage;
mod value;
mod writer;
mod zip;

pub use writer::write;

/// Where in the archive of a model of ours stands what it says about itself. PyTorch passes it over.
const SAID: &str = "extra/kfood.json";

/// Reads the largest of the dictionaries of tensors in a file, with the names that stand there. Its name does not matter.
///
/// # Errors
/// When the file cannot be read, is truncated or malformed, or holds no tensors.
pub fn read(path: &Path) -> Result<StateDict> {
    let within = |e: Error| e.within(&format!("`{}`", shown_path(path)));
    let mut opened = open(files::open_regular(path)?).map_err(within)?;
    let sizes = opened.sets.iter().map(super::catalog::Set::tensors);
    // The first of the largest.
    let largest = sizes.enumerate().rev().max_by_key(|(_, tensors)| *tensors);
    match largest {
        Some((largest, 1..)) => opened.whole(largest).map_err(within),
        _ => Err(within(Error::failed(format!(
            "holds no tensors but {}",
            opened.instead
        )))),
    }
}

/// Opens a PyTorch file, whichever packaging it has.
pub(super) fn open(mut file: File) -> Result<Opened> {
    let mut start = [0; 4];
    let length = file.read(&mut start).unwrap_or_default();
    if start[..length].starts_with(b"PK\x03\x04") {
        zip::open(file)
    } else if start[..length].starts_with(b"\x80") {
        legacy::open(file)
    } else {
        Err(Error::failed(
            "is no PyTorch file: it starts neither as a zip nor as a pickle",
        ))
    }
}

/// The bytes that the tensors of a file of this size may take together: those of a network fill it at most, but for a few small ones
/// that repeat one element or count in bytes. A few bytes of file can describe a tensor of any size.
struct Budget(usize);

impl Budget {
    fn of(file: usize) -> Self {
        Self(file.saturating_add(1 << 20))
    }

    fn spend(&mut self, tensor: &storage::TensorRef) -> Result<()> {
        let left = tensor
            .kept_bytes()
            .and_then(|bytes| self.0.checked_sub(bytes));
        self.0 = left.ok_or_else(|| bad("it is larger than the file can hold"))?;
        Ok(())
    }
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

    fn from_bytes(bytes: &[u8]) -> Result<StateDict> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read(file.path())
    }

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
        Read::read_to_end(&mut archive.by_name(&name).unwrap(), &mut pickle).unwrap();
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
                let listed = state::list(&value, &heap);
                for tensor in listed.iter().flat_map(|listed| &listed.tensors) {
                    if Budget::of(1 << 16).spend(tensor).is_ok() {
                        let _ = tensor.gather(&vec![0; tensor.storage.bytes().min(1 << 16)]);
                    }
                }
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
        let bytes = writer::to_bytes(&state, None).unwrap();
        assert_eq!(bytes, writer::to_bytes(&state, None).unwrap());
        assert_eq!(from_bytes(&bytes).unwrap(), state);
    }

    #[test]
    fn a_deeply_nested_pickle_does_not_exhaust_the_stack() {
        let depth = 400_000;
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
        let listed = state::list(&value, &heap).unwrap();
        let error = Budget::of(1 << 20).spend(&listed.tensors[0]).unwrap_err();
        assert!(
            error.to_string().contains("larger than the file can hold"),
            "{error}"
        );
    }

    fn steps(program: &[u8]) -> Result<state::Listed> {
        let (value, heap, _) = pickle::run(program)?;
        state::list(&value, &heap)
    }

    #[test]
    fn what_an_unknown_name_makes_is_opaque_and_so_is_what_is_made_of_it() {
        // argparse.Namespace(), its BUILD, `setitems` and `appends` on it, a numpy scalar's REDUCE of bytes, a set.
        let mut program =
            b"\x80\x02}(X\x04\0\0\0argscargparse\nNamespace\n)\x81}X\x01\0\0\0xK\x01sb".to_vec();
        program.extend(b"X\x01\0\0\0acposixpath\nPath\n)R(K\x01K\x02u(K\x01e");
        program.extend(b"X\x01\0\0\0bcnumpy.core.multiarray\nscalar\nC\x02ab\x85R");
        program.extend(b"X\x01\0\0\0c\x8f(K\x01\x90u.");
        let (value, heap, _) = pickle::run(&program).unwrap();
        let value::Value::Dict(place) = value else {
            panic!("{value:?}")
        };
        let kinds: Vec<_> = heap.dicts[place].iter().map(|(_, v)| v.kind()).collect();
        assert_eq!(
            kinds,
            [
                "an object of `argparse.Namespace`",
                "an object of `posixpath.Path`",
                "an object of `numpy.core.multiarray.scalar`",
                "an object of `set`"
            ]
        );
    }

    #[test]
    fn a_program_of_endless_steps_ends_at_a_bound() {
        for step in [&b"]"[..], b"N\x94", b"N2", b"()t"] {
            let program: Vec<u8> = step.repeat(1_200_000);
            let error = steps(&program).unwrap_err().to_string();
            assert!(error.contains("steps"), "{error}");
        }
    }

    #[test]
    fn a_dictionary_that_is_named_a_hundred_thousand_times_is_looked_at_once() {
        // Outer entries 0, 1, 2, … that are all the dictionary of memo 0.
        let mut program = b"\x80\x02}(X\x01\0\0\0a}q\0".to_vec();
        for number in 0..100_000_u32 {
            program.push(b'J');
            program.extend(number.to_le_bytes());
            program.extend(b"h\0");
        }
        program.extend(b"u.");
        assert!(steps(&program).unwrap().sets.is_empty());
    }
}
