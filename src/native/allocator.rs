//! The settings of the allocator of `kfood-worker`, which is jemalloc, for libtorch too.
//!
//! The tensors of a training step are large and of the same sizes in each. glibc maps and unmaps each of them anew, whose page
//! faults cost 5 to 20% of a step on a CPU; told to keep them, it fits them so badly into what it keeps that a training takes up
//! to a third more memory than it uses. jemalloc keeps them by size. `benches/RESULTS.md` has the figures.

use std::ffi::{CStr, c_char};

/// Nothing is given back to the system, in huge pages where it has them, from one arena for all sizes (large ones would have one of
/// their own): what the pass forward frees the pass backward takes, on whatever thread that runs.
const SETTINGS: &CStr =
    c"thp:always,narenas:1,oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1";

/// Where jemalloc looks for its settings before the first allocation.
// SAFETY: a pointer to a C string that lives as long as the program, which is what jemalloc takes a symbol of this name for.
#[unsafe(export_name = "malloc_conf")]
static MALLOC_CONF: &c_char = unsafe { &*SETTINGS.as_ptr() };

/// Brings the settings into a program that has jemalloc for its allocator; they have been in effect since it started.
pub fn tune_allocator() {
    // A reference from code that runs: else the linker might leave this out and take jemalloc's own, empty ones.
    std::hint::black_box(MALLOC_CONF);
}
