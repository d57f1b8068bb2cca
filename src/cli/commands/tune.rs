//! `kfood tune`: a learning rate and a batch size for a training, by trying it out. Nothing of it is kept in the cache.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    cli::{args::device, open, print, progress::Progress, scratch::Scratch},
    error::{Error, Result},
    event::{Event, Observer},
    exec::{
        self, Options, Outcome, job,
        worker::{Process, was_killed},
    },
    files,
    record::{self, BatchSizes, Job, LearningRates, Tuned},
    report,
    stage::Worker,
};

/// Try a training out: find a learning rate or a batch size.
#[derive(Debug, Args)]
pub(in crate::cli) struct Tune {
    /// What to find.
    #[command(subcommand)]
    pub command: TuneCommand,
}

/// The commands of `kfood tune`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TuneCommand {
    /// A learning rate: the loss over a hundred steps at exponentially rising rates.
    Lr(TuneArgs),
    /// A batch size: images a second of 8, 16, 32, … while they fit.
    Batch(TuneArgs),
}

/// What both take.
#[derive(Debug, Args)]
pub(in crate::cli) struct TuneArgs {
    /// A train or transfer stage: pipelines/mission1.toml:resnet18. What it needs is run first where that is pending.
    #[arg(value_name = "FILE:STAGE")]
    pub stage: String,
    /// Where tensors live: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: String,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn tune(args: &Tune) -> Result<u8> {
    match &args.command {
        TuneCommand::Lr(args) => try_out(args, Tuned::LearningRate, |found: &LearningRates| {
            report::learning_rates(found).terminal(None)
        }),
        TuneCommand::Batch(args) => try_out(args, Tuned::BatchSize, |found: &BatchSizes| {
            report::batch_sizes(found).terminal(None)
        }),
    }
}

/// What a trial found, with the error that ended it where that was the system: what was measured before is as true then.
fn found<T: DeserializeOwned>(ended: Result<()>, folder: &Path) -> Result<(T, Option<Error>)> {
    let found: Result<T> = files::read_json(&folder.join(record::Tune::FILE));
    match (ended, found) {
        (Err(error), Ok(found)) if was_killed(&error) => Ok((found, Some(error))),
        (Err(error), _) => Err(error),
        (Ok(()), found) => Ok((found?, None)),
    }
}

/// Runs what the training needs, then the trial, and shows what it found.
fn try_out<T: Serialize + DeserializeOwned>(
    args: &TuneArgs,
    what: Tuned,
    text: impl Fn(&T) -> String,
) -> Result<u8> {
    let (opened, index) = open::one_training(&args.stage)?;
    let stage = opened.stages[index].as_ref();
    let folder = Scratch::new()?;
    let training = |path: &dyn Fn(&str, &str) -> Result<PathBuf>| {
        job::training(stage, path, folder.path(), &args.device, open::threads())
    };
    // What is missing of it is told before anything runs.
    training(&|_, output| Ok(output.into()))?;
    let stop = open::stop_on_signals()?;
    let worker = Process::beside_this_program()?;
    let progress = Progress::new();
    let options = Options {
        targets: job::needs(stage, &[]),
        device: args.device.clone(),
        ..opened.options()
    };
    let summary = exec::run(
        &opened.stages,
        &options,
        &opened.cache,
        &worker,
        &progress,
        &stop,
    )?;
    for stage in summary.stages() {
        if let Outcome::Failed(error) = &stage.outcome {
            print::error(error);
        }
    }
    if let Some(error) = summary.first_error() {
        return Ok(error.class().exit_code());
    }
    let fit = training(&|id, output| summary.output(id, output))?;
    let job = Job::Tune(record::Tune { fit, what });
    let id = stage.id();
    let tell = |event| {
        progress.observe(&Event::Stage {
            id: id.to_owned(),
            event,
        });
    };
    let ended = worker.run(&job, folder.path(), &tell, &stop);
    progress.end(id);
    let (found, warning): (T, _) = found(ended, folder.path())?;
    if args.json {
        print::json(&found)?;
    } else {
        print::told(&text(&found))?;
    }
    if let Some(error) = warning {
        print::say(&format!("warning: {}", error.message()));
    }
    Ok(0)
}
