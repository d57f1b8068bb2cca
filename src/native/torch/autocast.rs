//! bf16 autocast for a scope, on the CPU and on CUDA (tch has it for CUDA and f16 alone).

use tch::Device;

use super::shim::{autocast_enter, autocast_leave};
use crate::error::Result;

/// While it lives, convolutions and matrix products of this thread run in bf16; parameters stay in f32.
#[must_use = "autocast ends when this is dropped"]
pub struct Autocast {
    cuda: bool,
}

impl Autocast {
    /// Switches bf16 autocast on for a kind of device.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn bf16(device: Device) -> Result<Self> {
        let cuda = device.is_cuda();
        autocast_enter(cuda)?;
        Ok(Self { cuda })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // Switching a thread-local flag off again cannot fail where switching it on did not.
        let _ = autocast_leave(self.cuda);
    }
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    #[test]
    fn products_are_bf16_inside_and_f32_after_it() {
        let x = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        {
            let _autocast = Autocast::bf16(Device::Cpu).unwrap();
            assert_eq!(x.matmul(&x).kind(), Kind::BFloat16);
        }
        assert_eq!(x.matmul(&x).kind(), Kind::Float);
    }
}
