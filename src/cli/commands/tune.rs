//! `kfood tune`: a learning rate and a batch size for a training, by trying it out. Nothing of it is kept in the cache.

use std::{collections::BTreeMap, path::Path, sync::Mutex};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    cli::{
        args::{Tune, TuneCommand},
        open::{self, Opened},
        print,
        progress::Progress,
        scratch::Scratch,
    },
    digest::Digest,
    error::{Error, Result},
    event::{Event, Observer, Tell},
    exec::{
        self, Options, Outcome, Summary,
        worker::{Process, was_killed},
    },
    files,
    record::{self, BatchSizes, Fit, Job, LearningRates, Tuned},
    report,
    stage::{Context, DigestedFile, Source, Stage, Worker},
    stop::Stop,
};

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

/// Runs what the training needs, then the trial, and shows what it found.
fn try_out<T: Serialize + DeserializeOwned>(
    args: &crate::cli::args::TuneArgs,
    what: Tuned,
    text: impl Fn(&T) -> String,
) -> Result<u8> {
    let (file, name) = open::stage(&args.stage)?;
    let opened = open::open(&file)?;
    let stage = training(&opened, &name)?;
    let stop = open::stop_on_signals()?;
    let worker = Process::beside_this_program()?;
    let progress = Progress::new();
    let options = Options {
        targets: needs(stage),
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
    let folder = Scratch::new()?;
    let fit = job(stage, &summary, args, folder.path(), &stop)?;
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
    // What was measured before the system ended the trial is as true as before.
    let found: Result<T> = files::read_json(&folder.path().join("tune.json"));
    let (found, warning) = match (ended, found) {
        (Err(error), Ok(found)) if was_killed(&error) => (found, Some(error)),
        (Err(error), _) => return Err(error),
        (Ok(()), found) => (found?, None),
    };
    if args.json {
        print::json(&found)?;
    } else {
        print::out(&text(&found))?;
    }
    if let Some(error) = warning {
        print::say(&format!("warning: {}", error.message()));
    }
    Ok(0)
}

/// The one training of this name.
fn training<'a>(opened: &'a Opened, name: &str) -> Result<&'a dyn Stage> {
    let graph = crate::plan::Graph::new(&opened.stages)?;
    let instances = graph.named(name)?;
    let [index] = instances.as_slice() else {
        let ids: Vec<_> = instances.iter().map(|i| opened.stages[*i].id()).collect();
        return Err(Error::usage(format!(
            "`{name}` stands for {} trainings: {}",
            ids.len(),
            ids.join(", ")
        ))
        .help("name one of them"));
    };
    let stage = opened.stages[*index].as_ref();
    if !matches!(stage.kind(), "train" | "transfer") {
        return Err(Error::usage(format!(
            "`{name}` is of kind `{}`, expected `train` or `transfer`",
            stage.kind()
        )));
    }
    Ok(stage)
}

/// The stages that a stage reads from.
fn needs(stage: &dyn Stage) -> Vec<String> {
    let of_stage = |source| match source {
        Source::Stage { id, .. } => Some(id),
        Source::Files => None,
    };
    let inputs = stage.inputs().into_iter();
    inputs.filter_map(|input| of_stage(input.source)).collect()
}

/// The job that the stage would give to the worker.
fn job(
    stage: &dyn Stage,
    summary: &Summary,
    args: &crate::cli::args::TuneArgs,
    folder: &Path,
    stop: &Stop,
) -> Result<Fit> {
    let (mut inputs, mut digests, mut outside) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for input in stage.inputs() {
        match &input.source {
            Source::Stage { id, output } => {
                let record = summary.record(id);
                if let Some(output) = record.and_then(|r| r.outputs.get(output)) {
                    digests.insert(input.role.clone(), output.digest);
                }
                inputs.insert(input.role, summary.output(id, output)?);
            }
            Source::Files => {
                let files = stage.files(&input.role)?.into_iter().map(digested);
                outside.insert(input.role, files.collect::<Result<Vec<_>>>()?);
            }
        }
    }
    let taken = Taken(Mutex::new(None));
    stage.run(&Context {
        out: folder,
        state: folder,
        inputs: &inputs,
        digests: &digests,
        files: &outside,
        earlier: &[],
        unfinished: &[],
        tell: &|_| {},
        stop,
        worker: &taken,
        device: &args.device,
        threads: open::threads(),
    })?;
    let job = taken.0.into_inner().unwrap_or_default();
    job.ok_or_else(|| Error::failed(format!("`{}` trains nothing", stage.id())))
}

fn digested(file: crate::stage::InputFile) -> Result<DigestedFile> {
    let metadata = std::fs::metadata(&file.path).map_err(|e| Error::io("read", &file.path, e))?;
    Ok(DigestedFile {
        digest: Digest::of_file(&file.path)?,
        bytes: metadata.len(),
        lost: None,
        name: file.name,
        path: file.path,
    })
}

/// Takes the job of a training in the place of the worker.
struct Taken(Mutex<Option<Fit>>);

impl Worker for Taken {
    fn run(&self, job: &Job, _folder: &Path, _tell: Tell<'_>, _stop: &Stop) -> Result<()> {
        if let (Job::Fit(fit), Ok(mut place)) = (job, self.0.lock()) {
            *place = Some(fit.clone());
        }
        Ok(())
    }
}
