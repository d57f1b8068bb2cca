//! What `kfood-worker` does: a job file in, events on standard output, files out.
//!
//! The parent holds the worker's standard input: a line `stop` asks it to end after the step that runs, and its end means that
//! the parent is gone, so the worker goes at once. Standard output carries one [`StageEvent`] a line as JSON; after a failure
//! the last is [`StageEvent::Failed`], and the exit code is that of the error's class.

mod doctor;
mod guard;
mod parent;
mod predict;

use std::{ffi::OsString, path::Path, process::ExitCode};

use serde::Deserialize;
use tch::Device;

use crate::{
    error::{Error, Result},
    event::{StageEvent, Tell},
    files, learn, model, native,
    record::{BenchJob, Job},
    stop::Stop,
};

/// The whole program: `arguments` are those behind its name, one job file.
#[must_use]
pub fn main(arguments: &[OsString]) -> ExitCode {
    // Before any question about CUDA and before any thread.
    native::prepare_cublas();
    native::tune_allocator();
    native::load_cuda();
    native::ignore_interrupt();
    native::limits_are_errors();
    let stop = Stop::default();
    let done = guard::guarded(|| {
        parent::watch(&stop);
        let [job] = arguments else {
            return Err(Error::usage("`kfood-worker` takes one job file")
                .help("it is started by `kfood run`; there is no need to start it by hand"));
        };
        run(Path::new(job), &parent::tell, &stop)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            parent::tell(&StageEvent::Failed {
                message: in_full(&error),
            });
            ExitCode::from(error.class().exit_code())
        }
    }
}

/// Runs one job file to its end.
///
/// # Errors
/// When the file cannot be read, or the job fails.
pub fn run(job: &Path, tell: &(dyn Fn(&StageEvent) + Sync), stop: &Stop) -> Result<()> {
    let tell: Tell<'_> = &|event| tell(&event);
    match files::read_json(job)? {
        Asked::Job(job) => users(job, tell, stop),
        Asked::Bench(job) => bench(job, stop),
    }
}

/// A job file: what a person started, or what a benchmark or a comparison did.
#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Job(Box<Job>),
    Bench(Box<BenchJob>),
}

fn users(job: Box<Job>, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    match *job {
        Job::Fit(job) => learn::fit(&job, device(&job.device, job.threads)?, tell, stop),
        Job::Tune(job) => learn::tune(&job, device(&job.fit.device, job.fit.threads)?, tell, stop),
        Job::Average(job) => learn::average(&job, device(&job.device, job.threads)?, tell, stop),
        Job::Evaluate(job) => learn::evaluate(&job, device(&job.device, job.threads)?, tell, stop),
        Job::Predict(job) => predict::predict(&job, device(&job.device, job.threads)?, tell, stop),
        Job::Attend(job) => {
            let device = device(&job.evaluate.device, job.evaluate.threads)?;
            learn::attend(&job, device, tell, stop)
        }
        Job::Browse(job) => learn::browse(&job, device(&job.fit.device, job.fit.threads)?, stop),
        Job::Doctor { out } => doctor::doctor(&out),
    }
}

fn bench(job: Box<BenchJob>, stop: &Stop) -> Result<()> {
    match *job {
        BenchJob::Speed(job) => learn::speed(&job, device(&job.fit.device, job.fit.threads)?, stop),
        BenchJob::Steps(job) => learn::steps(&job, device(&job.fit.device, job.fit.threads)?, stop),
        BenchJob::Forward(job) => model::forward_file(&job, device(&job.device, job.threads)?),
        BenchJob::Functionals(job) => learn::functionals(&job, device(&job.device, job.threads)?),
    }
}

/// Sets the threads of this process and finds the device.
fn device(name: &str, threads: u32) -> Result<Device> {
    if let Ok(n @ 1..) = i32::try_from(threads) {
        tch::set_num_threads(n);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n as usize);
        // A pool that is there already (in a test) serves as well: no result depends on its size.
        let _ = pool.build_global();
    }
    // Also keeps TF32 out of predictions.
    native::make_deterministic()?;
    let device = native::parse_device(name)?;
    if device == Device::Cpu {
        native::take_turns(tch::get_num_threads() as usize);
    }
    Ok(device)
}

/// The message with its causes, and its way out on a line of its own.
fn in_full(error: &Error) -> String {
    match error.help_text() {
        Some(help) => format!("{error}\nhelp: {help}"),
        None => error.to_string(),
    }
}
