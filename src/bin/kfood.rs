//! `kfood`: pipelines, plans, the cache and reports. Reaches no tensor code; `kfood-worker` is started for that.

use std::process::ExitCode;

fn main() -> ExitCode {
    kfood::cli::main()
}
