//! What libtorch and the operating system give that needs `unsafe`: what stands beside `tch`, the memory map, the process; libjpeg-turbo and libwebp; and vector instructions. The only room with `unsafe`.

#![allow(unsafe_code, reason = "the one room that speaks to C and C++")]

mod allocator;
mod bilinear;
#[cfg(feature = "libjpeg-turbo")]
mod colours;
mod inherited;
#[cfg(feature = "libjpeg-turbo")]
mod jpeg_scan;
mod libtorch_folder;
mod mmap;
mod process;
mod shortage;
#[cfg(feature = "tensors")]
mod torch;
#[cfg(feature = "libjpeg-turbo")]
mod turbo_jpeg;
mod turns;
mod vectorised;
mod webp;
#[cfg(feature = "libjpeg-turbo")]
mod weighted;
mod writeback;

pub use allocator::tune_allocator;
pub use bilinear::{Bilinear, POINTS};
#[cfg(feature = "libjpeg-turbo")]
pub use colours::{GREY, ycc_to_rgb};
pub use inherited::{
    FollowMode, follow_mode, leave_teams_whole, limits_are_errors, memory_left, raise_open_files,
    signals_to_pause_by, signals_to_stop_by,
};
#[cfg(feature = "libjpeg-turbo")]
pub use jpeg_scan::{JpegPlane, JpegPlanes};
pub use libtorch_folder::{libtorch_folder_version, libtorch_libraries};
pub use mmap::Map;
pub use process::{
    Listed, continue_children, exit_now, ignore_interrupt, pause, peak_memory, prepare_cublas,
    start_child,
};
pub use shortage::shortage;
#[cfg(feature = "tensors")]
pub use torch::*;
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
