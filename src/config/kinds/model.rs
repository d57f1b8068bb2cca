//! `model = "…"`: a stage or a file, and which state of it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};
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
    File(File),
}

/// A file as written.
pub(crate) struct File {
    path: DataPath,
    weights: Option<String>,
}

/// A name, or a file with the set of weights in it.
enum Written {
    Name(String),
    File(InFile),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "the name of a stage, a model file, or `{ file = \"x.pt\", weights = \"state_dict_ema\" }`",
                )
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Written, E> {
                Ok(Written::Name(name.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                InFile::deserialize(MapAccessDeserializer::new(map)).map(Written::File)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    file: String,
    weights: Option<String>,
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
    let accepts =
        format!("{stages}, a model file, or `{{ file = \"x.pt\", weights = \"state_dict_ema\" }}`");
    let written = fields.need::<Written>("model", &accepts);
    let model = written.and_then(|written| {
        let span = written.span();
        let (name, chosen) = match written.into_inner() {
            Written::Name(name) => (name, None),
            Written::File(InFile { file, weights }) => (file, Some(weights)),
        };
        let name = Spanned::new(span, name);
        if chosen.is_some() || is_file(name.get_ref()) {
            // What it holds is told by its content, whatever it is called.
            let path = fields.data_path(&name)?;
            let weights = chosen.flatten();
            return Some(Draft::File(File { path, weights }));
        }
        fields.resolve(&name, kinds).map(Draft::Stage)
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
    let Some(Draft::File(File { path, .. })) = model else {
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
    const ENDINGS: [&str; 8] = [
        ".pt",
        ".pth",
        ".ckpt",
        ".tar",
        ".bin",
        ".pkl",
        ".model",
        ".safetensors",
    ];
    ENDINGS.iter().any(|end| path.ends_with(end))
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
    file: &File,
    normalize: Option<Normalize>,
    classes: Option<Vec<String>>,
) -> ModelSource {
    ModelSource::File {
        path: file.path.clone(),
        normalize,
        classes,
        weights: file.weights.clone(),
    }
}

const fn name(checkpoint: Checkpoint) -> &'static str {
    match checkpoint {
        Checkpoint::Best => "best",
        Checkpoint::Last => "last",
    }
}
