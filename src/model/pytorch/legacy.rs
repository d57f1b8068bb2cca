//! The packaging before PyTorch 1.6 (`_use_new_zipfile_serialization=False`): five pickles (magic number, version of the
//! protocol, machine, object, keys of storages), then each storage as a length and its elements.

use std::{collections::HashMap, fs::File, os::unix::fs::FileExt, rc::Rc};

use super::{
    super::{bounds, catalog::Opened},
    Budget, bad, pickle,
    state::{Listed, list},
    storage::Storages,
    value::{Heap, Value},
};
use crate::error::{Error, Result};

/// 0x1950a86a20f9469cfc6c, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

/// What the small pickles around the large one take together.
const AROUND: usize = 4 << 20;

pub(super) fn open(file: File) -> Result<Opened> {
    let unreadable = |e: std::io::Error| bad("it cannot be read").because(e);
    let length = file.metadata().map_err(unreadable)?.len();
    let mut start = vec![0; (length as usize).min(bounds::PICKLE + AROUND)];
    file.read_exact_at(&mut start, 0).map_err(unreadable)?;

    let mut rest = &start[..];
    let (magic, _) = next(&mut rest)?;
    if !matches!(&magic, Value::Long(number) if **number == MAGIC) {
        return Err(bad("it is a pickle without PyTorch's magic number")
            .help("read it in Python and write its tensors with `torch.save`"));
    }
    let (protocol, _) = next(&mut rest)?;
    if !matches!(protocol, Value::Int(PROTOCOL)) {
        return Err(bad("the version of its protocol is unknown"));
    }
    little_endian(next(&mut rest)?)?;
    let (value, heap) = next(&mut rest)?;
    let keys = keys(next(&mut rest)?)?;

    let widths = widths(&heap);
    let mut at = (start.len() - rest.len()) as u64;
    let mut places = HashMap::new();
    for key in keys {
        // Of an element type that is not known: where the next begins is not known either.
        let Some(width) = widths.get(&key) else {
            return Err(bad("it holds a storage whose type is not known")
                .help("in Python, save the weights alone: `torch.save(model.state_dict(), \"weights.pt\")`"));
        };
        let content = storage(&file, at, *width, length)?;
        at = content.0 + content.1;
        places.insert(key, content);
    }
    let Listed {
        sets,
        tensors,
        instead,
    } = list(&value, &heap)?;
    let mut budget = Budget::of(length as usize);
    let mut storages = Storages::of(&tensors);
    let gather = move |place: usize| {
        let tensor = &tensors[place];
        budget.spend(tensor)?;
        storages.gather(tensor, |key| {
            let (from, length) = *places
                .get(key)
                .ok_or_else(|| bad("its storage is missing"))?;
            let mut bytes = vec![0; length as usize];
            file.read_exact_at(&mut bytes, from).map_err(unreadable)?;
            Ok(bytes)
        })
    };
    Ok(Opened {
        sets,
        gather: Box::new(gather),
        info: None,
        members: None,
        instead,
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
    let known = heap.storages.iter();
    let known = known.map(|s| (s.key.clone(), s.element.width()));
    known.chain(heap.odd_storages.iter().cloned()).collect()
}

/// Where the storage at this place begins and how many bytes it has: a length, and its elements.
fn storage(file: &File, at: u64, width: usize, length: u64) -> Result<(u64, u64)> {
    let truncated = || bad("it ends in the middle of a storage");
    let mut elements = [0; 8];
    file.read_exact_at(&mut elements, at)
        .map_err(|_| truncated())?;
    let from = at + 8;
    let bytes = u64::try_from(i64::from_le_bytes(elements))
        .ok()
        .and_then(|n| n.checked_mul(width as u64))
        .filter(|bytes| *bytes <= length - from)
        .ok_or_else(truncated)?;
    Ok((from, bytes))
}
