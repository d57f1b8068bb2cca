//! The commands. The only place that prints.
//!
//! Results go to standard output, progress and errors to standard error; with `--json` standard output is JSON alone.
//! Nothing is said by colour.

mod args;
mod behind;
mod calibration;
mod commands;
mod documents;
mod download;
mod earlier;
mod evidence;
mod folder;
mod language;
mod locking;
mod mlflow;
mod open;
mod packed;
mod page;
mod past_runs;
mod print;
mod progress;
mod quiet_keys;
mod reference;
mod results;
mod schema;
mod scratch;
mod serve;
mod sheets;
mod starter;
mod team;
mod tensorboard;
mod terminal;
mod thumbnails;

use std::{panic, process::ExitCode};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use self::args::Cli;
use crate::native;

/// Runs the program with the arguments of the process; the result is its exit code.
#[must_use]
pub fn main() -> ExitCode {
    native::limits_are_errors();
    native::raise_open_files();
    end_without_threads();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return print::arguments(&told),
    };
    log(cli.verbose);
    match cli.command.run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::error(&error);
            ExitCode::from(error.class().exit_code())
        }
    }
}

/// Where no thread can be started, the program ends with an error that says so. What it left is what a kill leaves: the next command
/// goes on from there.
fn end_without_threads() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let shortage = info.payload_as_str().and_then(native::shortage);
        let Some(error) = shortage else {
            return usual(info);
        };
        print::error(&error);
        native::exit_now(error.class().exit_code());
    }));
}

/// Diagnosis goes to stderr: `RUST_LOG`, else by the number of `-v`; warnings always.
fn log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "kfood=info,worker=debug,warn",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // Whatever is asked for: the heads of requests hold what signs them.
    let kept_quiet = ["ureq=warn", "ureq_proto=warn"];
    let kept_quiet = kept_quiet.into_iter().filter_map(|one| one.parse().ok());
    let filter = kept_quiet.fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
}
