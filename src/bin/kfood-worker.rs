//! `kfood-worker JOB.json`: runs one job that needs tensors. Started by `kfood`.

use std::process::ExitCode;

/// For libtorch too: the settings are in `native::allocator`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    kfood::worker::main(&arguments)
}
