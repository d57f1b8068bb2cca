//! Model files in the safetensors format. Our own carry [`CheckpointInfo`] as JSON under the key `kfood` of their metadata.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    DType, StateDict, TensorData, bounds,
    catalog::{Found, Opened, Set},
    element::Element,
};
use crate::{
    error::{Error, Result},
    files,
    record::CheckpointInfo,
    text::{self, shown_path},
};

/// Writes a file in one step: equal content gives equal bytes.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, state: &StateDict, info: Option<&CheckpointInfo>) -> Result<()> {
    let said = info.map(|info| (ONE, serde_json::to_string(info)));
    write_saying(path, state, said)
}

/// Writes several models into one file: the tensors of each behind its number, as in `0.conv1.weight`.
///
/// # Errors
/// As [`write`].
pub(super) fn write_several(
    path: &Path,
    state: &StateDict,
    members: &[&CheckpointInfo],
) -> Result<()> {
    write_saying(path, state, Some((SEVERAL, serde_json::to_string(members))))
}

/// The key in the metadata of a model of ours.
const ONE: &str = "kfood";
/// The key in the metadata of an ensemble of ours.
const SEVERAL: &str = "kfood.ensemble";

fn write_saying(
    path: &Path,
    state: &StateDict,
    said: Option<(&str, serde_json::Result<String>)>,
) -> Result<()> {
    let said = said.map(|(key, text)| text.map(|text| (key, text)));
    let fail = |e| Error::failed(format!("cannot write `{}`", shown_path(path))).because(e);
    let said = said.transpose().map_err(fail)?;
    let order = order(state);
    let header = header(&order, said).map_err(fail)?;
    files::replace_with(path, |to| {
        let mut write = || {
            to.write_all(&(header.len() as u64).to_le_bytes())?;
            to.write_all(&header)?;
            order
                .iter()
                .try_for_each(|(_, tensor)| to.write_all(&tensor.bytes))
        };
        write().map_err(|e| Error::io("write", path, e))
    })
}

/// Reads a file of ours or of anyone; wider floats become f32, integers i64. Tensors stand in the order of their bytes.
///
/// # Errors
/// When it cannot be read, is truncated or malformed, or holds an element type that no model of ours has.
pub fn read(path: &Path) -> Result<(StateDict, Option<CheckpointInfo>)> {
    let within = |e: Error| e.within(&format!("`{}`", shown_path(path)));
    let mut opened = open(files::open_regular(path)?).map_err(within)?;
    if let Some((name, Found::Other(kind))) = opened.sets[0]
        .iter()
        .find(|(_, f)| matches!(f, Found::Other(_)))
    {
        let name = text::shown(name);
        return Err(within(Error::failed(format!(
            "tensor `{name}` is of type `{kind}`, and f64, f32, f16, bf16 and integers are accepted"
        ))));
    }
    let state = opened.whole(0).map_err(within)?;
    Ok((state, opened.info))
}

/// Wider elements first keeps every tensor aligned; the sort is stable.
fn order(state: &StateDict) -> Vec<(&str, &TensorData)> {
    let mut order: Vec<_> = state.iter().collect();
    order.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype.width()));
    order
}

/// The header is written here, because the crate's own writer keeps metadata in a map that iterates at random.
fn header(
    order: &[(&str, &TensorData)],
    said: Option<(&str, String)>,
) -> serde_json::Result<Vec<u8>> {
    let mut header = Map::new();
    let mut metadata = json!({ "format": "pt" });
    if let Some((key, text)) = said {
        metadata[key] = Value::String(text);
    }
    header.insert("__metadata__".to_owned(), metadata);
    let mut offset = 0;
    for (name, tensor) in order {
        let end = offset + tensor.bytes.len();
        let info = TensorInfo {
            dtype: dtype(tensor.dtype),
            shape: tensor.shape.clone(),
            data_offsets: (offset, end),
        };
        header.insert((*name).to_owned(), serde_json::to_value(info)?);
        offset = end;
    }

    let mut header = serde_json::to_vec(&header)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

/// Opens a file: its header is read, and of its tensors the names.
pub(super) fn open(file: File) -> Result<Opened> {
    let (metadata, data) = read_header(&file)?;
    let (set, places) = tensors(&metadata, data)?;
    let said = |key: &str| metadata.metadata().as_ref().and_then(|m| m.get(key));
    let info = understood(said(ONE))?;
    let members = understood(said(SEVERAL))?;
    let gather = move |place: usize| {
        let Place {
            shape,
            element,
            from,
            length,
        } = &places[place];
        let mut bytes = vec![0; *length];
        file.read_exact_at(&mut bytes, *from).map_err(unreadable)?;
        TensorData::new(element.kept_as(), shape.clone(), element.convert(bytes))
    };
    Ok(Opened {
        sets: vec![set],
        gather: Box::new(gather),
        info,
        members,
        instead: "a file of safetensors without a tensor".to_owned(),
    })
}

/// The header, bounded before it is understood, and where the bytes of tensors begin.
fn read_header(file: &File) -> Result<(Metadata, u64)> {
    let length = file.metadata().map_err(unreadable)?.len();
    let mut size = [0; 8];
    file.read_exact_at(&mut size, 0).map_err(unreadable)?;
    let size = u64::from_le_bytes(size);
    if size > bounds::HEADER as u64 || size > length - 8 {
        return Err(damaged(&format!(
            "its header of {size} bytes is larger than {}",
            if size > length - 8 {
                "the file"
            } else {
                "that of any network"
            }
        )));
    }
    let mut header = vec![0; size as usize];
    file.read_exact_at(&mut header, 8).map_err(unreadable)?;
    // Cheaper than to find it out from what was made of them.
    if header.iter().filter(|b| **b == b'{').count() > bounds::TENSORS {
        return Err(damaged(&format!(
            "it has more than {} tensors",
            bounds::TENSORS
        )));
    }
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|e| damaged("its header is not understood").because(e))?;
    if metadata.data_len() as u64 != length - 8 - size {
        let (there, length) = (length, 8 + size + metadata.data_len() as u64);
        return Err(damaged(&format!(
            "it has {there} bytes, and its tensors need {length}"
        ))
        .help("copy or download it again"));
    }
    Ok((metadata, size + 8))
}

/// Where the bytes of a tensor lie in the file.
struct Place {
    shape: Vec<usize>,
    element: Element,
    from: u64,
    length: usize,
}

/// The tensors by name, and the places of those of which something can be made; bytes begin at `data`.
fn tensors(metadata: &Metadata, data: u64) -> Result<(Set, Vec<Place>)> {
    let mut set = Set::default();
    let mut places = Vec::new();
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else {
            continue;
        };
        if info.shape.len() > bounds::DIMENSIONS {
            let name = text::shown(&name);
            return Err(damaged(&format!(
                "tensor `{name}` has {} dimensions",
                info.shape.len()
            )));
        }
        let found = match element(info.dtype) {
            Some(element) => {
                let (from, to) = info.data_offsets;
                places.push(Place {
                    shape: info.shape.clone(),
                    element,
                    from: data + from as u64,
                    length: to - from,
                });
                Found::Tensor {
                    shape: info.shape.clone(),
                    element,
                    place: places.len() - 1,
                }
            }
            None => Found::Other(info.dtype.to_string().into()),
        };
        set.add(name.into(), found);
    }
    Ok((set, places))
}

fn unreadable(e: std::io::Error) -> Error {
    Error::failed("cannot be read").because(e)
}

fn understood<T: DeserializeOwned>(text: Option<&String>) -> Result<Option<T>> {
    let understood = text.map(|text| serde_json::from_str(text)).transpose();
    let what = "what is said under `kfood` in its metadata is not understood";
    understood.map_err(|e| {
        Error::failed(what)
            .because(e)
            .help("use the file that kfood wrote")
    })
}

fn damaged(what: &str) -> Error {
    Error::failed(format!("cannot be read: {what}"))
}

const fn dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::Bf16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
    }
}

const fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::I64 => Element::I64,
        Dtype::I32 => Element::I32,
        Dtype::I16 => Element::I16,
        Dtype::I8 => Element::I8,
        Dtype::U8 => Element::U8,
        Dtype::BOOL => Element::Bool,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::{
        prelude::{any, prop, proptest},
        sample::Index,
    };

    use super::*;

    fn example(path: &Path) -> Vec<u8> {
        let mut state = StateDict::new();
        state.insert(
            "weight",
            TensorData::f32(vec![3], &[1.0, 2.0, 3.0]).unwrap(),
        );
        state.insert("steps", TensorData::i64_scalar(7));
        write(path, &state, None).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn tensors_lie_aligned_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        example(&path);
        let (state, info) = read(&path).unwrap();
        let names: Vec<_> = state.iter().map(|(name, _)| name).collect();
        assert_eq!((names, info), (vec!["steps", "weight"], None));
        assert_eq!(state.get("weight").unwrap().to_f32(), [1.0, 2.0, 3.0]);
    }

    proptest! {
        #[test]
        fn a_changed_or_truncated_file_is_an_error_or_a_state_dict_and_never_a_panic(
            changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
            end in any::<Option<Index>>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x");
            let mut bytes = example(&path);
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Some(end) = end {
                bytes.truncate(end.index(bytes.len()));
            }
            std::fs::write(&path, bytes).unwrap();
            let _ = read(&path);
        }
    }
}
