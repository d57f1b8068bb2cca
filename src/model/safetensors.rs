//! Model files in the safetensors format. Our own carry [`CheckpointInfo`] as JSON under the key `kfood` of their metadata.

use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorInfo};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{DType, StateDict, TensorData, element::Element};
use crate::{
    error::{Error, Result},
    files,
    record::CheckpointInfo,
};

/// Writes a file: equal content gives equal bytes. Not atomic: for files in a private folder.
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
    let bytes = said.transpose().and_then(|said| to_bytes(state, said));
    files::write(path, &bytes.map_err(|e| fail("write", path, e))?)
}

/// What a file holds.
pub(super) struct Held {
    /// Its tensors.
    pub(super) state: StateDict,
    /// What a model of ours says about itself.
    pub(super) info: Option<CheckpointInfo>,
    /// What an ensemble says about its members.
    pub(super) members: Option<Vec<CheckpointInfo>>,
}

/// Reads a file of ours or of anyone; wider floats become f32, integers i64. Tensors stand in the order of their bytes.
///
/// # Errors
/// When it cannot be read, is truncated or malformed, or holds an element type that no model of ours has.
pub fn read(path: &Path) -> Result<(StateDict, Option<CheckpointInfo>)> {
    let held = held(path)?;
    Ok((held.state, held.info))
}

/// As [`read`], of an ensemble too.
///
/// # Errors
/// As [`read`].
pub(super) fn held(path: &Path) -> Result<Held> {
    from_bytes(&files::read(path)?, path)
}

/// The header is written here, because the crate's own writer keeps metadata in a map that iterates at random.
fn to_bytes(state: &StateDict, said: Option<(&str, String)>) -> serde_json::Result<Vec<u8>> {
    let mut order: Vec<_> = state.iter().collect();
    // Wider elements first keeps every tensor aligned; the sort is stable.
    order.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype.width()));

    let mut header = Map::new();
    let mut metadata = json!({ "format": "pt" });
    if let Some((key, text)) = said {
        metadata[key] = Value::String(text);
    }
    header.insert("__metadata__".to_owned(), metadata);
    let mut offset = 0;
    for (name, tensor) in &order {
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
    let mut bytes = Vec::with_capacity(8 + header.len() + offset);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for (_, tensor) in order {
        bytes.extend(&tensor.bytes);
    }
    Ok(bytes)
}

fn from_bytes(bytes: &[u8], path: &Path) -> Result<Held> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| fail("read", path, e))?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| fail("read", path, e))?;
    let mut state = StateDict::new();
    for name in metadata.offset_keys() {
        let view = tensors.tensor(&name).map_err(|e| fail("read", path, e))?;
        let Some(element) = element(view.dtype()) else {
            return Err(Error::failed(format!(
                "`{}`: tensor `{name}` is of type `{}`, and f64, f32, f16, bf16 and integers are accepted",
                path.display(),
                view.dtype()
            )));
        };
        let tensor = TensorData::new(
            element.kept_as(),
            view.shape().to_vec(),
            element.convert(view.data().to_vec()),
        )
        .map_err(|e| e.within(&format!("`{}`: tensor `{name}`", path.display())))?;
        state.insert(name, tensor);
    }
    let said = |key: &str| metadata.metadata().as_ref().and_then(|m| m.get(key));
    Ok(Held {
        state,
        info: understood(said(ONE), path)?,
        members: understood(said(SEVERAL), path)?,
    })
}

fn understood<T: DeserializeOwned>(text: Option<&String>, path: &Path) -> Result<Option<T>> {
    let understood = text.map(|text| serde_json::from_str(text)).transpose();
    let doing = "understand what is said under `kfood` in the metadata of";
    understood.map_err(|e| fail(doing, path, e))
}

fn fail(doing: &str, path: &Path, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed(format!("cannot {doing} `{}`", path.display())).because(cause)
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

    fn example() -> Vec<u8> {
        let mut state = StateDict::new();
        state.insert(
            "weight",
            TensorData::f32(vec![3], &[1.0, 2.0, 3.0]).unwrap(),
        );
        state.insert("steps", TensorData::i64_scalar(7));
        to_bytes(&state, None).unwrap()
    }

    #[test]
    fn tensors_lie_aligned_and_come_back() {
        let held = from_bytes(&example(), Path::new("x")).unwrap();
        let names: Vec<_> = held.state.iter().map(|(name, _)| name).collect();
        assert_eq!((names, held.info), (vec!["steps", "weight"], None));
        assert_eq!(held.state.get("weight").unwrap().to_f32(), [1.0, 2.0, 3.0]);
    }

    proptest! {
        #[test]
        fn a_changed_or_truncated_file_is_an_error_or_a_state_dict_and_never_a_panic(
            changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
            end in any::<Option<Index>>(),
        ) {
            let mut bytes = example();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Some(end) = end {
                bytes.truncate(end.index(bytes.len()));
            }
            let _ = from_bytes(&bytes, Path::new("x"));
        }
    }
}
