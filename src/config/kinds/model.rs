//! `model = "…"`: a stage or a file, and which state of it.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, value::MapAccessDeserializer},
};
use toml::Spanned;

use super::pretrained::{self, is_model_file};
use crate::{
    config::{
        about::{Gives, Wants},
        build::Builder,
        data_path::{DataPath, ModelSource},
        fields::Fields,
        names::{PathText, StageName, names},
        reference::Reference,
    },
    settings::{
        Checkpoint, Normalize, Pretrained,
        declare::{Refused, Setting, Shape, Ways, read_ways, settings},
    },
};

/// A model as written.
pub(crate) enum WrittenModel {
    /// Of a stage.
    Stage(Reference),
    /// A file.
    File(File),
}

/// A file as written.
pub(crate) struct File {
    path: DataPath,
    weights: Option<String>,
    pretrained: Option<&'static Pretrained>,
}

/// A name of a stage, with `SEVERAL` also of one that gives several models; or a file with the set of weights in it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ModelText<const SEVERAL: bool> {
    Name(String),
    File(InFile),
}

settings! {
    /// A model file that holds several sets of weights.
    #[example = "{ file = \"x.pt\", weights = \"state_dict_ema\" }"]
    #[derive(Clone, Debug)]
    pub(crate) struct InFile {
        /// The file.
        file: String,
        /// The name of one of its sets of weights.
        weights: Option<String>,
    }
}

impl<const SEVERAL: bool> StageName for ModelText<SEVERAL> {
    const WANTS: Wants = if SEVERAL {
        Wants::Answers
    } else {
        Wants::Model
    };

    fn text(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::File(file) => &file.file,
        }
    }
}

impl<const SEVERAL: bool> Setting for ModelText<SEVERAL> {
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        let stages = Shape::Stage(names(Self::WANTS));
        Shape::Ways(vec![stages, Shape::Path, InFile::shape()])
    }

    fn accepts() -> String {
        let stages = Shape::Stage(names(Self::WANTS)).in_words();
        let file = InFile::accepts();
        format!("{stages}, a model file, or {file}")
    }
}

impl<const SEVERAL: bool> Ways for ModelText<SEVERAL> {
    fn expects() -> String {
        let file = InFile::accepts();
        format!("the name of a stage, a model file, or {file}")
    }

    fn word(word: &str) -> Result<Self, Refused> {
        Ok(Self::Name(word.to_owned()))
    }

    fn table<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        InFile::deserialize(MapAccessDeserializer::new(map)).map(Self::File)
    }
}

impl<'de, const SEVERAL: bool> Deserialize<'de> for ModelText<SEVERAL> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_ways(deserializer)
    }
}

/// The stage or the file behind what is written; a file takes no `checkpoint`.
pub(crate) fn read<const SEVERAL: bool>(
    fields: &mut Fields<'_, '_>,
    model: Option<&Spanned<ModelText<SEVERAL>>>,
    checkpoint: Option<&Spanned<Checkpoint>>,
) -> Option<WrittenModel> {
    let written = model?;
    let (text, chosen) = match written.get_ref() {
        ModelText::Name(name) => (name, None),
        ModelText::File(InFile { file, weights }) => (file, Some(weights.clone())),
    };
    if chosen.is_none() && !is_file(text) {
        return fields.follow(Some(written)).map(WrittenModel::Stage);
    }
    let text = Spanned::new(written.span(), text.clone());
    let (path, pretrained) = match pretrained::named(fields, &text) {
        Some(found) => found.map(|(path, weights)| (path, Some(weights)))?,
        // What it holds is told by its content, whatever it is called, but for the files of published weights.
        None => {
            let path = Spanned::new(text.span(), PathText(text.into_inner()));
            let path = fields.data_path(Some(&path))?;
            let name = path.path.file_name().and_then(|name| name.to_str());
            let known = name.and_then(Pretrained::of_file);
            (path, known)
        }
    };
    if let Some(given) = checkpoint {
        let help = "leave `checkpoint` out: a file holds one state";
        fields.tell(&given.span(), "`checkpoint` of a file", Some(help));
    }
    let weights = chosen.flatten();
    Some(WrittenModel::File(File {
        path,
        weights,
        pretrained,
    }))
}

/// Notes a `.pt` file without the normalisation that it cannot say itself.
pub(crate) fn need_normalize(
    fields: &mut Fields<'_, '_>,
    model: Option<&WrittenModel>,
    given: bool,
) {
    let Some(WrittenModel::File(File {
        path, pretrained, ..
    })) = model
    else {
        return;
    };
    if pretrained.is_some() {
        return;
    }
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

/// A state of a stage's model. A select hands on the state that it compared, and no other.
pub(crate) fn of_stage(
    builder: &mut Builder<'_>,
    number: usize,
    checkpoint: Option<&Spanned<Checkpoint>>,
) -> Option<ModelSource> {
    let id = builder.id(number);
    if builder.kind(number).gives == Gives::Models {
        if let Some(asked) = checkpoint {
            let help = format!("leave `checkpoint` out, or set it in `{id}`");
            builder.tell(&asked.span(), "`checkpoint` of an ensemble", Some(&help));
            return None;
        }
        return Some(ModelSource::Ensemble { id });
    }
    let handed = builder.made(number).hands_on();
    if let (Some(handed), Some(asked)) = (handed, checkpoint)
        && handed != *asked.get_ref()
    {
        let (message, help) = match builder.kind(number).gives {
            Gives::Training => super::from::only(&id, handed, *asked.get_ref()),
            _ => (
                format!(
                    "`{id}` hands on the {} state, not the {}",
                    handed.name(),
                    asked.get_ref().name()
                ),
                format!("leave `checkpoint` out, or set it in `{id}`"),
            ),
        };
        builder.tell(&asked.span(), message, Some(&help));
        return None;
    }
    let asked = checkpoint.map(|c| *c.get_ref());
    let checkpoint = handed.or(asked).unwrap_or_default();
    Some(ModelSource::Stage { id, checkpoint })
}

/// A file with what the pipeline says of it.
pub(crate) fn of_file(
    file: &File,
    normalize: Option<Normalize>,
    classes: Option<Vec<String>>,
) -> ModelSource {
    // A file that is called as published weights are, and comes with a normalisation, may be somebody's own.
    let named = Pretrained::named(&file.path.written).is_some();
    let pretrained = file.pretrained.filter(|_| named || normalize.is_none());
    ModelSource::File {
        path: file.path.clone(),
        normalize: normalize.or(pretrained.map(Pretrained::normalize)),
        classes,
        weights: file.weights.clone(),
        pretrained,
    }
}
