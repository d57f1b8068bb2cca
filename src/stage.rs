//! The one interface between the engine (graph, cache, execution) and the kinds of stages.
//!
//! The engine never asks what a stage is: it asks for its settings, its inputs, the names of its outputs, and to run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    digest::Digest,
    error::{Error, Result},
    event::Tell,
    files::FileList,
    record::Job,
    stop::Stop,
};

mod digested;

pub use digested::{DigestedFile, DigestedFiles};

/// One stage instance.
pub trait Stage: Send + Sync {
    /// The name of the instance in the pipeline that is run: `mission2.deeper[arch=resnet50]`. Never part of a key.
    fn id(&self) -> &str;

    /// The kind, such as `train`.
    fn kind(&self) -> &'static str;

    /// The version of the implementation: raised when the same settings and inputs would give another result.
    fn version(&self) -> u32;

    /// Every setting that can change the result, defaults filled in; an object. Order of keys does not matter, order
    /// in arrays does.
    fn settings(&self) -> serde_json::Value;

    /// What it reads. Roles are unique; a role is part of the key.
    fn inputs(&self) -> Vec<Input>;

    /// The files behind an input of source [`Source::Files`], sorted by name. Called before the stage and once more after it.
    ///
    /// # Errors
    /// When a folder or file that the pipeline names is not there; the message names the place in the pipeline file.
    fn files(&self, role: &str) -> Result<FileList> {
        let _ = role;
        Ok(FileList::default())
    }

    /// In words what the files behind an input of source [`Source::Files`] ask for, such as "17 labels corrected, 3 left out", as far as
    /// that can be told before the stage runs and is quickly read; asked only where they are not those of before.
    fn asks(&self, role: &str) -> Option<String> {
        let _ = role;
        None
    }

    /// Whether a file of an input of source [`Source::Files`] may be there and not be readable: its content is then the reason.
    fn may_be_lost(&self, role: &str) -> bool {
        let _ = role;
        false
    }

    /// The names of the files it writes to [`Desk::out`] that are its result. Other files it leaves there are kept
    /// beside the result and never digested (times, machine).
    fn outputs(&self) -> &'static [&'static str];

    /// From which earlier results it can take unchanged work over: see [`Desk::earlier`].
    fn reuses(&self) -> Reuse {
        Reuse::Nothing
    }

    /// What it would take over from the earlier result in a folder, as far as that can be told before it runs; nothing is said
    /// where that is no news. The folder's outputs may be damaged.
    fn takes_over(&self, earlier: &Path) -> Option<TakesOver> {
        let _ = earlier;
        None
    }

    /// What it would go on from of an attempt that did not end, given the folder that was [`Desk::state`] then.
    fn resumes(&self, state: &Path) -> Option<String> {
        let _ = state;
        None
    }

    /// Settings that differ from those of an earlier result, as a pipeline file has them where a key has them in another form.
    fn changed_settings(&self, changed: Vec<ChangedSetting>) -> Vec<ChangedSetting> {
        changed
    }

    /// How a setting is called in a pipeline file, given its place in [`Stage::settings`].
    fn written(&self, setting: &str) -> String {
        setting.to_owned()
    }

    /// The value of a setting as a pipeline file has it, given its place in [`Stage::settings`] and its value there as JSON; `None`
    /// where no pipeline file has such a setting.
    fn written_value(&self, setting: &str, value: &str) -> Option<String> {
        let _ = setting;
        Some(value.to_owned())
    }

    /// Whether this is a version that the stage has by its settings now, as [`Stage::version`] under these or others.
    fn has_version(&self, version: u32) -> bool {
        version == self.version()
    }

    /// In words how an input that comes from another stage differs from what it was, such as "3 images moved class, 2 new", given
    /// the two files; `None` where there is no more to say than that it changed.
    fn changed(&self, role: &str, before: &Path, now: &Path) -> Option<String> {
        let _ = (role, before, now);
        None
    }

    /// The seconds that a run would take, going by an earlier result of this kind; `None` where it does not tell.
    fn estimate(&self, earlier: &Past<'_>) -> Option<f64> {
        earlier.own.then_some(earlier.seconds)
    }

    /// What it needs to run.
    fn resource(&self) -> Resource {
        Resource::Cpu
    }

    /// The job that `kfood-worker` does for it; `None` where [`Stage::run`] does the work in this process.
    ///
    /// # Errors
    /// When an input is not handed in.
    fn job(&self, desk: &Desk<'_>) -> Result<Option<Job>> {
        let _ = desk;
        Ok(None)
    }

    /// Does the work in this process and writes every output; not asked of a stage that has a [`Stage::job`].
    ///
    /// # Errors
    /// When it cannot; nothing is then published.
    fn run(&self, context: &Context<'_>) -> Result<()> {
        let _ = context;
        Err(Error::failed(format!("`{}` has nothing to do", self.id())))
    }
}

/// A setting that differs from that of an earlier result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSetting {
    /// Its place in [`Stage::settings`], such as `training.epochs`.
    pub name: String,
    /// As JSON; `None` where it was not there.
    pub old: Option<String>,
    /// As JSON; `None` where it is not there.
    pub new: Option<String>,
}

/// An earlier result of the same kind, to go by.
pub struct Past<'a> {
    /// Whether it is the nearest earlier state of the same stage; else it may be any of its kind.
    pub own: bool,
    /// Its settings.
    pub settings: &'a serde_json::Value,
    /// What it took; where it took work over, only of the rest.
    pub seconds: f64,
    /// The folder with all files that it left.
    pub folder: &'a Path,
    /// What it read from other stages, by role, as far as that is still there.
    pub before: &'a BTreeMap<String, PathBuf>,
    /// What the stage reads from others now, as far as that is known.
    pub now: &'a BTreeMap<String, PathBuf>,
    /// The folders of the results that the stage would take work over from: see [`Desk::earlier`].
    pub reused: &'a [PathBuf],
    /// The folder that would be [`Desk::state`]; there may be none.
    pub state: &'a Path,
}

/// Which earlier results of the same kind and version a stage can take work over from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// None.
    Nothing,
    /// Of the same settings but for one, by its path of keys (none by an empty one), and with any inputs.
    OtherInputs(&'static [&'static str]),
    /// Of the same inputs and settings, but for another value at this path of keys.
    OtherSetting(&'static [&'static str]),
}

/// What a stage takes over from an earlier result, in words that stand in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakesOver {
    /// Work; of several results the one of the highest rank serves.
    From {
        /// How much it is.
        rank: u64,
        /// What it is.
        what: String,
    },
    /// Nothing, and why.
    Nothing(String),
}

/// What a stage needs to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Cores only: several may run at once.
    Cpu,
    /// Tensors: the key holds libtorch's version, and one runs at a time on a device.
    Tensor,
}

/// One thing that a stage reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is to the stage, such as `split`.
    pub role: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An output of another stage instance.
    Stage {
        /// Its id.
        id: String,
        /// The name of the output.
        output: String,
    },
    /// Files outside the cache, listed by [`Stage::files`].
    Files,
}

impl Input {
    /// An output of another stage.
    pub fn stage(
        role: impl Into<String>,
        id: impl Into<String>,
        output: impl Into<String>,
    ) -> Self {
        Self {
            role: role.into(),
            source: Source::Stage {
                id: id.into(),
                output: output.into(),
            },
        }
    }

    /// Files outside the cache.
    pub fn files(role: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            source: Source::Files,
        }
    }
}

/// Where a stage works and what lies there: all that a job is made of.
pub struct Desk<'a> {
    /// The private folder of this attempt; outputs go here.
    pub out: &'a Path,
    /// A private folder that survives an interrupted attempt at the same key: state to resume from.
    pub state: &'a Path,
    /// The digest of everything that can change the result.
    pub key: Digest,
    /// The same without the setting that [`Stage::reuses`] lets differ: equal for results that it may go on from.
    pub kin: Digest,
    /// The paths of inputs that come from other stages, by role.
    pub inputs: &'a BTreeMap<String, PathBuf>,
    /// The folders of the earlier results that the stage [`Stage::reuses`], newest first: unchanged work can be taken from them.
    /// None where it is forced to run.
    pub earlier: &'a [PathBuf],
    /// The device asked for on the command line: `auto`, `cpu` or `cuda:N`.
    pub device: &'a str,
    /// Threads for one stage.
    pub threads: u32,
}

impl Desk<'_> {
    /// The path of an input that another stage made.
    ///
    /// # Errors
    /// When there is no input in this role.
    pub fn input(&self, role: &str) -> Result<PathBuf> {
        let path = self.inputs.get(role).cloned();
        path.ok_or_else(|| Error::failed(format!("the input `{role}` was not handed in")))
    }
}

/// Everything a running stage may use.
pub struct Context<'a> {
    /// Where it works.
    pub desk: Desk<'a>,
    /// Input files with their digests, by role, in the order of [`Stage::files`].
    pub files: &'a BTreeMap<String, DigestedFiles>,
    /// What attempts at other keys left in [`Desk::state`], where the stage reuses results of other inputs: nothing of it may be trusted.
    pub unfinished: &'a [PathBuf],
    /// Tells what happens.
    pub tell: Tell<'a>,
    /// To be looked at between two pieces of work.
    pub stop: &'a Stop,
}

impl<'a> std::ops::Deref for Context<'a> {
    type Target = Desk<'a>;

    fn deref(&self) -> &Desk<'a> {
        &self.desk
    }
}

/// Runs jobs that need tensors in a process of their own.
pub trait Worker: Sync {
    /// Runs one job to its end; its events go to `tell`. `folder` is a private folder for the job file.
    ///
    /// # Errors
    /// When the job fails, or the process crashes or is killed; the message says which.
    fn run(&self, job: &Job, folder: &Path, tell: Tell<'_>, stop: &Stop) -> Result<()>;
}
