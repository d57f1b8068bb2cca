//! The job `Doctor`: what libtorch and which devices there are.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tch::Device;

use crate::{
    error::Result,
    files,
    native::{
        self, Cuda, bf16_gains, cpu_capability, device_name, libtorch_library, libtorch_version,
    },
    record::Job,
};

/// `doctor.json`.
#[derive(Serialize)]
struct Doctor {
    /// With its build, such as `2.11.0+cpu`.
    libtorch: String,
    /// The file that it was loaded from, links followed.
    library: Option<PathBuf>,
    /// The library that was loaded, or why none was.
    cuda: Cuda,
    /// Whether own kernels and recorded steps serve the GPU, or why not; nothing without CUDA.
    accelerated: Option<String>,
    /// Every device that `--device` accepts.
    devices: Vec<Found>,
    /// libtorch's vector instructions.
    cpu_capability: String,
    /// Threads of one tensor operation, unless asked otherwise.
    threads: i32,
}

#[derive(Serialize)]
struct Found {
    /// As `--device` takes it.
    device: String,
    /// Its name.
    name: String,
    /// What `precision = "auto"` means there.
    precision_auto: &'static str,
}

/// Writes `doctor.json` to `out`.
///
/// # Errors
/// When it cannot be written.
pub(super) fn doctor(out: &Path) -> Result<()> {
    let gpus = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
    let devices = std::iter::once(("cpu".to_owned(), Device::Cpu))
        .chain((0..gpus).map(|i| (format!("cuda:{i}"), Device::Cuda(i))))
        .map(|(name, device)| Found {
            device: name,
            name: device_name(device),
            precision_auto: if bf16_gains(device) { "bf16" } else { "f32" },
        })
        .collect();
    let doctor = Doctor {
        libtorch: libtorch_version(),
        library: libtorch_library(),
        cuda: native::cuda(),
        accelerated: (gpus > 0).then(|| native::accelerated().unwrap_or_else(|| "yes".to_owned())),
        devices,
        cpu_capability: cpu_capability()?,
        threads: tch::get_num_threads(),
    };
    files::create_folder(out)?;
    files::write_json(&out.join(Job::DOCTOR), &doctor)
}
