//! One buffer for many tensors.

use tch::Tensor;

use crate::error::Result;

/// A stretch of a flat buffer: as a whole, and as a tensor for each parameter that lies in it, one behind the other.
pub(super) struct Flat {
    /// Of one dimension.
    pub(super) whole: Tensor,
    /// Each of its parameter's shape and memory order.
    pub(super) pieces: Vec<Tensor>,
}

impl Flat {
    /// The pieces of `whole` for these parameters, which fill it. A parameter lies densely in memory, in whatever order.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn new(whole: Tensor, params: &[Tensor]) -> Result<Self> {
        let mut pieces = Vec::with_capacity(params.len());
        let mut start = 0;
        for param in params {
            let length = param.numel() as i64;
            let piece = whole.f_narrow(0, start, length)?;
            pieces.push(piece.f_as_strided(param.size(), param.stride(), None)?);
            start += length;
        }
        Ok(Self { whole, pieces })
    }
}
