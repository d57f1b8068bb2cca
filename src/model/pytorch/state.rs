//! From the value of a pickle to its dictionaries of tensors. Each dictionary is looked at once, however often it is named.

use std::rc::Rc;

use super::{
    super::{
        bounds,
        catalog::{Found, Set},
    },
    storage::TensorRef,
    value::{Heap, Value},
};
use crate::{
    error::{Error, Result},
    text,
};

/// What a pickle holds.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) sets: Vec<Set>,
    /// By the places that the sets name.
    pub(super) tensors: Vec<Rc<TensorRef>>,
    /// What it is, where it is no dictionary.
    pub(super) instead: String,
}

/// Characters of a key that are told.
const KEY: usize = 64;

/// A container that is yet to be looked at, and the keys that lead there.
struct Ahead {
    value: Value,
    depth: usize,
    /// The place in the trail, from 1; 0 is the top.
    trail: usize,
}

/// The keys that lead to a container: each with the place of the one before.
type Trail = Vec<(usize, Rc<str>)>;

pub(super) fn list(value: &Value, heap: &Heap) -> Result<Listed> {
    let mut listed = Listed {
        sets: Vec::new(),
        tensors: Vec::new(),
        instead: value.kind(),
    };
    let (mut dicts, mut lists) = (vec![false; heap.dicts.len()], vec![false; heap.lists.len()]);
    let mut trail: Trail = Vec::new();
    let mut ahead = vec![Ahead {
        value: value.clone(),
        depth: 0,
        trail: 0,
    }];
    while let Some(here) = ahead.pop() {
        let seen = match here.value {
            Value::Dict(i) => &mut dicts[i],
            Value::List(i) | Value::Tuple(i) => &mut lists[i],
            _ => continue,
        };
        if std::mem::replace(seen, true) || here.depth > bounds::DEPTH {
            continue;
        }
        let first = ahead.len();
        let mut further = |key: &dyn Fn() -> Rc<str>, value: &Value| {
            if matches!(value, Value::Dict(_) | Value::List(_) | Value::Tuple(_)) {
                trail.push((here.trail, key()));
                ahead.push(Ahead {
                    value: value.clone(),
                    depth: here.depth + 1,
                    trail: trail.len(),
                });
            }
        };
        match here.value {
            Value::Dict(i) => {
                for (key, value) in &heap.dicts[i] {
                    let name = || match key {
                        Value::Text(name) => name.clone(),
                        Value::Int(number) => number.to_string().into(),
                        _ => "?".into(),
                    };
                    further(&name, value);
                }
                if let Some(mut set) = set(&heap.dicts[i], &mut listed.tensors)? {
                    set.at = path(here.trail, &trail);
                    listed.sets.push(set);
                }
            }
            Value::List(i) | Value::Tuple(i) => {
                for (number, value) in heap.lists[i].iter().enumerate() {
                    further(&|| number.to_string().into(), value);
                }
            }
            _ => {}
        }
        // In the order of the file, whichever end is taken next.
        ahead[first..].reverse();
    }
    Ok(listed)
}

/// The tensors of a dictionary; nothing where it has none.
fn set(entries: &[(Value, Value)], tensors: &mut Vec<Rc<TensorRef>>) -> Result<Option<Set>> {
    let mut set = Set::default();
    let of_weights = entries
        .iter()
        .any(|(_, value)| matches!(value, Value::Tensor(_) | Value::Opaque(_)));
    for (key, value) in entries.iter().filter(|_| of_weights) {
        match (key, value) {
            (Value::Text(name), Value::Tensor(tensor)) => {
                if tensors.len() == bounds::TENSORS {
                    return Err(Error::failed(format!(
                        "holds more than {} tensors: that is no network",
                        bounds::TENSORS
                    ))
                    .help("save `model.state_dict()` alone with `torch.save`"));
                }
                let found = Found::Tensor {
                    shape: tensor.size.clone(),
                    element: tensor.storage.element,
                    place: tensors.len(),
                };
                tensors.push(tensor.clone());
                set.add(name.clone(), found);
            }
            (Value::Text(name), Value::Opaque(made_by)) => {
                set.add(name.clone(), Found::Other(made_by.clone()));
            }
            _ => {}
        }
    }
    Ok(of_weights.then_some(set))
}

fn path(mut at: usize, trail: &Trail) -> String {
    let mut keys = Vec::new();
    while let Some((before, key)) = at.checked_sub(1).map(|i| &trail[i]) {
        let short: String = key.chars().take(KEY).collect();
        keys.push(text::shown(&short));
        at = *before;
    }
    keys.reverse();
    keys.join(".")
}
