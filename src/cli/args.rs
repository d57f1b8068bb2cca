//! The command line as a whole; what a command takes stands with the command. Hyper-parameters have no flags: a run is its file.

use std::time::Duration;

use clap::{Args, Parser};
use serde_json::Value;

use super::commands::Command;
use crate::{
    name,
    record::Part,
    settings::{Device, Executor, Tta},
};

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

/// The device that the command line names before `kfood.toml` does.
#[derive(Debug, Args)]
pub(super) struct OnDevice {
    /// Where tensors live: auto, cpu or cuda:N [default: auto].
    #[arg(long, value_parser = device)]
    pub device: Option<String>,
}

impl OnDevice {
    /// As settings of a place, by path. One device on the command line goes before several in a file.
    pub(super) fn flags(&self) -> Vec<(&'static str, Value)> {
        let none = Value::from(Vec::<String>::new());
        let named = |device: &String| {
            [
                ("run.device", device.clone().into()),
                ("run.devices", none.clone()),
            ]
        };
        self.device.iter().flat_map(named).collect()
    }
}

/// What the command line says of a run before `kfood.toml` does.
#[derive(Debug, Args)]
pub(super) struct Overrides {
    #[command(flatten)]
    pub device: OnDevice,
    /// Stages without tensors that may run at once [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,
    /// Go on with what does not depend on a failed stage.
    #[arg(long)]
    pub keep_going: bool,
    /// Where stages run: local or slurm [default: local].
    #[arg(long, value_parser = executor)]
    pub executor: Option<Executor>,
}

impl Overrides {
    /// As settings of a place, by path.
    pub(super) fn flags(&self) -> Vec<(&'static str, Value)> {
        let jobs = self.jobs.map(|jobs| ("run.jobs", jobs.into()));
        let keep_going = self.keep_going.then(|| ("run.keep_going", true.into()));
        let executor = self.executor.map(|e| ("executor.default", e.name().into()));
        let all = [jobs, keep_going, executor].into_iter().flatten();
        self.device.flags().into_iter().chain(all).collect()
    }
}

/// Where stages run.
fn executor(text: &str) -> Result<Executor, String> {
    let accepted = || {
        format!(
            "expected {}",
            name::one_of(Executor::ALL.map(Executor::name))
        )
    };
    let found = Executor::ALL.into_iter().find(|e| e.name() == text);
    found.ok_or_else(accepted)
}

/// A kind of view.
pub(super) fn tta(text: &str) -> Result<Tta, String> {
    let accepted = || format!("expected {}", name::one_of(Tta::ALL.map(Tta::name)));
    let found = Tta::ALL.into_iter().find(|tta| tta.name() == text);
    found.ok_or_else(accepted)
}

/// A part that is evaluated on.
pub(super) fn part(text: &str) -> Result<Part, String> {
    let all = [Part::Train, Part::Validation, Part::Test];
    let found = all.into_iter().find(|part| part.name() == text);
    found.ok_or_else(|| format!("expected {}", name::one_of(all.map(Part::name))))
}

/// How long: `30d`, `12h`, or days.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['d', 'h']) {
        Some(number) if text.ends_with('h') => (number, 3_600),
        Some(number) => (number, 86_400),
        None => (text, 86_400),
    };
    let number = number.parse::<u32>();
    let number = number.map_err(|_| "expected days such as `30d`, or hours such as `12h`")?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

/// How many bytes: `20G`, `500M`, `1.5T`; powers of 1,000, as sizes are shown.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as `20G` or `500M`".to_owned();
    let upper = text.to_ascii_uppercase();
    let plain = upper.strip_suffix('B').unwrap_or(&upper);
    let (number, power) = match plain.strip_suffix(['K', 'M', 'G', 'T']) {
        Some(number) => {
            let unit = plain.chars().last().and_then(|unit| "KMGT".find(unit));
            (number, unit.map_or(0, |place| place as i32 + 1))
        }
        None => (plain, 0),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let bytes = number * 1_000_f64.powi(power);
    let holds = bytes.is_finite() && (0.0..=u64::MAX as f64).contains(&bytes);
    if holds {
        Ok(bytes as u64)
    } else {
        Err(wrong())
    }
}

/// `auto`, `cpu` or `cuda:N`.
pub(super) fn device(text: &str) -> Result<String, String> {
    let found = Device::new(text).map(|_| text.to_owned());
    found.ok_or_else(|| "expected `auto`, `cpu` or `cuda:N`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_are_read_with_their_units() {
        let hours = |n: u64| Duration::from_secs(n * 3_600);
        assert_eq!(
            [age("30d"), age("2"), age("12h")],
            [Ok(hours(720)), Ok(hours(48)), Ok(hours(12))]
        );
        assert_eq!(
            [size("20G"), size("1.5TB"), size("500m"), size("7")],
            [
                Ok(20_000_000_000),
                Ok(1_500_000_000_000),
                Ok(500_000_000),
                Ok(7)
            ]
        );
        for wrong in ["", "d", "-1", "1w", "x"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "G", "-1G", "nan", "1X", "1e400"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
