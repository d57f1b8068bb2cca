//! Which arithmetic is in effect, and the machine's fingerprint.

use tch::Device;

use crate::{
    error::Result,
    native::{bf16_gains, cpu_capability, device_name, libtorch_version},
    record::Fingerprint,
    settings::Precision,
};

/// Whether convolutions and matrix products run in bf16 on this device.
#[must_use]
pub fn uses_bf16(precision: Precision, device: Device) -> bool {
    match precision {
        Precision::F32 => false,
        Precision::Bf16 => true,
        Precision::Auto => bf16_gains(device),
    }
}

/// Vendor, family and model of the processor: libraries choose kernels by them, beyond the vector instructions.
fn cpu_kind() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |key: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(name, _)| name.trim() == key);
        found.map_or("?", |(_, value)| value.trim())
    };
    let amx = if text.contains("amx_bf16") {
        ", AMX"
    } else {
        ""
    };
    format!(
        "{} {}/{}{amx}",
        of("vendor_id"),
        of("cpu family"),
        of("model")
    )
}

/// What of this machine changes floating-point results.
///
/// # Errors
/// When libtorch cannot tell.
pub fn fingerprint(device: Device, bf16: bool) -> Result<Fingerprint> {
    Ok(Fingerprint {
        device: device_name(device),
        precision: if bf16 { "bf16" } else { "f32" }.to_owned(),
        cpu_capability: format!("{}, {}", cpu_capability()?, cpu_kind()),
        threads: u32::try_from(tch::get_num_threads()).unwrap_or(1),
        libtorch: libtorch_version(),
    })
}
