//! What the machine did to a result: equal fingerprint and equal seed give the same bits.

use serde::{Deserialize, Serialize};

/// The machine as far as it changes floating-point results. f32 sums differ between thread counts and vector widths,
/// bf16 between kinds of CPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// `cpu`, or the name of the GPU.
    pub device: String,
    /// The arithmetic in effect: `f32` or `bf16`.
    pub precision: String,
    /// libtorch's vector instructions and the kind of processor, such as `AVX2, AuthenticAMD 25/17`.
    pub cpu_capability: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// libtorch's version with its build, such as `2.11.0+cpu`.
    pub libtorch: String,
}
