//! The command line as a whole; what a command takes stands with the command. Hyper-parameters have no flags: a run is its file.

use clap::Parser;

use super::commands::Command;
use crate::{name, record::EvaluatePart, settings::Tta};

/// Reproducible image-classification pipelines from one TOML file.
///
/// Exit codes: 0 fine, 1 the run failed, 2 your file or arguments, 3 `plan`: work pending, 130 interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "kfood",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Log more on stderr: -v for what is done, -vv for everything (or set RUST_LOG).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// A kind of view.
pub(super) fn tta(text: &str) -> Result<Tta, String> {
    let accepted = || format!("expected {}", name::one_of(Tta::ALL.map(Tta::name)));
    let found = Tta::ALL.into_iter().find(|tta| tta.name() == text);
    found.ok_or_else(accepted)
}

/// A part that is evaluated on.
pub(super) fn part(text: &str) -> Result<EvaluatePart, String> {
    let all = [
        EvaluatePart::Train,
        EvaluatePart::Validation,
        EvaluatePart::Test,
    ];
    let found = all.into_iter().find(|part| part.name() == text);
    found.ok_or_else(|| format!("expected {}", name::one_of(all.map(EvaluatePart::name))))
}

/// `auto`, `cpu` or `cuda:N`.
pub(super) fn device(text: &str) -> Result<String, String> {
    let numbered = text
        .strip_prefix("cuda:")
        .is_some_and(|n| n.parse::<u16>().is_ok());
    if text == "auto" || text == "cpu" || numbered {
        return Ok(text.to_owned());
    }
    Err("expected `auto`, `cpu` or `cuda:N`".to_owned())
}
