//! The commands. The only place that prints.
//!
//! Results go to standard output, progress and errors to standard error; with `--json` standard output is JSON alone.
//! Nothing is said by colour.

mod args;
mod commands;
mod locking;
mod open;
mod print;
mod progress;
mod reference;
mod results;
mod scratch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

use self::args::{Cli, Command};
use crate::{error::Result, native};

/// Runs the program with the arguments of the process; the result is its exit code.
#[must_use]
pub fn main() -> ExitCode {
    native::limits_are_errors();
    native::raise_open_files();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return print::arguments(&told),
    };
    log(cli.verbose);
    match dispatch(cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::error(&error);
            ExitCode::from(error.class().exit_code())
        }
    }
}

fn dispatch(command: Command) -> Result<u8> {
    match command {
        Command::Check(args) => commands::check::check(&args),
        Command::Plan(args) => commands::plan::plan(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Explain(args) => commands::explain::explain(&args),
        Command::Graph(args) => commands::graph::graph(&args),
        Command::Report(args) => commands::report::report(&args),
        Command::Compare(args) => commands::compare::compare(&args),
        Command::Data(args) => commands::data::data(&args),
        Command::Browse(args) => commands::browse::browse(&args),
        Command::Predict(args) => commands::predict::predict(&args),
        Command::Tune(args) => commands::tune::tune(&args),
        Command::Export(args) => commands::export::export(&args),
        Command::Sample(args) => commands::sample::sample(&args),
        Command::Doctor(args) => commands::doctor::doctor(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "kfood", &mut script);
            print::out(&String::from_utf8_lossy(&script)).map(|()| 0)
        }
        Command::Cache(args) => commands::cache::cache(&args),
        Command::Help(args) => commands::help::help(&args),
    }
}

/// Diagnosis goes to stderr: `RUST_LOG`, else by the number of `-v`; warnings always.
fn log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "kfood=info,worker=debug,warn",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
}
