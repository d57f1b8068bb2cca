//! Named tensors in a fixed order, as PyTorch's `state_dict()`.

use std::collections::HashMap;

use super::{DType, TensorData};
use crate::error::{Error, Result};

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
    #[must_use]
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

    /// The mean of several, tensor by tensor: sums in f64, floats in f32; counts are whole and rounded down. The mean of equal
    /// ones is equal to each.
    ///
    /// # Errors
    /// When there is none, or a tensor is missing from one of them or has another shape there.
    pub fn mean(states: &[&Self]) -> Result<Self> {
        let first = states
            .first()
            .ok_or_else(|| Error::failed("a mean of no models"))?;
        let tensors = first.iter().map(|(name, tensor)| {
            let all = states.iter().map(|state| state.get(name));
            let all: Option<Vec<_>> = all.collect();
            let all = all.filter(|all| all.iter().all(|other| other.shape == tensor.shape));
            let all = all.ok_or_else(|| {
                Error::failed(format!("`{name}` is not in all models with one shape"))
            })?;
            Ok((name.to_owned(), mean(&all)?))
        });
        tensors.collect()
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

/// Of tensors of one shape; at least one.
fn mean(tensors: &[&TensorData]) -> Result<TensorData> {
    let n = tensors.len();
    if tensors.iter().all(|tensor| tensor.dtype.is_float()) {
        let values: Vec<Vec<f32>> = tensors.iter().map(|tensor| tensor.to_f32()).collect();
        let at = |i: usize| values.iter().map(|v| f64::from(v[i])).sum::<f64>() / n as f64;
        let mean: Vec<f32> = (0..tensors[0].len()).map(|i| at(i) as f32).collect();
        return TensorData::f32(tensors[0].shape.clone(), &mean);
    }
    let counts: Option<Vec<i64>> = tensors.iter().map(|tensor| tensor.as_i64()).collect();
    let counts = counts.ok_or_else(|| Error::failed("a mean of tensors of several types"))?;
    Ok(TensorData::i64_scalar(
        counts.iter().sum::<i64>() / n as i64,
    ))
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

    fn pair(values: [f32; 2], count: i64) -> StateDict {
        let mut state = StateDict::new();
        state.insert("weight", TensorData::f32(vec![2], &values).unwrap());
        state.insert("steps", TensorData::i64_scalar(count));
        state
    }

    #[test]
    fn a_mean_is_taken_tensor_by_tensor_and_that_of_equal_ones_is_equal() {
        let (a, b) = (pair([1.0, -3.0], 4), pair([2.0, 0.5], 7));
        assert_eq!(StateDict::mean(&[&a, &b]).unwrap(), pair([1.5, -1.25], 5));
        let odd = pair([0.1, 1e-30], 3);
        assert_eq!(StateDict::mean(&[&odd, &odd, &odd]).unwrap(), odd);
        let other: StateDict = a
            .iter()
            .take(1)
            .map(|(n, t)| (n.to_owned(), t.clone()))
            .collect();
        assert!(StateDict::mean(&[&a, &other]).is_err());
        assert!(StateDict::mean(&[]).is_err());
    }
}
