//! Between bytes and tensors.

use tch::{Device, Kind, Tensor};

use super::{DType, TensorData};

/// A tensor on a device with the same element type.
///
/// # Panics
/// When the device has no memory left or is not there.
pub fn to_tensor(data: &TensorData, device: Device) -> Tensor {
    let shape: Vec<i64> = data.shape.iter().map(|&size| size as i64).collect();
    let kind = match data.dtype {
        DType::F32 => Kind::Float,
        DType::F16 => Kind::Half,
        DType::Bf16 => Kind::BFloat16,
        DType::I64 => Kind::Int64,
    };
    Tensor::from_data_size(&data.bytes, &shape, kind).to_device(device)
}

/// The bytes of a tensor, contiguous: halves as they are, other floats as f32, everything else as i64.
///
/// # Panics
/// When memory is full.
#[must_use]
pub fn to_data(tensor: &Tensor) -> TensorData {
    let (dtype, kind) = match tensor.kind() {
        Kind::Half => (DType::F16, Kind::Half),
        Kind::BFloat16 => (DType::Bf16, Kind::BFloat16),
        Kind::Float | Kind::Double => (DType::F32, Kind::Float),
        _ => (DType::I64, Kind::Int64),
    };
    let tensor = tensor
        .detach()
        .to_device(Device::Cpu)
        .to_kind(kind)
        .contiguous();
    let mut bytes = vec![0; tensor.numel() * dtype.width()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    TensorData {
        dtype,
        shape: tensor
            .size()
            .into_iter()
            .map(|size| size as usize)
            .collect(),
        bytes,
    }
}
