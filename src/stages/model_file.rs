//! A model file outside the cache as the input of a stage.

use crate::{
    config::ModelSource,
    error::{Error, Result},
    stage::InputFile,
};

/// The file behind the role `model`, under that name: what it is called and where it lies is not content. Nothing for other
/// roles, and where the model comes from a stage.
///
/// # Errors
/// When the file is not there; the message names the place in the pipeline file.
pub(super) fn model_file(role: &str, model: &ModelSource) -> Result<Vec<InputFile>> {
    let ("model", ModelSource::File { path, .. }) = (role, model) else {
        return Ok(Vec::new());
    };
    if !path.path.is_file() {
        let found = format!("there is no model file `{}`", path.path.display());
        let help = "put a `.pt`, `.pth` or `.safetensors` file there, or name a train, transfer or select stage";
        return Err(Error::placed(path.location.render(&found, Some(help))));
    }
    Ok(vec![InputFile {
        name: "model".to_owned(),
        path: path.path.clone(),
    }])
}
