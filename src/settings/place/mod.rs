//! The settings of a place: what a machine, a team or a person sets once for all pipelines. None of them is ever in a key, for none
//! can change a result.
//!
//! They stand in `kfood.toml` at a project's root and in a person's own `~/.config/kfood/config.toml`.

mod executor;
mod texts;

use super::{
    Count,
    declare::{settings, words},
};

pub use executor::{
    Executor, ExecutorSettings, ExecutorSettingsRead, SlurmSettings, SlurmSettingsRead,
};
pub use texts::{Device, Gpus, Memory, Module, Plain, TimeLimit};

settings! {
    /// How pipelines are run: what `kfood run` takes as options too.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RunSettings read as RunSettingsRead {
        /// Stages without tensors that may run at once.
        pub jobs: Count = Count::known(1),
        /// Where tensors live: `auto`, `cpu` or `cuda:N`.
        pub device: Device = Device::known("auto"),
        /// Devices for one stage each, such as `["cuda:0", "cuda:1"]`: so many trainings run at once.
        #[accepts = "a list of devices"]
        #[unset = "the one of `device`"]
        pub devices: Vec<Device> = Vec::new(),
        /// After a failure, go on with every stage that does not need the failed one.
        pub keep_going: bool = false,
        /// How often a stage is started again whose worker died: killed by the system where memory ran out, or crashed. It goes on from
        /// its last save.
        pub retries: u32 = 0,
        /// Cores that stages may take together, where others use the machine too.
        #[unset = "those of the machine"]
        pub cores: Option<Count>,
        /// Memory that stages may take together, such as `"48G"`.
        #[unset = "that of the machine"]
        pub memory: Option<Memory>,
    }
}

settings! {
    /// What a stage takes of this machine: `[run.train]` says it for one kind of stage. It starts when so much is free, or alone.
    #[derive(Clone, Debug, PartialEq)]
    pub struct NeedsSettings read as NeedsSettingsRead {
        /// Cores for a stage, and so its threads.
        #[unset = "every core, counted as one"]
        pub cores: Option<Count>,
        /// Memory for a stage, such as `"16G"`.
        #[unset = "not counted"]
        pub memory: Option<Memory>,
    }
}

settings! {
    /// Where results are kept, and with whom they are shared.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CacheSettings read as CacheSettingsRead {
        /// The cache; relative to the project's root. `KFOOD_CACHE` names another one.
        #[unset = "the folder `cache` of the project"]
        pub folder: Option<Plain>,
        /// A cache that others use too: a folder or an address such as `s3://bucket/prefix`.
        #[unset = "none"]
        pub remote: Option<Plain>,
        /// Whether results go to the remote cache as they are made.
        pub push: Push = Push::Auto,
    }
}

words! {
    /// Whether results go to the remote cache as they are made.
    pub enum Push {
        /// Each result, as soon as it is there.
        Auto = "auto",
        /// Only by `kfood cache push`.
        Never = "never",
    }
}
