//! A model as the input of a stage: an output of another stage, or a file outside the cache.

use serde_json::Value;

use crate::{
    config::{DataPath, ModelSource},
    error::{Error, Result},
    files::FileList,
    model::model_folder,
    record::{ModelFile, model_files},
    settings::{Normalize, Pretrained},
    stage::{Desk, Input},
    text::shown_path,
};

/// The input in the role `model`.
pub(super) fn model_input(model: &ModelSource) -> Input {
    match model {
        ModelSource::Stage { id, checkpoint } => {
            Input::stage("model", id, model_files::of(*checkpoint))
        }
        ModelSource::Ensemble { id } => Input::stage("model", id, model_files::ENSEMBLE),
        ModelSource::File { .. } => Input::files("model"),
    }
}

/// The file behind the role `model`, under that name: what it is called and where it lies is not content. Nothing for other
/// roles, and where the model comes from a stage.
///
/// # Errors
/// When the file is not there; the message names the place in the pipeline file.
pub(super) fn model_file(role: &str, model: &ModelSource) -> Result<FileList> {
    let (
        "model",
        ModelSource::File {
            path, pretrained, ..
        },
    ) = (role, model)
    else {
        return Ok(FileList::default());
    };
    if !path.path.is_file() {
        return Err(absent(path, *pretrained));
    }
    Ok(FileList::of("model", &path.path))
}

/// What is to be put where, where there is no model file.
fn absent(path: &DataPath, pretrained: Option<&Pretrained>) -> Error {
    let Some(weights) = pretrained else {
        let shown = shown_path(&path.path);
        if path.path.is_dir() {
            let (is, help) = model_folder(&path.path);
            let found = format!("`{shown}` is {is}");
            return Error::placed(path.location.render(&found, Some(&help)));
        }
        let found = format!("there is no model file `{shown}`");
        let help =
            "put a file of PyTorch or safetensors there, or name a train, transfer or select stage";
        return Error::placed(path.location.render(&found, Some(help)));
    };
    let found = format!(
        "the weights `{}` are not there ({})",
        weights.name,
        shown_path(&path.path)
    );
    let help = format!(
        "`kfood fetch {}` downloads them; without a network put `{}` from {} there, or into `weights/` beside the pipeline",
        weights.name,
        weights.file(),
        weights.url
    );
    Error::placed(path.location.render(&found, Some(&help)))
}

/// The normalisation that the pipeline gives for a file.
pub(super) fn given_normalize(model: &ModelSource) -> Option<Normalize> {
    match model {
        ModelSource::Stage { .. } | ModelSource::Ensemble { .. } => None,
        ModelSource::File { normalize, .. } => *normalize,
    }
}

/// The class names that the pipeline gives for a file.
pub(super) fn given_classes(model: &ModelSource) -> Option<Vec<String>> {
    match model {
        ModelSource::Stage { .. } | ModelSource::Ensemble { .. } => None,
        ModelSource::File { classes, .. } => classes.clone(),
    }
}

/// The settings that go into the key where they are asked for, as old results keep their keys.
pub(super) fn asked(model: &ModelSource, settings: &mut Value) {
    if let Some(weights) = given_weights(model) {
        settings["weights"] = weights.into();
    }
}

/// The set of weights that the pipeline chooses from a file.
fn given_weights(model: &ModelSource) -> Option<String> {
    match model {
        ModelSource::Stage { .. } | ModelSource::Ensemble { .. } => None,
        ModelSource::File { weights, .. } => weights.clone(),
    }
}

/// For a job: where the model is, and what its file does not say.
///
/// # Errors
/// When the engine gave no such input.
pub(super) fn model_of(model: &ModelSource, desk: &Desk<'_>) -> Result<ModelFile> {
    let path = match model {
        ModelSource::Stage { .. } | ModelSource::Ensemble { .. } => desk.input("model")?,
        ModelSource::File { path, .. } => path.path.clone(),
    };
    Ok(ModelFile {
        path,
        normalize: given_normalize(model),
        classes: given_classes(model),
        weights: given_weights(model),
        pretrained: match model {
            ModelSource::File { pretrained, .. } => pretrained.map(|p| p.name.to_owned()),
            ModelSource::Stage { .. } | ModelSource::Ensemble { .. } => None,
        },
    })
}
