//! One tensor as bytes, without libtorch.

use half::{bf16, f16};

use crate::error::{Error, Result};

/// The element types a model file may hold; wider or odder ones are converted when a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 16-bit IEEE float.
    F16,
    /// 16-bit brain float.
    Bf16,
    /// 64-bit signed integer (`num_batches_tracked`).
    I64,
}

impl DType {
    /// Bytes of one element.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::I64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Whether it is a float.
    #[must_use]
    pub const fn is_float(self) -> bool {
        !matches!(self, Self::I64)
    }
}

/// A tensor: contiguous, row-major, little-endian. A scalar has an empty shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorData {
    /// Element type.
    pub dtype: DType,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// `shape.product() * dtype.width()` bytes.
    pub bytes: Vec<u8>,
}

impl TensorData {
    /// A tensor from its parts.
    ///
    /// # Errors
    /// When the number of bytes does not fit the shape.
    pub fn new(dtype: DType, shape: Vec<usize>, bytes: Vec<u8>) -> Result<Self> {
        match byte_count(&shape, dtype.width()) {
            Some(wanted) if wanted == bytes.len() => Ok(Self {
                dtype,
                shape,
                bytes,
            }),
            _ => Err(Error::failed(format!(
                "a tensor of shape {shape:?} cannot consist of {} bytes",
                bytes.len()
            ))),
        }
    }

    /// An f32 tensor.
    ///
    /// # Errors
    /// When the number of values does not fit the shape.
    pub fn f32(shape: Vec<usize>, values: &[f32]) -> Result<Self> {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self::new(DType::F32, shape, bytes)
    }

    /// An i64 scalar.
    #[must_use]
    pub fn i64_scalar(value: i64) -> Self {
        Self {
            dtype: DType::I64,
            shape: Vec::new(),
            bytes: value.to_le_bytes().to_vec(),
        }
    }

    /// The rows (along the first dimension) in this order; `None` when there is no such row.
    #[must_use]
    pub fn select_rows(&self, order: &[usize]) -> Option<Self> {
        let rows = *self.shape.first().filter(|rows| **rows > 0)?;
        let width = self.bytes.len() / rows;
        let mut bytes = Vec::with_capacity(order.len() * width);
        for row in order {
            bytes.extend_from_slice(self.bytes.get(row * width..(row + 1) * width)?);
        }
        let mut shape = self.shape.clone();
        shape[0] = order.len();
        Some(Self {
            dtype: self.dtype,
            shape,
            bytes,
        })
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.width()
    }

    /// Whether it has no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its values as f32; integers are rounded to the nearest.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        match self.dtype {
            DType::F32 => self.elements().map(f32::from_le_bytes).collect(),
            DType::F16 => self
                .elements()
                .map(|b| f16::from_le_bytes(b).to_f32())
                .collect(),
            DType::Bf16 => self
                .elements()
                .map(|b| bf16::from_le_bytes(b).to_f32())
                .collect(),
            DType::I64 => self
                .elements()
                .map(|b| i64::from_le_bytes(b) as f32)
                .collect(),
        }
    }

    /// The value of an i64 tensor with one element.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        let bytes = self.bytes.as_slice().try_into().ok()?;
        (self.dtype == DType::I64).then(|| i64::from_le_bytes(bytes))
    }

    fn elements<const N: usize>(&self) -> impl Iterator<Item = [u8; N]> {
        self.bytes.as_chunks::<N>().0.iter().copied()
    }
}

/// Bytes of a contiguous tensor, or `None` where the number does not fit into memory.
pub(super) fn byte_count(shape: &[usize], width: usize) -> Option<usize> {
    // A zero anywhere makes it empty, however large the other sizes are.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(width, |n, &size| n.checked_mul(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_become_floats() {
        let half = TensorData::new(
            DType::F16,
            vec![1],
            f16::from_f32(1.5).to_le_bytes().to_vec(),
        );
        let brain = TensorData::new(
            DType::Bf16,
            vec![1],
            bf16::from_f32(-2.0).to_le_bytes().to_vec(),
        );
        assert_eq!(half.unwrap().to_f32(), [1.5]);
        assert_eq!(brain.unwrap().to_f32(), [-2.0]);
        assert_eq!(TensorData::i64_scalar(7).as_i64(), Some(7));
    }

    #[test]
    fn bytes_must_fit_the_shape() {
        assert!(TensorData::new(DType::F32, vec![2], vec![0; 4]).is_err());
        assert!(TensorData::new(DType::F32, vec![usize::MAX, 8], vec![0; 4]).is_err());
        assert!(TensorData::f32(vec![], &[1.0]).is_ok());
    }
}
