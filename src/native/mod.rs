//! What libtorch and the operating system give that needs `unsafe`: the C++ shim, devices, the memory map; libjpeg-turbo and libwebp; and vector instructions. The only room with `unsafe`.

#![allow(unsafe_code, reason = "the one room that speaks to C and C++")]

mod allocator;
mod autocast;
mod bilinear;
#[cfg(feature = "libjpeg-turbo")]
mod colours;
mod cuda;
mod device;
mod error;
mod inherited;
#[cfg(feature = "libjpeg-turbo")]
mod jpeg_scan;
mod libtorch;
mod mmap;
mod optimizers;
mod process;
mod shim;
mod tensor;
mod threads;
#[cfg(feature = "libjpeg-turbo")]
mod turbo_jpeg;
mod turns;
mod vectorised;
mod webp;
#[cfg(feature = "libjpeg-turbo")]
mod weighted;
mod writeback;

pub use allocator::tune_allocator;
pub use autocast::Autocast;
pub use bilinear::{Bilinear, POINTS};
#[cfg(feature = "libjpeg-turbo")]
pub use colours::{GREY, ycc_to_rgb};
#[cfg(test)]
pub(crate) use cuda::kernels_on_host;
pub use cuda::{
    Cuda, CudaGraph, CudaMemory, Sampling, accelerated, cuda, cuda_device_memory, cuda_memory,
    empty_cuda_cache, load_cuda, max_pool, norm_act, reset_cuda_peak, sample_pixels,
    synchronize_cuda,
};
pub use device::{bf16_gains, device_name, parse_device};
pub use error::{is_out_of_memory, torch_error};
pub use inherited::{
    FollowMode, follow_mode, limits_are_errors, memory_left, raise_open_files, signals_to_pause_by,
    signals_to_stop_by,
};
#[cfg(feature = "libjpeg-turbo")]
pub use jpeg_scan::{JpegPlane, JpegPlanes};
pub use libtorch::libtorch_version;
pub use mmap::Map;
pub use optimizers::{
    AdamStep, LambStep, RmspropStep, SgdStep, clip_grad_norm, clip_grad_value, collect_gradients,
    fused_adam, fused_sgd, grad_norm, lamb, lerp, rmsprop,
};
pub use process::{
    Listed, continue_children, exit_now, ignore_interrupt, pause, peak_memory, prepare_cublas,
    start_child,
};
pub use shim::{cpu_capability, make_deterministic, set_grad, set_training};
pub use tensor::floats_mut;
pub use threads::use_one_thread;
#[cfg(all(test, feature = "libjpeg-turbo"))]
pub(crate) use turbo_jpeg::{SAMPLINGS, compressed};
#[cfg(feature = "libjpeg-turbo")]
pub use turbo_jpeg::{TurboHeader, TurboJpeg, TurboRegion};
pub use turns::{next_turn, take_turns};
pub use vectorised::Vectorised;
pub use webp::decode_webp;
#[cfg(test)]
pub(crate) use webp::lossy_webp;
#[cfg(feature = "libjpeg-turbo")]
pub use weighted::{WEIGHT_BITS, WeightedSums, weighted_rows};
pub use writeback::start_writeback;
