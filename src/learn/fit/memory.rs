//! The most memory that was held, and how much is left.

use tch::Device;

use crate::native::{cuda_device_memory, cuda_memory, memory_left, peak_memory, reset_cuda_peak};

/// Starts the peak of a GPU anew; that of a process cannot be.
pub(crate) fn reset_peak(device: Device) {
    if let Device::Cuda(index) = device {
        // Without CUDA's statistics there is no peak to reset.
        let _ = reset_cuda_peak(index);
    }
}

/// Bytes that tensors held of a GPU's memory at most since [`reset_peak`], or that this process held of the machine's since its
/// start.
pub(crate) fn peak(device: Device) -> Option<u64> {
    match device {
        Device::Cuda(index) => cuda_memory(index).ok().map(|memory| memory.peak),
        _ => Some(peak_memory()).filter(|bytes| *bytes > 0),
    }
}

/// Bytes that are left on the device.
pub(crate) fn available(device: Device) -> Option<u64> {
    match device {
        Device::Cuda(_) => cuda_device_memory().ok().map(|(free, _)| free),
        _ => memory_left(),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_holds_memory_and_leaves_some() {
        let held = peak(Device::Cpu).unwrap();
        assert!(held > 1 << 20, "{held}");
        assert!(available(Device::Cpu).unwrap() > 0);
    }
}
