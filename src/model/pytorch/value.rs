//! The values of a pickle; containers are places in [`Heap`].

use std::rc::Rc;

use super::{
    global::Global,
    storage::{Storage, TensorRef},
};

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, little-endian.
    Long(Rc<[u8]>),
    Float,
    Text(Rc<str>),
    Bytes,
    Global(Rc<Global>),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Storage(Rc<Storage>),
    Tensor(Rc<TensorRef>),
    /// An object that was not made, with the name of what would have made it.
    Opaque(Rc<str>),
}

impl Value {
    /// What it is, in words.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::None => "`None`",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Long(_) | Self::Float => "a number",
            Self::Text(_) => "a text",
            Self::Bytes => "bytes",
            Self::Global(global) => return format!("the name `{}`", global.name()),
            Self::Tuple(_) | Self::List(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
            Self::Opaque(name) => return format!("an object of `{name}`"),
        }
        .to_owned()
    }
}

/// The containers of a pickle.
#[derive(Debug, Default)]
pub(super) struct Heap {
    /// Tuples and lists.
    pub(super) lists: Vec<Vec<Value>>,
    /// Dictionaries as they were filled; of equal keys the last counts.
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    /// Every storage that was mentioned.
    pub(super) storages: Vec<Rc<Storage>>,
    /// Those among them of element types that no network here has: key, and bytes of an element.
    pub(super) odd_storages: Vec<(Rc<str>, usize)>,
}

impl Heap {
    /// The items of a tuple.
    pub(super) fn tuple(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(i) => Some(&self.lists[*i]),
            _ => None,
        }
    }
}
