//! The element types of foreign files, and what becomes of them here.

use super::DType;

/// An element type of PyTorch or safetensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Element {
    /// Bytes of one element in the file.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// What it is kept as: f64 becomes f32, every integer i64.
    pub(super) const fn kept_as(self) -> DType {
        match self {
            Self::F64 | Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::Bf16,
            Self::I64 | Self::I32 | Self::I16 | Self::I8 | Self::U8 | Self::Bool => DType::I64,
        }
    }

    /// Converts contiguous little-endian elements to what they are kept as.
    pub(super) fn convert(self, bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 | Self::I64 => bytes,
            Self::F64 => each(&bytes, |b| (f64::from_le_bytes(b) as f32).to_le_bytes()),
            Self::I32 => each(&bytes, |b| i64::from(i32::from_le_bytes(b)).to_le_bytes()),
            Self::I16 => each(&bytes, |b| i64::from(i16::from_le_bytes(b)).to_le_bytes()),
            Self::I8 => each(&bytes, |b| i64::from(i8::from_le_bytes(b)).to_le_bytes()),
            Self::U8 | Self::Bool => each(&bytes, |[b]| i64::from(b).to_le_bytes()),
        }
    }
}

fn each<const N: usize, const M: usize>(
    bytes: &[u8],
    convert: impl Fn([u8; N]) -> [u8; M],
) -> Vec<u8> {
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .flat_map(|b| convert(*b))
        .collect()
}
