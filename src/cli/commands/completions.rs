//! `kfood completions`: a script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    cli::{args::Cli, print},
    error::Result,
};

/// Print completions for a shell.
#[derive(Debug, Args)]
pub(in crate::cli) struct Completions {
    /// The shell.
    shell: Shell,
}

pub(in crate::cli) fn completions(args: &Completions) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kfood", &mut script);
    print::out(&String::from_utf8_lossy(&script)).map(|()| 0)
}
