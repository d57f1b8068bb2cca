//! What a run is asked for.

use super::{slurm::Site, team::Team};

/// What to run and how; nothing here can change a result beyond what its fingerprint tells.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stages to run with everything they need; all if empty.
    pub targets: Vec<String>,
    /// Stages to run even if their result is there.
    pub force: Vec<String>,
    /// Stages at once, of them one that needs tensors on each device.
    pub jobs: usize,
    /// After a failure, go on with every stage that does not need the failed one.
    pub keep_going: bool,
    /// `auto`, `cpu` or `cuda:N`, for the stages.
    pub device: String,
    /// Devices for one stage with tensors each; [`Self::device`] where there are none.
    pub devices: Vec<String>,
    /// Threads for one stage.
    pub threads: u32,
    /// The pipeline file, for the records.
    pub pipeline: Option<String>,
    /// Where results are looked for that are not in the cache.
    pub team: Option<Team>,
    /// The cluster on which stages run; on this machine without one.
    pub cluster: Option<Site>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            force: Vec::new(),
            jobs: 1,
            keep_going: false,
            device: "auto".to_owned(),
            devices: Vec::new(),
            threads: 1,
            pipeline: None,
            team: None,
            cluster: None,
        }
    }
}
