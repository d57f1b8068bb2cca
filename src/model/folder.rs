//! A folder where a model file is asked for: what it is, and which file is meant or how one is made of it.

use std::path::Path;

use super::ACCEPTED;
use crate::text::{for_a_shell, shown_path};

/// The file of weights in a folder of Hugging Face's Hub.
pub(super) const MODEL: &str = "model.safetensors";

/// Files that hold a whole model, the likeliest first.
const MODELS: [&str; 4] = [MODEL, "pytorch_model.bin", "model.pt", "best.pt"];

/// What a folder is, behind "is", and the way out.
#[must_use]
pub fn model_folder(folder: &Path) -> (&'static str, String) {
    let has = |name: &str| folder.join(name).exists();
    if let Some(name) = MODELS.iter().find(|name| has(name)) {
        let file = shown_path(folder.join(name));
        return (
            "a folder, expected a model file",
            format!("name the file in it: `{file}`"),
        );
    }
    let shown = for_a_shell(&shown_path(folder));
    let program = for_a_shell(&shown_path(folder.join("zero_to_fp32.py")));
    if has("saved_model.pb") {
        return (
            "a SavedModel of TensorFlow, expected a model file",
            ACCEPTED.to_owned(),
        );
    }
    if has(".metadata") {
        return (
            "a checkpoint of torch.distributed in pieces, expected a model file",
            format!(
                "put it together: `python -m torch.distributed.checkpoint.format_utils dcp_to_torch {shown} whole.pt`"
            ),
        );
    }
    if has("zero_to_fp32.py") {
        return (
            "a checkpoint of DeepSpeed in pieces, expected a model file",
            format!("put it together: `python {program} {shown} whole`"),
        );
    }
    if has("model.safetensors.index.json") || has("pytorch_model.bin.index.json") {
        return (
            "a model in several pieces, expected a model file",
            "load it in Python, and save it as one: `torch.save(model.state_dict(), \"weights.pt\")`"
                .to_owned(),
        );
    }
    (
        "a folder, expected a model file",
        "name a file in it, such as a `model.safetensors`".to_owned(),
    )
}
