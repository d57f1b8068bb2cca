//! From the value of a pickle to a state dict.

use std::rc::Rc;

use super::{
    super::{StateDict, TensorData},
    bad,
    pickle::{Heap, Value},
    storage::TensorRef,
};
use crate::error::{Error, Result};

/// Where programs put the weights in a larger checkpoint.
const USUAL: [&str; 4] = ["model", "state_dict", "model_state_dict", "net"];
/// What wrappers put before every name: `DataParallel`, and `torch.compile`.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];
/// Levels of nesting that are unwrapped.
const DEEPEST: usize = 4;

type Tensors<'a> = Vec<(Rc<str>, &'a Rc<TensorRef>)>;

/// Finds the state dict and gathers its tensors. `gather` does so from the bytes of the storage; `limit` bounds the bytes of all
/// tensors together, since a few bytes of file can describe a tensor of any size.
pub(super) fn collect(
    value: &Value,
    heap: &Heap,
    limit: usize,
    mut gather: impl FnMut(&TensorRef) -> Result<TensorData>,
) -> Result<StateDict> {
    let tensors = find(value, heap)?;
    let mut total = 0usize;
    for (name, tensor) in &tensors {
        total = tensor
            .kept_bytes()
            .and_then(|bytes| total.checked_add(bytes))
            .filter(|&total| total <= limit)
            .ok_or_else(|| bad(&format!("tensor `{name}` is larger than the file can hold")))?;
    }
    let mut state = StateDict::new();
    for (name, tensor) in &tensors {
        let gathered = gather(tensor).map_err(|e| e.within(&format!("tensor `{name}`")))?;
        state.insert(bare(name, &tensors), gathered);
    }
    Ok(state)
}

/// The dictionary of tensors, unwrapped.
fn find<'a>(value: &Value, heap: &'a Heap) -> Result<Tensors<'a>> {
    let mut value = value.clone();
    for _ in 0..DEEPEST {
        let Value::Dict(place) = value else {
            return Err(no_tensors(&format!("it holds {}", value.kind())));
        };
        let entries = &heap.dicts[place];
        let tensors = tensors(entries);
        if tensors.len() == entries.len() && !tensors.is_empty() {
            return Ok(tensors);
        }
        if !tensors.is_empty() && inner(entries, heap).is_empty() {
            return Err(mixed(entries));
        }
        value = unwrap(entries, heap)?;
    }
    Err(no_tensors(&format!(
        "its first {DEEPEST} levels hold no tensors"
    )))
}

fn tensors(entries: &[(Value, Value)]) -> Tensors<'_> {
    entries
        .iter()
        .filter_map(|(key, value)| match (key, value) {
            (Value::Text(name), Value::Tensor(tensor)) => Some((name.clone(), tensor)),
            _ => None,
        })
        .collect()
}

/// Dictionaries under names.
fn inner<'a>(entries: &'a [(Value, Value)], heap: &Heap) -> Vec<(&'a str, usize)> {
    entries
        .iter()
        .filter_map(|(key, value)| match (key, value) {
            (Value::Text(name), Value::Dict(place)) if !heap.dicts[*place].is_empty() => {
                Some((&**name, *place))
            }
            _ => None,
        })
        .collect()
}

/// The one inner dictionary that holds the weights.
fn unwrap(entries: &[(Value, Value)], heap: &Heap) -> Result<Value> {
    let inner = inner(entries, heap);
    let usual: Vec<_> = inner
        .iter()
        .filter(|(name, _)| USUAL.contains(name))
        .collect();
    let nets: Vec<_> = inner
        .iter()
        .filter(|(_, place)| !tensors(&heap.dicts[*place]).is_empty())
        .collect();
    match (&usual[..], &nets[..]) {
        ([(_, place)], _) | ([], [(_, place)]) => Ok(Value::Dict(*place)),
        ([], []) => Err(no_tensors("no dictionary in it holds tensors")),
        (several @ [_, ..], _) | ([], several) => {
            let names: Vec<_> = several
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            Err(
                Error::failed(format!("holds several models: {}", names.join(", ")))
                    .help("save the state dict of one of them into a file of its own"),
            )
        }
    }
}

fn mixed(entries: &[(Value, Value)]) -> Error {
    let odd = entries
        .iter()
        .find(|(key, value)| !matches!((key, value), (Value::Text(_), Value::Tensor(_))));
    match odd {
        Some((Value::Text(name), value)) => {
            bad(&format!("`{name}` is {} among tensors", value.kind()))
        }
        _ => bad("a name in it is no text"),
    }
}

fn no_tensors(found: &str) -> Error {
    Error::failed(format!("holds no state dict: {found}"))
        .help("save `model.state_dict()` with `torch.save`")
}

/// The name without the prefixes that all names share.
fn bare<'a>(name: &'a str, all: &Tensors<'_>) -> &'a str {
    let mut cut = 0;
    while let Some(prefix) = PREFIXES.iter().find(|prefix| {
        all.iter()
            .all(|(n, _)| n[cut.min(n.len())..].starts_with(**prefix))
    }) {
        cut += prefix.len();
    }
    &name[cut..]
}
