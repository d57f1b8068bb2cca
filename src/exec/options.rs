//! What a run is asked for.

use std::collections::BTreeMap;

use super::{slurm::Site, team::Team};

/// What to run and how; nothing here can change a result beyond what its fingerprint tells.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stages to run with everything they need; all if empty.
    pub targets: Vec<String>,
    /// Stages to run even if their result is there.
    pub force: Vec<String>,
    /// Stages without tensors at once; of those with tensors one on each device.
    pub jobs: usize,
    /// After a failure, go on with every stage that does not need the failed one.
    pub keep_going: bool,
    /// How often a stage is started again whose worker died.
    pub retries: u32,
    /// `auto`, `cpu` or `cuda:N`, for the stages.
    pub device: String,
    /// Devices for one stage with tensors each; [`Self::device`] where there are none.
    pub devices: Vec<String>,
    /// Threads for one stage that does not say how many cores it takes.
    pub threads: u32,
    /// What stages take, by kind; they are on this machine together as far as `room` goes.
    pub needs: BTreeMap<&'static str, Needs>,
    /// Cores, and memory in bytes, that stages may take together.
    pub room: Taken,
    /// The pipeline file, for the records.
    pub pipeline: Option<String>,
    /// Where results are looked for that are not in the cache.
    pub team: Option<Team>,
    /// The cluster on which stages run; on this machine without one.
    pub cluster: Option<Site>,
}

/// What a stage is said to take of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Cores.
    pub cores: Option<u32>,
    /// Memory in bytes.
    pub memory: Option<u64>,
}

/// A part of a machine, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Cores.
    pub cores: u32,
    /// Memory in bytes.
    pub memory: u64,
}

impl Needs {
    /// Whether anything is said.
    #[must_use]
    pub fn is_said(&self) -> bool {
        self.cores.is_some() || self.memory.is_some()
    }

    /// What counts: a stage that says nothing is at least busy on one core.
    #[must_use]
    pub fn taken(&self) -> Taken {
        Taken {
            cores: self.cores.unwrap_or(1),
            memory: self.memory.unwrap_or(0),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            force: Vec::new(),
            jobs: 1,
            keep_going: false,
            retries: 0,
            device: "auto".to_owned(),
            devices: Vec::new(),
            threads: 1,
            needs: BTreeMap::new(),
            room: Taken {
                cores: u32::MAX,
                memory: u64::MAX,
            },
            pipeline: None,
            team: None,
            cluster: None,
        }
    }
}
