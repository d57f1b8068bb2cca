//! From names on the command line to pipelines, caches and models.

use std::{
    env, fs,
    path::{Path, PathBuf},
    thread,
};

use serde_json::Value;
use signal_hook::{
    consts::{SIGCONT, SIGINT, SIGTSTP},
    iterator::Signals,
};

use crate::{
    cache::Cache,
    config::{self, About, Gives, Network, Pipeline, Place},
    digest::Digest,
    error::{Error, Result},
    event::{Observer, Silent},
    exec::{self, Needs, Summary, Taken, locked, slurm::Site},
    model::model_folder,
    name, native,
    report::duration,
    settings::{Count, Executor, Memory, NeedsSettings},
    stage::Stage,
    stages,
    stop::Stop,
    text::{count, shown},
};

use super::{folder, print, quiet_keys};

/// A pipeline, ready to be looked at or run.
pub(super) struct Opened {
    pub(super) pipeline: Pipeline,
    pub(super) stages: Vec<Box<dyn Stage>>,
    pub(super) cache: Cache,
    /// What is in effect here.
    pub(super) place: Place,
}

impl Opened {
    /// What the command line asks for; without names every stage of the file itself. Stages of used files run where
    /// they are needed.
    pub(super) fn targets(&self, named: &[String]) -> Vec<String> {
        if !named.is_empty() {
            return named.to_vec();
        }
        let own = self.pipeline.instances.iter().filter(|i| !i.is_used());
        own.map(|i| i.id.clone()).collect()
    }

    /// To run all of it, or to say what that would do.
    pub(super) fn options(&self) -> exec::Options {
        let run = &self.place.run;
        exec::Options {
            jobs: run.jobs.get() as usize,
            keep_going: run.keep_going,
            retries: run.retries,
            device: run.device.as_str().to_owned(),
            devices: run.devices.iter().map(|d| d.as_str().to_owned()).collect(),
            threads: threads(),
            needs: self.place.needs.iter().map(needs).collect(),
            room: Taken {
                cores: run.cores.map_or_else(threads, Count::get),
                memory: run.memory.as_ref().map_or_else(memory, Memory::bytes),
            },
            cluster: self.cluster(),
            pipeline: Some(self.pipeline.file.display().to_string()),
            ..exec::Options::default()
        }
    }
}

impl Opened {
    /// The cluster on which stages run, where they do.
    fn cluster(&self) -> Option<Site> {
        (self.place.executor.default == Executor::Slurm).then(|| Site {
            settings: self.place.slurm.clone(),
            local: self.place.executor.local.clone(),
            program: env::current_exe().unwrap_or_else(|_| "kfood".into()),
            pipeline: self.pipeline.file.clone(),
            texts: self.pipeline.texts.clone(),
        })
    }
}

/// Reads a pipeline file and opens the cache of its project.
pub(super) fn open(file: &Path) -> Result<Opened> {
    open_with(file, &[])
}

/// As [`open`], with settings of a place from the command line.
pub(super) fn open_with(file: &Path, flags: &[(&'static str, Value)]) -> Result<Opened> {
    let pipeline = config::load(file)?;
    let place = config::place(file, flags, &config::environment)?;
    let stages = stages::of(&pipeline);
    let cache = Cache::open(&cache_of(&pipeline.root, &place)?)?;
    Ok(Opened {
        pipeline,
        stages,
        cache,
        place,
    })
}

/// `KFOOD_CACHE`, else what `kfood.toml` says, else the folder `cache` of the project. One cache for a project, wherever in it the
/// command is given: a relative place is one in the project.
fn cache_of(root: &Path, settings: &Place) -> Result<PathBuf> {
    let variable = env::var_os("KFOOD_CACHE").filter(|place| !place.is_empty());
    let said = settings.cache.folder.as_ref().map(|f| f.as_str().into());
    let name = match variable {
        Some(_) => "KFOOD_CACHE",
        None => "`cache.folder`",
    };
    let Some(place) = variable.or(said).map(PathBuf::from) else {
        return Ok(root.join("cache"));
    };
    folder::meant(&place, name, root)
}

/// The project around a folder: its nearest ancestor with a folder `pipelines`, else itself.
pub(super) fn project(folder: &Path) -> PathBuf {
    let holds_pipelines = |folder: &&Path| folder.join("pipelines").is_dir();
    let found = folder.ancestors().find(holds_pipelines);
    found.unwrap_or(folder).to_owned()
}

/// The cache of the project around a folder.
///
/// # Errors
/// When `KFOOD_CACHE` names no place.
pub(super) fn cache_root(folder: &Path) -> Result<PathBuf> {
    let place = config::place(folder, &[], &config::environment)?;
    cache_of(&project(folder), &place)
}

/// A model file, and the key of the stage that gave it, as lock files write it; a file of its own has none.
pub(super) struct Model {
    pub(super) path: PathBuf,
    pub(super) key: Option<Digest>,
}

/// A model file, or the best model of a finished stage: `pipelines/mission2.toml:best`; an ensemble too.
pub(super) fn model(text: &str) -> Result<Model> {
    if let Some((file, stage)) = file_and_stage(text) {
        return model_of_stage(&file, stage);
    }
    let path = model_file(text)?;
    Ok(Model { path, key: None })
}

fn model_file(text: &str) -> Result<PathBuf> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|e| e == "toml") {
        return Err(
            Error::usage(format!("`{text}` is a pipeline, expected a model"))
                .help(format!("name a stage of it: `{text}:STAGE`")),
        );
    }
    if path.is_dir() {
        let (is, help) = model_folder(&path);
        let message = format!("`{text}` is {is}");
        return Err(Error::usage(message).help(help));
    }
    if !path.is_file() {
        return Err(Error::usage(format!("there is no model file `{text}`"))
            .help("give a model file, or a stage as `pipelines/mission2.toml:best`"));
    }
    std::path::absolute(&path).map_err(|e| Error::io("find", &path, e))
}

/// A pipeline and a stage of it: `pipelines/mission2.toml:best`.
pub(super) fn stage(text: &str) -> Result<(PathBuf, String)> {
    match file_and_stage(text) {
        Some((file, stage)) if !stage.is_empty() => Ok((file, stage.to_owned())),
        _ => Err(
            Error::usage(format!("`{text}` names no stage of a pipeline file"))
                .help(stages_behind(text)),
        ),
    }
}

/// How a stage is named, by one of the pipeline where there is one.
fn stages_behind(text: &str) -> String {
    let file = text.trim_end_matches(':');
    let Some(pipeline) = config::load(Path::new(file)).ok() else {
        return "name one behind the pipeline, such as `pipelines/mission2.toml:deeper`".to_owned();
    };
    let own = pipeline.instances.iter().filter(|i| !i.is_used());
    let mut names: Vec<&str> = own.map(|i| i.stage.as_str()).collect();
    names.dedup();
    let judged = pipeline
        .instances
        .iter()
        .find(|i| i.settings.gives() == Gives::Judged);
    let example = judged.map_or_else(|| names.last().copied(), |i| Some(i.id.as_str()));
    let example = example.unwrap_or("STAGE");
    format!(
        "name one behind it, such as `{file}:{example}`; it has {}",
        names.join(", ")
    )
}

/// `FILE.toml:STAGE` taken apart; `None` where a text is no such thing.
fn file_and_stage(text: &str) -> Option<(PathBuf, &str)> {
    let (file, stage) = text.rsplit_once(".toml:")?;
    Some((PathBuf::from(format!("{file}.toml")), stage))
}

/// A pipeline and the place of one instance of it: `pipelines/mission2.toml:deeper[arch=resnet50]`.
///
/// # Errors
/// When the text names no pipeline that can be opened, or not one instance of it.
pub(super) fn one_stage(text: &str) -> Result<(Opened, usize)> {
    let (file, stage) = stage(text)?;
    let opened = open(&file)?;
    let index = one(&opened, &stage)?;
    Ok((opened, index))
}

/// As [`one_stage`], a training; what trains nothing is told as such before it is asked which instance is meant.
///
/// # Errors
/// As [`one_stage`], and when the stage trains nothing.
pub(super) fn one_training(text: &str) -> Result<(Opened, usize)> {
    let (file, stage) = stage(text)?;
    let opened = open(&file)?;
    let graph = crate::plan::Graph::new(&opened.stages)?;
    let kind = (graph.named(&stage)?.first()).map_or("", |i| opened.stages[*i].kind());
    if About::named(kind).is_none_or(|kind| kind.gives != Gives::Training) {
        let message = format!(
            "`{}` is of kind `{kind}`, expected `train` or `transfer`",
            shown(&stage)
        );
        let own = opened.pipeline.instances.iter().filter(|i| !i.is_used());
        let trainings = own.filter(|i| i.settings.gives() == Gives::Training);
        let mut names: Vec<_> = trainings.map(|i| i.stage.as_str()).collect();
        names.dedup();
        let help = match names.as_slice() {
            [] => "name a stage of a pipeline that trains".to_owned(),
            names => format!("name {}", name::one_of(names.iter().copied())),
        };
        return Err(Error::usage(message).help(help));
    }
    let index = one(&opened, &stage)?;
    Ok((opened, index))
}

/// The place of the one instance of this name.
fn one(opened: &Opened, stage: &str) -> Result<usize> {
    let graph = crate::plan::Graph::new(&opened.stages)?;
    let instances = graph.named(stage)?;
    if let [index] = instances.as_slice() {
        return Ok(*index);
    }
    let ids: Vec<_> = instances.iter().map(|i| opened.stages[*i].id()).collect();
    Err(Error::usage(format!(
        "`{stage}` stands for {} instances: {}",
        ids.len(),
        ids.join(", ")
    ))
    .help("name one of them"))
}

/// As [`model`], but no ensemble.
pub(super) fn one_model(text: &str) -> Result<Model> {
    let model = model(text)?;
    let Some((file, stage)) = file_and_stage(text) else {
        // A file says itself what it is when it is read.
        return Ok(model);
    };
    let pipeline = config::load(&file)?;
    let found = pipeline
        .instances
        .iter()
        .find(|i| i.id == stage || i.stage == stage);
    let Some(Network::All(members)) = found.map(|i| i.settings.network()) else {
        return Ok(model);
    };
    let members: Vec<_> = members
        .iter()
        .map(|id| format!("`{}:{id}`", file.display()))
        .collect();
    Err(
        Error::usage(format!("`{text}` is an ensemble, expected one model"))
            .help(format!("name one of its members: {}", members.join(", "))),
    )
}

fn model_of_stage(file: &Path, stage: &str) -> Result<Model> {
    let opened = open(file)?;
    let graph = crate::plan::Graph::new(&opened.stages)?;
    let instances = graph.named(stage)?;
    // Instances of a stage are of one kind.
    let kind = instances.first().map_or("", |i| opened.stages[*i].kind());
    let Some(output) = About::named(kind).and_then(About::model_output) else {
        let kinds = About::answering().into_iter().map(|kind| kind.name);
        let kinds = name::one_of(kinds);
        let message = format!("`{stage}` is of kind `{kind}`, expected {kinds}");
        return Err(Error::usage(message).help("name the stage whose model is meant"));
    };
    let [index] = instances.as_slice() else {
        let ids: Vec<_> = instances.iter().map(|i| opened.stages[*i].id()).collect();
        return Err(Error::usage(format!(
            "`{stage}` stands for {} models: {}",
            ids.len(),
            ids.join(", ")
        ))
        .help("name one of them, or a `select` stage"));
    };
    let id = opened.stages[*index].id();
    let summary = finished(&opened, &[id.to_owned()], &Silent)?;
    Ok(Model {
        path: summary.output(id, output)?,
        key: summary.record(id).map(|record| record.key),
    })
}

/// How many stages with older results are named.
const NAMED: usize = 3;

/// The finished results of stages, without running anything: those of now, else the newest ones, with a note.
///
/// # Errors
/// As [`exec::newest`].
pub(super) fn finished(
    opened: &Opened,
    targets: &[String],
    observer: &dyn Observer,
) -> Result<Summary> {
    let newest = newest(opened, targets, false, observer)?;
    for older in newest.older.iter().take(NAMED) {
        print::say(&format!("note: {}", older_than_now(older)));
    }
    if let Some(more @ 1..) = newest.older.len().checked_sub(NAMED) {
        let more = count(more, "more stage");
        print::say(&format!("note: so does that of {more}"));
    }
    Ok(newest.summary)
}

/// That a result is not the one that a run would give now.
pub(super) fn older_than_now(older: &exec::Older) -> String {
    format!(
        "the newest finished result of `{}` serves, made {} ago; its inputs have changed since: {}",
        shown(&older.id),
        duration(older.age.as_secs_f64()),
        older.why
    )
}

/// As [`finished`], without the note; with `some_may_be_missing` of those stages that have a result.
///
/// # Errors
/// As [`exec::newest`].
pub(super) fn newest(
    opened: &Opened,
    targets: &[String],
    some_may_be_missing: bool,
    observer: &dyn Observer,
) -> Result<exec::Newest> {
    // Without a lock file, or with one that cannot be read, what was made for this file still counts.
    let lock = locked::read(&locked::path(&opened.pipeline.file)).ok();
    let locked = lock.into_iter().flat_map(|lock| lock.stages);
    let locked = locked.map(|(id, stage)| (id, stage.key)).collect();
    let options = exec::Options {
        targets: targets.to_vec(),
        ..opened.options()
    };
    exec::newest(
        &opened.stages,
        &options,
        &opened.cache,
        &locked,
        some_may_be_missing,
        observer,
    )
}

/// Threads for one stage: every core.
pub(super) fn threads() -> u32 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(1)
}

/// Memory of this machine in bytes; without limit where it does not tell.
fn memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    number.map_or(u64::MAX, |kibibytes| kibibytes << 10)
}

/// What stages of a kind take of this machine.
fn needs((kind, said): (&&'static str, &NeedsSettings)) -> (&'static str, Needs) {
    let needs = Needs {
        cores: said.cores.map(Count::get),
        memory: said.memory.as_ref().map(Memory::bytes),
    };
    (*kind, needs)
}

/// A request to stop that Ctrl-C and termination signals make, unless they were ignored when the program started; the second one
/// ends the program at once. All but Ctrl-C leave jobs of a cluster to themselves. Ctrl-Z stops the worker too, and `fg` or `bg` lets it
/// go on.
pub(super) fn stop_on_signals() -> Result<Stop> {
    let stop = Stop::default();
    let asked = stop.clone();
    let to_stop = native::signals_to_stop_by();
    let to_pause = native::signals_to_pause_by();
    let mut signals = Signals::new(to_stop.iter().chain(&to_pause))
        .map_err(|e| Error::failed("cannot listen for Ctrl-C").because(e))?;
    thread::spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGTSTP => native::pause(),
                SIGCONT => native::continue_children(),
                _ if asked.requested() => {
                    quiet_keys::as_before();
                    std::process::exit(130)
                }
                SIGINT => asked.request(),
                _ => asked.request_leaving(),
            }
        }
    });
    Ok(stop)
}
