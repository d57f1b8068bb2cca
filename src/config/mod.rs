//! From pipeline text to typed stage instances: text -> spanned table -> `matrix` expanded -> each instance derived ->
//! references resolved, folds expanded. All mistakes of a file, and of the files it uses, are reported at once, each with
//! its place and a caret.
//!
//! | step | where |
//! |---|---|
//! | read a file and everything it uses; its encoding; the project's root | `file`, `files`, `encoding`, `root` |
//! | the headers `[kind.name]`, the file's `seed` | `heads` |
//! | `matrix` expanded, spans kept | `matrix` |
//! | the fields of an instance as typed values, unknown keys | `fields`, `wording`, `names`, `kinds` |
//! | names to stages; `${VAR}` in paths | `reference`, `path` |
//! | order of work and cycles; instances, folds, checks between stages | `order`, `build`, `kinds` |
//! | what each kind of stage is, for whoever asks | `about` |
//! | `kfood.toml` and a person's own settings of a place | `place`, `place_tables`, `place_whence` |
//!
//! The seed of a file that sets none is 0.
//!
//! Each file imports only those before it, which `tests/layering.rs` holds. In order: location, data_path, file, mistake, strict,
//! encoding, root, wording, text_file, derive, path, files, matrix, about, place_whence, place_tables, place, names, values, heads, reference, fields, build, order, kinds, pipeline.

mod about;
mod build;
mod data_path;
mod derive;
mod encoding;
mod fields;
mod file;
mod files;
mod heads;
mod kinds;
mod location;
mod matrix;
mod mistake;
mod names;
mod order;
mod path;
mod pipeline;
mod place;
mod place_tables;
mod place_whence;
mod reference;
mod root;
mod strict;
mod text_file;
mod values;
mod wording;

use std::{collections::BTreeMap, path::Path};

pub(crate) use about::each_kind;
pub use about::{About, Gives, KINDS};
pub use data_path::{DataPath, ModelSource, Network};
pub use kinds::*;
pub use location::Location;
pub use mistake::{Mistake, MistakeRow, Mistakes};
pub(crate) use path::of_elsewhere;
pub use pipeline::{Instance, Pipeline};
pub use place::{InEffect, PROJECT_FILE, Place, PlaceFile, place};
pub use place_whence::Whence;

/// Reads a pipeline file and everything it uses. Variables in paths come from the environment.
///
/// # Errors
/// All mistakes of all its files.
pub fn load(path: &Path) -> Result<Pipeline, Mistakes> {
    load_with(path, &environment)
}

/// A variable of the environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// As [`load`], with the variables of `${VAR}` from a function.
///
/// # Errors
/// All mistakes of all its files.
pub fn load_with(
    path: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Pipeline, Mistakes> {
    read(path, lookup, &BTreeMap::new())
}

/// As [`load`], with what the files said before ([`Pipeline::texts`]) in place of what they say now.
///
/// # Errors
/// All mistakes of all its files.
pub fn load_again(path: &Path, texts: &BTreeMap<String, String>) -> Result<Pipeline, Mistakes> {
    read(path, &environment, texts)
}

fn read(
    path: &Path,
    lookup: path::Lookup<'_>,
    texts: &BTreeMap<String, String>,
) -> Result<Pipeline, Mistakes> {
    let mut found = mistake::Found::default();
    let files = files::gather(path, lookup, texts, &mut found)?;
    if found.unreadable {
        return Err(found.finish(&files));
    }
    let outline = heads::read(&files, lookup, &mut found);
    let stages = read_stages(&outline, &mut found);
    let order = order::sort(&outline, &stages, &mut found);
    let built = build::build(&outline, &stages, &order, &mut found);
    if outline.heads.is_empty() && found.is_empty() {
        let help = "a stage begins with its kind and its name, such as `[train.resnet18]`";
        found.add(0, &(0..0), "the file holds no stage", Some(help.to_owned()));
    }
    let mistakes = found.finish(&files);
    if mistakes.iter().len() > 0 {
        return Err(mistakes);
    }
    Ok(Pipeline {
        file: files[0].path.clone(),
        root: files[0].root.clone(),
        notes: root::notes(&files),
        texts: files
            .iter()
            .map(|f| (f.prefix.clone(), f.text.clone()))
            .collect(),
        instances: pipeline::instances(built),
    })
}
