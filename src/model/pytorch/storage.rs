//! Tensors as views into storages: offset, sizes and strides, counted in elements.

use std::{collections::HashMap, rc::Rc};

use super::{
    super::{TensorData, bounds, element::Element, tensor_data::byte_count},
    bad,
    global::Global,
    value::{Heap, Value},
};
use crate::error::Result;

/// A storage as a pickle mentions it; its bytes lie outside.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) element: Element,
    pub(super) key: Rc<str>,
    /// Elements.
    pub(super) len: usize,
}

impl Storage {
    /// From `("storage", type, key, location, length)`; the older format adds `None`.
    pub(super) fn from_id(id: &[Value]) -> Result<Self> {
        match id {
            [
                Value::Text(word),
                Value::Global(kind),
                Value::Text(key),
                _,
                len,
                ..,
            ] if &**word == "storage" => {
                let Global::Storage(element) = **kind else {
                    return Err(bad("it mentions something outside that is no storage"));
                };
                let len = natural(len)?;
                byte_count(&[len], element.width())
                    .ok_or_else(|| bad("a storage does not fit into memory"))?;
                Ok(Self {
                    element,
                    key: key.clone(),
                    len,
                })
            }
            _ => Err(bad("it mentions something outside that is no storage")),
        }
    }

    /// Bytes in the file.
    pub(super) fn bytes(&self) -> usize {
        self.len * self.element.width()
    }
}

/// A tensor as a pickle describes it.
#[derive(Clone, Debug)]
pub(super) struct TensorRef {
    pub(super) storage: Rc<Storage>,
    offset: usize,
    pub(super) size: Vec<usize>,
    stride: Vec<usize>,
}

impl TensorRef {
    pub(super) fn rebuild(
        heap: &Heap,
        storage: &Rc<Storage>,
        offset: &Value,
        size: &Value,
        stride: &Value,
    ) -> Result<Self> {
        let numbers = |value: &Value| {
            heap.tuple(value)
                .filter(|sizes| sizes.len() <= bounds::DIMENSIONS)
                .ok_or_else(|| bad("a tensor in it has no sizes that a tensor can have"))?
                .iter()
                .map(natural)
                .collect::<Result<Vec<_>>>()
        };
        let tensor = Self {
            storage: storage.clone(),
            offset: natural(offset)?,
            size: numbers(size)?,
            stride: numbers(stride)?,
        };
        if tensor.size.len() != tensor.stride.len() || !tensor.fits() {
            return Err(bad("a tensor in it reaches beyond its storage"));
        }
        Ok(tensor)
    }

    /// Whether the last element lies in the storage.
    fn fits(&self) -> bool {
        if self.size.contains(&0) {
            return true;
        }
        let mut pairs = self.size.iter().zip(&self.stride);
        let last = pairs.try_fold(self.offset, |at, (&size, &stride)| {
            at.checked_add((size - 1).checked_mul(stride)?)
        });
        last.is_some_and(|last| last < self.storage.len)
    }

    /// Bytes once it is contiguous and of a type that is kept.
    pub(super) fn kept_bytes(&self) -> Option<usize> {
        let width = self
            .storage
            .element
            .width()
            .max(self.storage.element.kept_as().width());
        byte_count(&self.size, width)
    }

    /// Gathers its elements from the storage's bytes, which must be [`Storage::bytes`] many.
    pub(super) fn gather(&self, bytes: &[u8]) -> Result<TensorData> {
        if bytes.len() != self.storage.bytes() {
            return Err(bad("a storage has another size than its pickle says"));
        }
        let width = self.storage.element.width();
        let count = byte_count(&self.size, width)
            .ok_or_else(|| bad("a tensor does not fit into memory"))?;
        let gathered = if self.is_contiguous() {
            // An empty tensor may start anywhere.
            let start = if count == 0 { 0 } else { self.offset * width };
            bytes[start..start + count].to_vec()
        } else {
            let mut gathered = Vec::with_capacity(count);
            for at in self.places(count / width) {
                gathered.extend_from_slice(&bytes[at * width..(at + 1) * width]);
            }
            gathered
        };
        let element = self.storage.element;
        TensorData::new(
            element.kept_as(),
            self.size.clone(),
            element.convert(gathered),
        )
    }

    fn is_contiguous(&self) -> bool {
        let mut wanted = 1;
        self.size.contains(&0)
            || self
                .size
                .iter()
                .zip(&self.stride)
                .rev()
                .all(|(&size, &stride)| {
                    let fits = size == 1 || stride == wanted;
                    wanted *= size;
                    fits
                })
    }

    /// Places in the storage in row-major order.
    fn places(&self, count: usize) -> impl Iterator<Item = usize> {
        let mut index = vec![0; self.size.len()];
        let mut at = self.offset;
        (0..count).map(move |_| {
            let here = at;
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                at += self.stride[axis];
                if index[axis] < self.size[axis] {
                    break;
                }
                at -= index[axis] * self.stride[axis];
                index[axis] = 0;
            }
            here
        })
    }
}

/// The bytes of a file's storages. Those that several tensors share are held, so that none is read twice; any other is let go
/// with its tensor.
pub(super) struct Storages {
    /// For look-up alone; never iterated.
    shared: HashMap<Rc<str>, Option<Vec<u8>>>,
}

impl Storages {
    pub(super) fn of(tensors: &[Rc<TensorRef>]) -> Self {
        let mut users: HashMap<&Rc<str>, usize> = HashMap::new();
        for tensor in tensors {
            *users.entry(&tensor.storage.key).or_default() += 1;
        }
        let shared = users.into_iter().filter(|(_, users)| *users > 1);
        let shared = shared.map(|(key, _)| (key.clone(), None)).collect();
        Self { shared }
    }

    /// The elements of a tensor, its storage read unless it is held.
    pub(super) fn gather(
        &mut self,
        tensor: &TensorRef,
        read: impl FnOnce(&str) -> Result<Vec<u8>>,
    ) -> Result<TensorData> {
        let key = &tensor.storage.key;
        let Some(held) = self.shared.get_mut(key) else {
            return tensor.gather(&read(key)?);
        };
        let bytes = match held.take() {
            Some(bytes) => bytes,
            None => read(key)?,
        };
        tensor.gather(held.insert(bytes))
    }
}

fn natural(value: &Value) -> Result<usize> {
    match value {
        Value::Int(number) => usize::try_from(*number).ok(),
        _ => None,
    }
    .ok_or_else(|| bad(&format!("{} stands where a size belongs", value.kind())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(offset: usize, size: &[usize], stride: &[usize]) -> TensorRef {
        let storage = Storage {
            element: Element::U8,
            key: "0".into(),
            len: 6,
        };
        TensorRef {
            storage: storage.into(),
            offset,
            size: size.into(),
            stride: stride.into(),
        }
    }

    #[test]
    fn strides_and_offsets_are_honoured() {
        let bytes = [0, 1, 2, 3, 4, 5];
        let values = |view: TensorRef| view.gather(&bytes).unwrap().to_f32();
        assert_eq!(values(view(0, &[2, 3], &[3, 1])), [0., 1., 2., 3., 4., 5.]);
        assert_eq!(values(view(0, &[3, 2], &[1, 3])), [0., 3., 1., 4., 2., 5.]);
        assert_eq!(values(view(4, &[2], &[1])), [4., 5.]);
        assert_eq!(values(view(5, &[2, 2], &[0, 0])), [5., 5., 5., 5.]);
        assert_eq!(values(view(9, &[0], &[1])), [0f32; 0]);
    }

    #[test]
    fn a_storage_that_tensors_share_is_read_once_whatever_their_order() {
        let of = |key: &str| {
            let mut tensor = view(0, &[2, 3], &[3, 1]);
            Rc::make_mut(&mut tensor.storage).key = key.into();
            Rc::new(tensor)
        };
        let tensors = ["a", "b", "a", "c", "b", "a"].map(of);
        let mut storages = Storages::of(&tensors);
        let mut read = Vec::new();
        for tensor in &tensors {
            let bytes = |key: &str| {
                read.push(key.to_owned());
                Ok(vec![0; 6])
            };
            storages.gather(tensor, bytes).unwrap();
        }
        assert_eq!(read, ["a", "b", "c"]);
    }

    #[test]
    fn a_view_beyond_its_storage_does_not_fit() {
        assert!(view(0, &[2, 3], &[3, 1]).fits());
        assert!(!view(1, &[2, 3], &[3, 1]).fits());
        assert!(!view(0, &[usize::MAX, 2], &[usize::MAX, 1]).fits());
        assert!(!view(6, &[], &[]).fits());
    }
}
