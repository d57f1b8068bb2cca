//! `model = "…"`: a stage or a file, and which state of it.

use toml::Spanned;

use super::{
    super::{
        DataPath, ModelSource, Settings,
        build::Builder,
        files::Span,
        reference::{self, Reference},
    },
    Fields, Kind,
};
use crate::settings::{Checkpoint, Normalize};

/// A model as written.
pub(crate) enum Draft {
    /// Of a stage.
    Stage(Reference),
    /// A file.
    File(DataPath),
}

/// The model and the state of it.
pub(crate) struct Read {
    /// The model; `None` after a mistake.
    pub model: Option<Draft>,
    /// `checkpoint`, if given.
    pub checkpoint: Option<Spanned<Checkpoint>>,
}

/// What a `checkpoint` may be.
const CHECKPOINT: &str = "`\"best\"` or `\"last\"`";

/// A model of these kinds of stages, or a file.
pub(crate) fn read(fields: &mut Fields<'_, '_>, kinds: &[Kind]) -> Read {
    let checkpoint = checkpoint(fields);
    let stages = reference::accepts(kinds);
    let accepts = format!("{stages}, or a `.pt`, `.pth` or `.safetensors` file");
    let written = fields.need::<String>("model", &accepts);
    let model = written.and_then(|written| {
        if is_file(written.get_ref()) {
            let path = fields.data_path(&written)?;
            if !is_model_file(&path.path.to_string_lossy()) {
                let message = format!("`{}` is not the name of a model file", path.written);
                let help = "a model file ends in `.pt`, `.pth` or `.safetensors`";
                fields.tell(&written.span(), message, Some(help));
                return None;
            }
            return Some(Draft::File(path));
        }
        fields.resolve(&written, kinds).map(Draft::Stage)
    });
    if let (Some(Draft::File(_)), Some(given)) = (&model, &checkpoint) {
        let help = "leave `checkpoint` out: a file holds one state";
        fields.tell(&given.span(), "`checkpoint` of a file", Some(help));
    }
    Read { model, checkpoint }
}

/// `checkpoint`, which select takes too.
pub(crate) fn checkpoint(fields: &mut Fields<'_, '_>) -> Option<Spanned<Checkpoint>> {
    fields.take("checkpoint", CHECKPOINT)
}

/// Notes a `.pt` file without the normalisation that it cannot say itself.
pub(crate) fn need_normalize(fields: &mut Fields<'_, '_>, model: &Option<Draft>, given: bool) {
    let Some(Draft::File(path)) = model else {
        return;
    };
    let ours = path.path.extension().is_some_and(|e| e == "safetensors");
    if given || ours {
        return;
    }
    let message = format!(
        "`{}` does not say how its images were normalised",
        path.written
    );
    let help = "add `normalize = \"imagenet\"`, `\"none\"`, `\"dataset\"` or `{ mean = [r, g, b], std = [r, g, b] }`";
    let span = fields.header();
    fields.tell(&span, message, Some(help));
}

fn is_file(written: &str) -> bool {
    let name = written.split('[').next().unwrap_or_default();
    name.contains('/') || name.contains("${") || is_model_file(written)
}

fn is_model_file(path: &str) -> bool {
    [".pt", ".pth", ".safetensors"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// A state of a stage's model. A select hands on the state that it compared, and no other.
pub(crate) fn of_stage(
    builder: &mut Builder<'_>,
    number: usize,
    checkpoint: Option<&Spanned<Checkpoint>>,
) -> Option<ModelSource> {
    let id = builder.id(number);
    let asked = checkpoint.map(|c| *c.get_ref());
    if let Settings::Ensemble(_) = builder.settings(number) {
        if let Some(asked) = checkpoint {
            let help = format!("leave `checkpoint` out, or set it in `{id}`");
            builder.tell(&asked.span(), "`checkpoint` of an ensemble", Some(&help));
            return None;
        }
        return Some(ModelSource::Ensemble { id });
    }
    let checkpoint = match (builder.settings(number), asked) {
        (Settings::Select(select), Some(asked)) if asked != select.checkpoint => {
            let handed = name(select.checkpoint);
            let message = format!(
                "`{id}` hands on the {handed} state, not the {}",
                name(asked)
            );
            let help = format!("leave `checkpoint` out, or set it in `{id}`");
            let span: Span = checkpoint.map_or(0..0, Spanned::span);
            builder.tell(&span, message, Some(&help));
            return None;
        }
        (Settings::Select(select), _) => select.checkpoint,
        (_, asked) => asked.unwrap_or_default(),
    };
    Some(ModelSource::Stage { id, checkpoint })
}

/// A file with what the pipeline says of it.
pub(crate) fn of_file(
    path: &DataPath,
    normalize: Option<Normalize>,
    classes: Option<Vec<String>>,
) -> ModelSource {
    ModelSource::File {
        path: path.clone(),
        normalize,
        classes,
    }
}

const fn name(checkpoint: Checkpoint) -> &'static str {
    match checkpoint {
        Checkpoint::Best => "best",
        Checkpoint::Last => "last",
    }
}
