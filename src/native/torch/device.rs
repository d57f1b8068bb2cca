//! Devices: `auto`, `cpu` or `cuda:N`, and whether bf16 pays on them.

use std::fs;

use tch::Device;

use super::cuda::{Cuda, cuda, gpu};
use crate::error::{Error, Result};

/// The device that a person asked for; `auto` is the first GPU, or the CPU where there is none.
///
/// # Errors
/// When the text is none of `auto`, `cpu`, `cuda` and `cuda:N`, or there is no such GPU.
pub fn parse_device(text: &str) -> Result<Device> {
    let index = match text {
        "auto" => return Ok(Device::cuda_if_available()),
        "cpu" => return Ok(Device::Cpu),
        "cuda" => 0,
        _ => text
            .strip_prefix("cuda:")
            .and_then(|n| n.parse::<usize>().ok())
            .ok_or_else(|| {
                Error::usage(format!(
                    "`{text}` is no device; `auto`, `cpu` and `cuda:N` are accepted"
                ))
            })?,
    };
    let count = tch::Cuda::device_count();
    if i64::try_from(index).is_ok_and(|i| i < count) {
        return Ok(Device::Cuda(index));
    }
    let why = match cuda() {
        Cuda::Loaded(_) => format!("{count} GPUs are visible"),
        Cuda::Missing(reason) => format!("CUDA's libraries are not loaded ({reason})"),
    };
    Err(Error::usage(format!("there is no device `{text}`: {why}"))
        .help("use `--device cpu` or `auto`"))
}

/// `cpu`, or the name of the GPU.
#[must_use]
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => gpu(index).map_or_else(|| format!("cuda:{index}"), |(name, _)| name),
        _ => "cpu".to_owned(),
    }
}

/// Whether bf16 is faster than f32: on GPUs from Ampere on (compute capability 8), and on CPUs with instructions for it.
#[must_use]
pub fn bf16_gains(device: Device) -> bool {
    match device {
        Device::Cuda(index) => gpu(index).is_some_and(|(_, [major, _])| major >= 8),
        _ => fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| has_bf16(&text)),
    }
}

fn has_bf16(cpuinfo: &str) -> bool {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|line| {
        line.split_whitespace()
            .any(|flag| flag == "avx512_bf16" || flag == "amx_bf16")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_device_says_what_is_accepted() {
        let error = parse_device("gpu").unwrap_err();
        assert!(error.message().contains("`cuda:N`"));
        assert_eq!(parse_device("cpu").unwrap(), Device::Cpu);
    }

    #[test]
    fn bf16_needs_its_own_instructions() {
        assert!(has_bf16("model: x\nflags\t\t: fpu avx512f avx512_bf16 sse"));
        assert!(!has_bf16("flags\t\t: fpu avx avx2 avx512f"));
    }
}
