//! `kfood-worker JOB.json`: runs one job that needs tensors. Started by `kfood`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    kfood::worker::main(&arguments)
}
