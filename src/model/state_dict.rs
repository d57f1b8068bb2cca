//! Named tensors in a fixed order, as PyTorch's `state_dict()`.

use std::collections::HashMap;

use super::{DType, TensorData};

/// Tensors by name, in the order of insertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDict {
    entries: Vec<(String, TensorData)>,
    /// For look-up alone; never iterated.
    places: HashMap<String, usize>,
}

impl StateDict {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tensor of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&TensorData> {
        self.places.get(name).map(|&i| &self.entries[i].1)
    }

    /// Adds a tensor at the end, or replaces the one of that name in its place.
    pub fn insert(&mut self, name: impl Into<String>, tensor: TensorData) {
        let name = name.into();
        if let Some(&i) = self.places.get(&name) {
            self.entries[i].1 = tensor;
            return;
        }
        self.places.insert(name.clone(), self.entries.len());
        self.entries.push((name, tensor));
    }

    /// Names and tensors in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &TensorData)> {
        self.entries
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The number of tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same with every float tensor in f32.
    #[must_use]
    pub fn to_f32(&self) -> Self {
        self.iter()
            .map(|(name, tensor)| {
                let tensor = if tensor.dtype.is_float() && tensor.dtype != DType::F32 {
                    TensorData {
                        dtype: DType::F32,
                        shape: tensor.shape.clone(),
                        bytes: tensor
                            .to_f32()
                            .iter()
                            .flat_map(|v| v.to_le_bytes())
                            .collect(),
                    }
                } else {
                    tensor.clone()
                };
                (name.to_owned(), tensor)
            })
            .collect()
    }
}

impl FromIterator<(String, TensorData)> for StateDict {
    fn from_iter<I: IntoIterator<Item = (String, TensorData)>>(iter: I) -> Self {
        let mut state = Self::new();
        for (name, tensor) in iter {
            state.insert(name, tensor);
        }
        state
    }
}

impl IntoIterator for StateDict {
    type Item = (String, TensorData);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_insertion_and_replacing_keeps_the_place() {
        let mut state = StateDict::new();
        state.insert("b", TensorData::i64_scalar(1));
        state.insert("a", TensorData::i64_scalar(2));
        state.insert("b", TensorData::i64_scalar(3));
        let names: Vec<_> = state.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(state.get("b").and_then(TensorData::as_i64), Some(3));
    }
}
