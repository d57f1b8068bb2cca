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

/// What a training says of its arithmetic as it starts: which, where, and why.
#[must_use]
pub(crate) fn in_words(precision: Precision, device: Device) -> String {
    let name = device_name(device);
    let arithmetic = if uses_bf16(precision, device) {
        "bf16"
    } else {
        "f32"
    };
    let why = match (precision, bf16_gains(device)) {
        (Precision::Auto, true) => "`precision = \"auto\"`: it computes faster in bf16",
        (Precision::Auto, false) => "`precision = \"auto\"`: it has no bf16 instructions",
        (Precision::Bf16, false) => {
            "as `precision` asks, without instructions for it: `\"f32\"` is faster here"
        }
        (Precision::F32, true) => "as `precision` asks; `\"bf16\"` is faster here",
        (Precision::Bf16, true) | (Precision::F32, false) => "as `precision` asks",
    };
    format!("trains in {arithmetic} on {name} ({why})")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_says_in_which_arithmetic_it_runs_and_why() {
        let gains = bf16_gains(Device::Cpu);
        let auto = in_words(Precision::Auto, Device::Cpu);
        assert_eq!(auto.starts_with("trains in bf16 on cpu"), gains, "{auto}");
        assert_eq!(
            auto.contains("it has no bf16 instructions"),
            !gains,
            "{auto}"
        );
        let f32 = in_words(Precision::F32, Device::Cpu);
        assert!(
            f32.starts_with("trains in f32 on cpu (as `precision` asks"),
            "{f32}"
        );
        assert_eq!(f32.contains("is faster here"), gains, "{f32}");
        let bf16 = in_words(Precision::Bf16, Device::Cpu);
        assert!(
            bf16.starts_with("trains in bf16 on cpu (as `precision` asks"),
            "{bf16}"
        );
        assert_eq!(bf16.contains("is faster here"), !gains, "{bf16}");
    }
}
