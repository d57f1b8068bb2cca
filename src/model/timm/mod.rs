//! timm's names of tensors, both ways, and the folder that `timm.create_model("local-dir:…", pretrained=True)` reads and that the
//! Hugging Face Hub takes as it is.

mod config;
mod names;

use std::path::Path;

use serde_json::json;

use self::config::config;
pub(super) use self::names::in_our_names;
use super::{StateDict, families::family, layout::Role, layout::slots, load_weights, safetensors};
use crate::{
    digest::Digest,
    error::{Error, Result},
    files,
    text::shown_path,
};

/// Writes `config.json` and `model.safetensors` into a folder, under timm's names; `key` is that of the stage that gave the model. Gives what of the file was passed over, and where
/// timm's transform is not quite kfood's.
///
/// # Errors
/// When `from` is no model, or does not say its classes and transform, or when the folder cannot be written.
pub fn export(
    from: &Path,
    folder: &Path,
    weights: Option<&str>,
    key: Option<Digest>,
) -> Result<Vec<String>> {
    let mut model = load_weights(from, weights)?;
    let info = model.info.take().ok_or_else(|| {
        Error::usage(format!(
            "`{}` does not say its classes and its transform",
            shown_path(from)
        ))
        .help("name a stage of a pipeline, or a file that kfood wrote")
    })?;
    let name = family(model.arch).timm;
    let mut state = StateDict::new();
    for slot in slots(model.arch, model.classes) {
        if let Some(tensor) = model.state.get(&slot.name) {
            let mut tensor = tensor.clone();
            if slot.role == Role::Scale {
                tensor.shape = vec![tensor.len()];
            }
            state.insert(name(&slot.name), tensor);
        }
    }
    let (mut config, note) = config(&info);
    // timm passes over what it does not know.
    config["kfood"] = json!({ "model": Digest::of_file(from)?, "key": key });
    files::create_folder(folder)?;
    // The configuration comes last: a folder that has it is whole.
    // timm reads past what kfood says in it, and `kfood predict` goes by that.
    safetensors::write(&folder.join(super::folder::MODEL), &state, Some(&info))?;
    files::publish_json(&folder.join("config.json"), &config)?;
    model.notes.extend(note);
    Ok(model.notes)
}
