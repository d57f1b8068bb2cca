//! One file for each kind of stage: from settings to inputs, outputs and work.

mod audit;
mod average;
mod calibrate;
mod classes;
mod corrections;
mod dataset;
mod ensemble;
mod evaluate;
mod fitting;
mod judged;
mod model_file;
mod past;
mod preprocess;
mod select;
mod split;
mod split_told;
mod train;
mod transfer;

pub use audit::AuditStage;
pub use average::AverageStage;
pub use calibrate::CalibrateStage;
pub(crate) use classes::classes;
pub use dataset::DatasetStage;
pub use ensemble::EnsembleStage;
pub use evaluate::EvaluateStage;
pub use preprocess::{PreprocessStage, photographs};
pub use select::SelectStage;
pub use split::SplitStage;
pub use train::TrainStage;
pub use transfer::TransferStage;

use crate::{
    config::{Instance, Pipeline, Settings},
    stage::Stage,
};

/// The stages of a pipeline, in its order. A new kind of stage is a file here and an arm below.
#[must_use]
pub fn of(pipeline: &Pipeline) -> Vec<Box<dyn Stage>> {
    pipeline
        .instances
        .iter()
        .filter_map(|instance| stage(pipeline, instance))
        .collect()
}

/// `None` only for a reference that does not resolve, which a checked pipeline does not hold.
fn stage(pipeline: &Pipeline, instance: &Instance) -> Option<Box<dyn Stage>> {
    let id = instance.id.as_str();
    let pack = |data: &str| match settings(pipeline, data)? {
        Settings::Preprocess(preprocess) => Some(preprocess),
        _ => None,
    };
    Some(match &instance.settings {
        Settings::Dataset(s) => Box::new(DatasetStage::new(id, s)),
        Settings::Split(s) => Box::new(SplitStage::new(id, s)),
        Settings::Preprocess(s) => match settings(pipeline, &s.dataset)? {
            Settings::Dataset(dataset) => Box::new(PreprocessStage::new(id, s, dataset)),
            _ => return None,
        },
        Settings::Train(s) => Box::new(TrainStage::new(id, s, pack(&s.data)?)),
        Settings::Select(s) => Box::new(SelectStage::new(id, s)),
        Settings::Transfer(s) => Box::new(TransferStage::new(id, s, pack(&s.data)?)),
        Settings::Average(s) => Box::new(AverageStage::new(id, s)),
        Settings::Ensemble(s) => Box::new(EnsembleStage::new(id, s)),
        Settings::Audit(s) => Box::new(AuditStage::new(id, s)),
        Settings::Calibrate(s) => Box::new(CalibrateStage::new(id, s)),
        Settings::Evaluate(s) => Box::new(EvaluateStage::new(id, s, pack(&s.data)?)),
    })
}

fn settings<'a>(pipeline: &'a Pipeline, id: &str) -> Option<&'a Settings> {
    let found = pipeline.instances.iter().find(|i| i.id == id)?;
    Some(&found.settings)
}
