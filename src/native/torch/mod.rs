//! What libtorch has beside `tch`: the C++ shim, devices, optimizers' steps, CUDA's half. All of it needs the feature `tensors`.

mod autocast;
mod cuda;
mod device;
mod error;
mod libtorch;
mod optimizers;
mod shim;
mod tensor;
mod threads;

pub use autocast::Autocast;
#[cfg(test)]
pub(crate) use cuda::kernels_on_host;
pub use cuda::{
    Cuda, CudaGraph, CudaMemory, Sampling, accelerated, cuda, cuda_device_memory, cuda_memory,
    empty_cuda_cache, load_cuda, max_pool, norm_act, reset_cuda_peak, sample_pixels,
};
pub use device::{bf16_gains, device_name, parse_device};
pub use error::{is_out_of_memory, torch_error};
pub use libtorch::{libtorch_library, libtorch_version};
pub use optimizers::{
    AdamStep, LambStep, RmspropStep, SgdStep, clip_grad_norm, clip_grad_value, collect_gradients,
    fused_adam, fused_sgd, grad_norm, lamb, lerp, rmsprop,
};
pub use shim::{cpu_capability, make_deterministic, set_grad, set_training};
pub use tensor::floats_mut;
pub use threads::use_one_thread;
