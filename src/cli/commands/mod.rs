//! One file for each command: what it takes, and a few statements that read as the flow of data.
//!
//! A new command is a file, a line of `mod`, and a line in [`commands!`], which stand in the order of `kfood --help`.

mod browse;
mod cache;
mod check;
mod compare;
mod completions;
mod config;
mod data;
pub(super) mod doctor;
mod explain;
mod export;
mod fetch;
mod graph;
mod help;
mod job;
mod man;
mod mistakes;
mod new;
mod plan;
mod predict;
mod report;
mod run;
mod runs;
mod sample;
mod schema;
mod show;
mod tune;

use clap::Subcommand;

use crate::error::Result;

/// For each command its module, which has a function of the same name, and what that takes.
macro_rules! commands {
    ($($module:ident: $args:ident,)*) => {
        /// The commands.
        #[derive(Debug, Subcommand)]
        pub(super) enum Command {
            $($args($module::$args),)*
        }

        impl Command {
            /// Does it; the result is the exit code.
            pub(super) fn run(self) -> Result<u8> {
                match self {
                    $(Self::$args(args) => $module::$module(&args),)*
                }
            }
        }
    };
}

commands! {
    new: New,
    check: Check,
    plan: Plan,
    run: Run,
    explain: Explain,
    show: Show,
    graph: Graph,
    report: Report,
    compare: Compare,
    mistakes: Mistakes,
    runs: Runs,
    data: Data,
    browse: Browse,
    predict: Predict,
    tune: Tune,
    export: Export,
    fetch: Fetch,
    sample: Sample,
    doctor: Doctor,
    config: Config,
    completions: Completions,
    man: Man,
    schema: Schema,
    cache: Cache,
    help: Help,
    job: Job,
}
