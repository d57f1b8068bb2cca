//! `model = "torchvision/resnet50.IMAGENET1K_V2"`: published weights by their name, and where their file lies.

use std::path::PathBuf;

use toml::Spanned;

use crate::{
    config::{data_path::DataPath, fields::Fields},
    settings::{Named, Pretrained, hub_folder},
};

/// The file of published weights; `None` where a text is no name of any, and an empty answer where it is not quite one, which is told.
pub(super) fn named(
    fields: &mut Fields<'_, '_>,
    written: &Spanned<String>,
) -> Option<Option<(DataPath, &'static Pretrained)>> {
    let name = written.get_ref().as_str();
    let found = Pretrained::named(name)?;
    let file = &fields.outline.files[fields.outline.heads[fields.stage].file];
    if is_model_file(name) || file.root.join(name).exists() {
        return None;
    }
    match found {
        Named::Weights(weights) => {
            let path = DataPath {
                written: name.to_owned(),
                path: place(fields, weights),
                root: file.root.clone(),
                location: file.location(&written.span()),
            };
            Some(Some((path, weights)))
        }
        Named::Not(refusal) => {
            fields.tell(&written.span(), refusal.message, Some(&refusal.help));
            Some(None)
        }
    }
}

/// In `weights/` beside the pipeline or in the project, else in the folder of torch's hub, where they are or belong.
fn place(fields: &Fields<'_, '_>, weights: &Pretrained) -> PathBuf {
    let file = &fields.outline.files[fields.outline.heads[fields.stage].file];
    let beside = file.path.parent().unwrap_or(&file.root);
    let near = [beside, &file.root].map(|folder| folder.join("weights").join(weights.file()));
    if let Some(found) = near.iter().find(|path| path.is_file()) {
        return found.clone();
    }
    let [_, of_project] = near;
    hub_folder(fields.outline.lookup).map_or(of_project, |hub| hub.join(weights.file()))
}

/// Whether a text ends as names of model files do.
pub(super) fn is_model_file(path: &str) -> bool {
    const ENDINGS: [&str; 12] = [
        ".pt",
        ".pth",
        ".ckpt",
        ".tar",
        ".bin",
        ".pkl",
        ".model",
        ".safetensors",
        ".onnx",
        ".h5",
        ".hdf5",
        ".keras",
    ];
    let small = path.to_lowercase();
    ENDINGS.iter().any(|end| small.ends_with(end))
}
