//! What a run and its jobs write down for each other, in the folder `jobs` of the cache.
//!
//! | file | by | what |
//! |---|---|---|
//! | `jobs/submit.lock` | runs | held while jobs are looked for and sent, by `sbatch` itself too, so that none is sent twice |
//! | `jobs/KEY.json` | runs | the ticket of a stage: which order it is in, its number there, how often it was sent |
//! | `jobs/NAME/order.json`, `script` | runs | what the jobs of one `sbatch` are to do; NAME is the name of the job |
//! | `jobs/NAME/status-I.json` | job I | when it started, that it lives, how it ended: what holds, whatever Slurm says |
//! | `jobs/NAME/events-I.jsonl`, `log-I` | job I | what happens in the stage, and what the job prints |

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    cache::Cache,
    digest::Digest,
    error::{Class, Error, Result},
    files,
};

/// What the jobs of one `sbatch` are to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// What it and the files that it uses said when the order was made, by alias: an edit since does not change it.
    pub texts: BTreeMap<String, String>,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// The device asked for.
    pub device: String,
    /// The stages, by the number of their job.
    pub stages: Vec<Ordered>,
}

impl Order {
    /// The file that holds it.
    pub(super) const FILE: &'static str = "order.json";
}

/// One stage of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    /// The instance.
    pub id: String,
    /// The key of its result.
    pub key: Digest,
    /// What each of its inputs holds, by role.
    pub inputs: BTreeMap<String, Digest>,
    /// The keys of the results that it reads, by role.
    pub from: BTreeMap<String, Digest>,
    /// Whether it is made although it is there.
    pub forced: bool,
    /// Why it runs.
    pub reason: String,
}

/// Where the job of a stage is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ticket {
    /// The name of its order, and of the job.
    pub(super) name: String,
    /// Its number in it.
    pub(super) number: usize,
    /// How often it was sent.
    pub(super) sent: u32,
}

/// What a job says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobStatus {
    /// As Slurm calls it.
    pub(super) job: String,
    /// The machine it runs on.
    pub(super) host: String,
    /// Seconds since 1970, by the clock of that machine.
    pub(super) started: u64,
    /// Grows while it lives. A count, for clocks of machines differ.
    pub(super) beat: u64,
    /// How it ended.
    pub(super) ended: Option<Ending>,
}

/// How a job ended, by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ending {
    /// The result is in the cache.
    Done,
    /// It was asked to stop.
    Interrupted,
    /// The stage failed.
    Failed {
        /// The error with its causes.
        message: String,
        /// The way out.
        help: Option<String>,
        /// Whether the pipeline file is at fault.
        usage: bool,
        /// Whether nothing was tried, for the job could not read its order.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unread: bool,
    },
}

impl Ending {
    /// Of what a stage came to.
    pub(super) fn of(done: &Result<()>) -> Self {
        match done {
            Ok(()) => Self::Done,
            Err(error) if error.class() == Class::Interrupted => Self::Interrupted,
            Err(error) => Self::failed(error, false),
        }
    }

    /// Of an error.
    pub(super) fn failed(error: &Error, unread: bool) -> Self {
        Self::Failed {
            message: error.to_string(),
            help: error.help_text().map(str::to_owned),
            usage: error.class() == Class::Usage,
            unread,
        }
    }

    /// The error of a stage that failed.
    pub(super) fn error(message: &str, help: Option<&str>, usage: bool) -> Error {
        let error = match usage {
            true => Error::usage(message),
            false => Error::failed(message),
        };
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

/// The folder of all jobs of a cache.
pub(super) fn jobs(cache: &Cache) -> PathBuf {
    cache.root().join("jobs")
}

/// The first free name of an order: with its key where it is of one stage alone, and with a digest of the cache's folder, for jobs of
/// one key in two caches of one person are two. Names are taken while `submit.lock` is held.
pub(super) fn free_name(cache: &Cache, keys: &[Digest]) -> String {
    let of = match keys {
        [one] => *one,
        several => {
            let text: Vec<_> = several.iter().map(Digest::to_string).collect();
            Digest::of(text.join("\n").as_bytes())
        }
    };
    // However it is reached, a folder is one.
    let root = cache.root();
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let place = Digest::of(root.as_os_str().as_encoded_bytes());
    let first = format!("{}-{}", first_name(&of), &place.to_string()[..8]);
    let more = (2_u32..).map(|n| format!("{first}.{n}"));
    let mut names = std::iter::once(first.clone()).chain(more);
    let jobs = jobs(cache);
    let free = names.find(|name| !jobs.join(name).exists());
    free.unwrap_or(first)
}

/// The files of one job in the folder of its order.
#[derive(Clone, Debug)]
pub(super) struct JobFiles {
    pub(super) status: PathBuf,
    pub(super) events: PathBuf,
    pub(super) log: PathBuf,
}

impl JobFiles {
    /// Of the job with this number.
    pub(super) fn of(order: &Path, number: usize) -> Self {
        Self {
            status: order.join(format!("status-{number}.json")),
            events: order.join(format!("events-{number}.jsonl")),
            log: order.join(format!("log-{number}")),
        }
    }

    /// What the job says of itself; `None` before it starts.
    pub(super) fn status(&self) -> Option<JobStatus> {
        files::read_json(&self.status).ok()
    }

    /// How the job ended, by itself.
    pub(super) fn ended(&self) -> Option<Ending> {
        self.status()?.ended
    }

    /// The last lines of what it printed.
    pub(super) fn last_lines(&self, most: usize) -> Vec<String> {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        let first = lines.len().saturating_sub(most);
        lines[first..].iter().map(|l| (*l).to_owned()).collect()
    }
}

/// The ticket of a key.
pub(super) fn ticket(cache: &Cache, key: &Digest) -> PathBuf {
    jobs(cache).join(format!("{key}.json"))
}

/// The ticket of a key; `None` where there is none.
///
/// # Errors
/// When something lies there that cannot be read.
pub(super) fn read_ticket(cache: &Cache, key: &Digest) -> Result<Option<Ticket>> {
    let path = ticket(cache, key);
    match files::read_json(&path) {
        Ok(ticket) => Ok(Some(ticket)),
        // Whoever could not look at it either knows nothing of it.
        Err(_) if matches!(path.symlink_metadata(), Err(e) if e.kind() == ErrorKind::NotFound) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The tickets that a key may have had, by the orders that name it, and by the name of an order of one stage alone that cannot be read.
pub(super) fn tickets_by_orders(cache: &Cache, key: &Digest) -> Vec<Ticket> {
    let jobs = jobs(cache);
    let listed = std::fs::read_dir(&jobs).into_iter().flatten().flatten();
    let mut names: Vec<String> = listed
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let alone = format!("{}-", first_name(key));
    let of_order = |name: String| {
        let order: Result<Order> = files::read_json(&jobs.join(&name).join(Order::FILE));
        let number = match order {
            Ok(order) => order.stages.iter().position(|stage| stage.key == *key)?,
            Err(_) if name.starts_with(&alone) => 0,
            Err(_) => return None,
        };
        let sent = 1;
        Some(Ticket { name, number, sent })
    };
    names.into_iter().filter_map(of_order).collect()
}

/// How the name of an order of one stage alone begins.
fn first_name(of: &Digest) -> String {
    format!("kfood-{}", &of.to_string()[..16])
}
