//! The packaging before PyTorch 1.6 (`_use_new_zipfile_serialization=False`): five pickles (magic number, version of the
//! protocol, machine, object, keys of storages), then each storage as a length and its elements.

use std::{collections::HashMap, rc::Rc};

use super::{
    super::StateDict,
    bad,
    pickle::{self, Heap, Value},
    state::collect,
};
use crate::error::{Error, Result};

/// 0x1950a86a20f9469cfc6c, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

pub(super) fn read(bytes: &[u8]) -> Result<StateDict> {
    let mut rest = bytes;
    let (magic, _) = next(&mut rest)?;
    if !matches!(&magic, Value::Long(number) if **number == MAGIC) {
        return Err(bad("it is a pickle without PyTorch's magic number"));
    }
    let (protocol, _) = next(&mut rest)?;
    if !matches!(protocol, Value::Int(PROTOCOL)) {
        return Err(bad("the version of its protocol is unknown"));
    }
    little_endian(next(&mut rest)?)?;
    let (value, heap) = next(&mut rest)?;
    let keys = keys(next(&mut rest)?)?;

    let widths = widths(&heap);
    let mut storages = HashMap::new();
    for key in keys {
        let width = *widths
            .get(&key)
            .ok_or_else(|| bad("it holds a storage that its pickle does not mention"))?;
        storages.insert(key, storage(&mut rest, width)?);
    }
    collect(&value, &heap, super::limit(bytes.len()), |tensor| {
        let bytes: &[u8] = storages
            .get(&tensor.storage.key)
            .ok_or_else(|| bad("its storage is missing"))?;
        tensor.gather(bytes)
    })
}

/// Runs the next pickle of the stream.
fn next(rest: &mut &[u8]) -> Result<(Value, Heap)> {
    let (value, heap, length) = pickle::run(rest)?;
    *rest = &rest[length..];
    Ok((value, heap))
}

fn little_endian((machine, heap): (Value, Heap)) -> Result<()> {
    let Value::Dict(place) = machine else {
        return Err(bad("it does not describe the machine that wrote it"));
    };
    let big = heap.dicts[place].iter().any(|(key, value)| {
        matches!((key, value), (Value::Text(key), Value::Bool(false)) if &**key == "little_endian")
    });
    if big {
        return Err(Error::failed(
            "its numbers are big-endian, and only little-endian files are accepted",
        ));
    }
    Ok(())
}

fn keys((keys, heap): (Value, Heap)) -> Result<Vec<Rc<str>>> {
    let Value::List(place) = keys else {
        return Err(bad("it does not list its storages"));
    };
    let key = |value: &Value| match value {
        Value::Text(key) => Ok(key.clone()),
        _ => Err(bad("the key of a storage is no text")),
    };
    heap.lists[place].iter().map(key).collect()
}

/// Bytes of one element by the storage's key.
fn widths(heap: &Heap) -> HashMap<Rc<str>, usize> {
    heap.storages
        .iter()
        .map(|s| (s.key.clone(), s.element.width()))
        .collect()
}

fn storage<'a>(rest: &mut &'a [u8], width: usize) -> Result<&'a [u8]> {
    let truncated = || bad("it ends in the middle of a storage");
    let (length, tail) = rest.split_first_chunk::<8>().ok_or_else(truncated)?;
    let bytes = usize::try_from(i64::from_le_bytes(*length))
        .ok()
        .and_then(|n| n.checked_mul(width));
    let (content, tail) = bytes
        .and_then(|bytes| tail.split_at_checked(bytes))
        .ok_or_else(truncated)?;
    *rest = tail;
    Ok(content)
}
