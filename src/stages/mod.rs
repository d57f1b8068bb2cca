//! One file for each kind of stage: from settings to inputs, outputs and work.

mod audit;
mod average;
mod calibrate;
mod classes;
mod copies;
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
mod split_refused;
mod split_told;
mod split_written;
mod train;
mod transfer;

pub(crate) use classes::classes;
pub use dataset::DatasetStage;
pub use preprocess::{PreprocessStage, photographs};
pub use split::SplitStage;

use crate::{
    config::{Instance, Pipeline, Settings},
    stage::Stage,
};

/// The stages of a pipeline, in its order. A new kind of stage is a file here, its `mod`, and an arm below.
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
        Settings::Train(s) => Box::new(train::TrainStage::new(id, s, pack(&s.data)?)),
        Settings::Select(s) => Box::new(select::SelectStage::new(id, s)),
        Settings::Transfer(s) => Box::new(transfer::TransferStage::new(id, s, pack(&s.data)?)),
        Settings::Average(s) => Box::new(average::AverageStage::new(id, s)),
        Settings::Ensemble(s) => Box::new(ensemble::EnsembleStage::new(id, s)),
        Settings::Audit(s) => Box::new(audit::AuditStage::new(id, s)),
        Settings::Calibrate(s) => Box::new(calibrate::CalibrateStage::new(id, s)),
        Settings::Evaluate(s) => Box::new(evaluate::EvaluateStage::new(id, s, pack(&s.data)?)),
    })
}

fn settings<'a>(pipeline: &'a Pipeline, id: &str) -> Option<&'a Settings> {
    let found = pipeline.instances.iter().find(|i| i.id == id)?;
    Some(&found.settings)
}
