//! The memory of a tensor as a slice.

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};

/// The values of an f32 tensor on the CPU, in the order of its dimensions, to be written.
///
/// # Errors
/// When it is of another kind, elsewhere, or not contiguous.
pub fn floats_mut(tensor: &mut Tensor) -> Result<&mut [f32]> {
    if tensor.kind() != Kind::Float || tensor.device() != Device::Cpu || !tensor.is_contiguous() {
        return Err(Error::failed(
            "a tensor is not of contiguous f32 on the CPU",
        ));
    }
    // SAFETY: `numel` floats lie there, one behind the other, for as long as the tensor lives, which the result borrows.
    Ok(unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel()) })
}
