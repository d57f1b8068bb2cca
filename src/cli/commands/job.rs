//! `kfood job`: what a job of a cluster runs. Hidden: a run sends it.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{open, print, progress::Progress},
    config,
    error::Result,
    event::{Event, Observer},
    exec::{
        slurm::{
            Order,
            job::{self, Report},
        },
        worker::Process,
    },
    stages,
    stop::Stop,
};

/// Make the result of one stage, as a job of a cluster.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(in crate::cli) struct Job {
    /// The folder of the order that `kfood run` wrote.
    pub order: PathBuf,
    /// Which of its stages.
    pub number: usize,
}

pub(in crate::cli) fn job(args: &Job) -> Result<u8> {
    let stop = open::stop_on_signals()?;
    let (report, order) = Report::begin(&args.order, args.number)?;
    let done = make(&order, args.number, &report, &stop);
    if let Err(error) = &done {
        print::error(error);
    }
    report.end(&done)?;
    Ok(done.map_or_else(|error| error.class().exit_code(), |()| 0))
}

fn make(order: &Order, number: usize, report: &Report, stop: &Stop) -> Result<()> {
    let pipeline = config::load_again(&order.pipeline, &order.texts)?;
    let stages = stages::of(&pipeline);
    let cores = std::env::var("SLURM_CPUS_PER_TASK");
    let cores = cores.ok().and_then(|cores| cores.parse().ok());
    let threads = cores.unwrap_or_else(open::threads);
    let worker = Process::beside_this_program()?;
    let observer = Both(Progress::new(), report);
    job::make(order, number, &stages, threads, &worker, &observer, stop)
}

/// The log of the job, and what the run hears.
struct Both<'a>(Progress, &'a Report);

impl Observer for Both<'_> {
    fn observe(&self, event: &Event) {
        self.0.observe(event);
        self.1.observe(event);
    }
}
