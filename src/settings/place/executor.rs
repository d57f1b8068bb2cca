//! Where stages run: in processes of this machine, or as jobs of a cluster.

use super::{
    super::{
        Count,
        declare::{settings, words},
    },
    texts::{Gpus, Memory, Module, Plain, TimeLimit},
};

words! {
    /// Where stages run.
    pub enum Executor {
        /// On this machine.
        Local = "local",
        /// As jobs of Slurm, on a cache that all its nodes share.
        Slurm = "slurm",
    }
}

settings! {
    /// Where stages run.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ExecutorSettings read as ExecutorSettingsRead {
        /// Where stages run; `kfood run --executor` names another.
        pub default: Executor = Executor::Local,
        /// Kinds of stages that run on this machine all the same, such as `["split", "select"]`.
        pub local: Vec<String> = Vec::new(),
    }
}

settings! {
    /// What a job asks Slurm for. `[executor.slurm.train]` says it for one kind of stage.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SlurmSettings read as SlurmSettingsRead {
        /// The partition.
        #[unset = "Slurm's own"]
        pub partition: Option<Plain>,
        /// The account that is charged.
        #[unset = "Slurm's own"]
        pub account: Option<Plain>,
        /// GPUs for a job: `1`, or with their type `"a100:1"`.
        #[unset = "none"]
        pub gpus: Option<Gpus>,
        /// Cores for a job.
        #[unset = "Slurm's own"]
        pub cpus: Option<Count>,
        /// Memory for a job, such as `"16G"`.
        #[unset = "Slurm's own"]
        pub memory: Option<Memory>,
        /// How long a job may take: minutes, or `"4:00:00"`; a training that reaches it goes on in another job.
        #[unset = "Slurm's own"]
        pub time: Option<TimeLimit>,
        /// Environment modules that are loaded first.
        pub modules: Vec<Module> = Vec::new(),
        /// Lines of the job's script, before the work: `#SBATCH` ones first.
        pub lines: Vec<String> = Vec::new(),
        /// How often a job is sent again that a node's failure, preemption or its time limit ended.
        pub retries: u32 = 3,
    }
}
