//! Between bytes and tensors.

use tch::{Device, Kind, Tensor};

use super::super::{DType, StateDict, TensorData};

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

/// A checked state dict that a model is built from: every asked name is there.
pub(super) struct Source<'a> {
    state: &'a StateDict,
    device: Device,
}

impl<'a> Source<'a> {
    pub(super) fn new(state: &'a StateDict, device: Device) -> Self {
        Self { state, device }
    }

    /// Whether there is a tensor of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.state.get(name).is_some()
    }

    /// A buffer: f32, without gradient.
    pub(super) fn buffer(&self, name: &str) -> Tensor {
        to_tensor(entry(self.state, name), self.device).to_kind(Kind::Float)
    }

    /// A parameter: f32, with gradient.
    pub(super) fn parameter(&self, name: &str) -> Tensor {
        self.buffer(name).set_requires_grad(true)
    }

    /// An i64 scalar.
    pub(super) fn count(&self, name: &str) -> i64 {
        count(self.state, name)
    }
}

/// Copies values into a tensor that keeps its memory and strides. To be called without gradients.
pub(super) fn copy(to: &mut Tensor, state: &StateDict, name: &str) {
    to.copy_(&to_tensor(entry(state, name), to.device()));
}

pub(super) fn count(state: &StateDict, name: &str) -> i64 {
    entry(state, name).as_i64().unwrap_or_default()
}

fn entry<'a>(state: &'a StateDict, name: &str) -> &'a TensorData {
    // `file::check` and `init::state` give every name of the architecture.
    state
        .get(name)
        .expect("the state dict was checked against the architecture")
}
