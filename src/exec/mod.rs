//! Looking at a pipeline's state (status) and running it; starting workers; lock files.
//!
//! `status` says for each stage: cached, run, or waits. `run` starts from the same look and makes it come true; a stage
//! that waited ends as one of the other two, for an unchanged output cuts the rerun off.
//!
//! Where a stage runs is an `executor`'s: threads of this process, or jobs of a cluster ([`slurm`]). Both make it by the same
//! `attempt`, under the same lock.

mod alone;
mod ask_python;
mod asked;
mod attempt;
mod executor;
mod gather;
pub mod job;
pub mod libtorch;
pub mod locked;
mod made_for;
mod near;
mod newest;
mod options;
mod present;
mod run;
pub mod slurm;
mod status;
mod summary;
mod team;
mod untouched;
pub mod worker;

pub use newest::{Begun, Missing, Newest, Older, newest};
pub use options::{Needs, Options, Taken};
pub use run::run;
pub use status::{Estimate, StageStatus, Status, status};
pub use summary::{Outcome, StageSummary, Summary};
pub use team::Team;
