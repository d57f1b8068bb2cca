//! One file for each kind of stage: from settings to inputs, outputs and work.

mod classes;
mod copies;
mod corrections;
mod fitting;
mod judged;
mod model_file;
mod part_logs;
mod past;
mod split_refused;
mod split_told;
mod split_written;

pub(crate) use classes::classes;
pub use dataset::DatasetStage;
pub(crate) use fitting::history_so_far;
pub(crate) use part_logs::sureness;
pub use preprocess::{PreprocessStage, photographs};
pub use split::SplitStage;

use crate::{
    config::{self, Instance, Pipeline, Settings, each_kind},
    stage::Stage,
};

/// Settings of which a stage is made.
trait ToStage {
    /// The stage of the instance `id` of this pipeline; `None` only for a reference that does not resolve, which a checked pipeline
    /// does not hold.
    fn to_stage(&self, id: &str, pipeline: &Pipeline) -> Option<Box<dyn Stage>>;

    /// The value of a setting as a pipeline file has it, as [`Stage::written_value`], for results of a kind of which a file may have no
    /// stage any more.
    fn written_value(setting: &str, value: &str) -> Option<String> {
        let _ = setting;
        Some(value.to_owned())
    }
}

/// The stages of a pipeline, in its order. A new kind of stage is a file here, which says `ToStage` of its settings; `each_kind!`
/// gives it its `mod`.
#[must_use]
pub fn of(pipeline: &Pipeline) -> Vec<Box<dyn Stage>> {
    let stage = |instance| stage(pipeline, instance);
    pipeline.instances.iter().filter_map(stage).collect()
}

macro_rules! stages {
    ($($(#[$doc:meta])* $kind:ident in $name:ident gives $gives:ident $(with $tensors:ident)?),* $(,)?) => {
        $(mod $name;)*

        fn stage(pipeline: &Pipeline, instance: &Instance) -> Option<Box<dyn Stage>> {
            match &instance.settings {
                $(Settings::$kind(settings) => settings.to_stage(&instance.id, pipeline),)*
            }
        }

        fn written_value(kind: &str, setting: &str, value: &str) -> Option<String> {
            $(if kind == stringify!($name) {
                return <config::$kind as ToStage>::written_value(setting, value);
            })*
            Some(value.to_owned())
        }
    };
}

each_kind!(stages);

/// A setting of a result of some kind of stage as a pipeline file has it, given its place in [`Stage::settings`] and its value there as
/// JSON; `None` where no file has such a setting. It takes no instance: a file of now may have none of that kind any more.
#[must_use]
pub fn as_written(kind: &str, setting: &str, value: &str) -> Option<(String, String)> {
    Some((past::written(setting), written_value(kind, setting, value)?))
}

/// The settings of the preprocess instance that makes a pack.
fn pack<'a>(pipeline: &'a Pipeline, id: &str) -> Option<&'a config::Preprocess> {
    match settings(pipeline, id)? {
        Settings::Preprocess(preprocess) => Some(preprocess),
        _ => None,
    }
}

fn settings<'a>(pipeline: &'a Pipeline, id: &str) -> Option<&'a Settings> {
    let found = pipeline.instances.iter().find(|i| i.id == id)?;
    Some(&found.settings)
}
