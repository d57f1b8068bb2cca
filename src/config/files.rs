//! Reading a pipeline file and everything it uses.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeValue, ValueDeserializer},
};

use super::{
    file::{File, Use},
    mistake::{Found, Mistakes},
    path::{Lookup, expand, of_elsewhere},
    text_file::{self, Expected, Unread},
    wording,
};
use crate::{
    name, spelt,
    text::{shown, shown_path},
};

/// The file and everything it uses; the file itself comes first.
///
/// # Errors
/// When the first file itself cannot be read. Mistakes in any text are noted in `found`.
pub(crate) fn gather(
    path: &Path,
    lookup: Lookup<'_>,
    texts: &Texts,
    found: &mut Found,
) -> Result<Vec<File>, Mistakes> {
    let first = open(path, String::new(), texts)
        .map_err(|unread| Mistakes::one(unread.location, unread.message, Some(unread.help)))?;
    let mut files = vec![first];
    let mut next = 0;
    while next < files.len() {
        let uses = used_by(next, &mut files, lookup, texts, found);
        files[next].uses = uses;
        next += 1;
    }
    refuse_cycles(&files, found);
    Ok(files)
}

/// What files said before, by the aliases that lead to them.
type Texts = BTreeMap<String, String>;

/// Opens a pipeline file.
#[expect(
    clippy::result_large_err,
    reason = "made once for a file that cannot be read"
)]
fn open(path: &Path, prefix: String, texts: &Texts) -> Result<File, Unread> {
    let expected = Expected {
        what: "a pipeline file",
        help: "name a pipeline file, such as `pipelines/mission1.toml`",
    };
    // An example of a name is of no use where one lies there that may be meant.
    let near = (!path.exists()).then(|| meant(path)).flatten();
    let expected = Expected {
        help: near.as_deref().unwrap_or(expected.help),
        ..expected
    };
    if path == Path::new("-") && !path.exists() {
        let message = "a pipeline is not read from standard input: where its file lies says where its data and its cache are";
        return Err(Unread::of(
            path,
            message.to_owned(),
            expected.help.to_owned(),
        ));
    }
    let is_lock = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("lock"));
    if is_lock && !path.is_dir() {
        let message = format!(
            "`{}` is named as the lock file of a pipeline is, which a run writes beside it",
            shown_path(path)
        );
        let help = format!("name it `{}`", shown_path(path.with_extension("toml")));
        return Err(Unread::of(path, message, help));
    }
    match texts.get(&prefix) {
        Some(text) => text_file::saying(path, prefix, text.clone()).map_err(|e| {
            let message = format!("cannot find `{}`: {e}", shown_path(path));
            Unread::of(path, message, expected.help.to_owned())
        }),
        None => text_file::open(path, prefix, &expected),
    }
}

/// What may be meant by the name of a file that is not there.
fn meant(path: &Path) -> Option<String> {
    let written = path.to_str().and_then(|text| text.rsplit_once(':'));
    if let Some((file, stage)) = written.filter(|(file, _)| Path::new(file).is_file()) {
        let (file, stage) = (shown_path(file), shown(stage));
        return Some(format!("name a stage behind its file: `{file} {stage}`"));
    }
    near(path).map(|near| format!("did you mean `{}`?", shown_path(near)))
}

/// The pipeline file whose name is most like one that is not there: in its folder, else in `pipelines` there, else in the folder above.
fn near(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let wanted = path.file_stem()?.to_str()?;
    let mut folders = vec![folder.to_owned(), folder.join("pipelines")];
    folders.extend(folder.parent().map(Path::to_owned));
    folders.iter().find_map(|folder| {
        let here = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let entries = fs::read_dir(here).ok()?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.ends_with(".toml") && name != "kfood.toml")
            .collect();
        names.sort();
        let same = names
            .iter()
            .find(|name| stem(name).to_lowercase() == wanted.to_lowercase());
        let near = || {
            let near = name::nearest(wanted, names.iter().map(|name| stem(name)))?;
            names.iter().find(|name| stem(name) == near)
        };
        same.or_else(near).map(|name| folder.join(name))
    })
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".toml").unwrap_or(name)
}

/// Reads the `[use]` table of a file and opens what is not open yet. Mistakes of syntax are noted here, once a file.
fn used_by(
    at: usize,
    files: &mut Vec<File>,
    lookup: Lookup<'_>,
    texts: &Texts,
    found: &mut Found,
) -> Vec<Use> {
    let text = files[at].text.clone();
    let document = text_file::parse(at, &text, found);
    let Some((key, table)) = document.get_ref().get_key_value("use") else {
        return Vec::new();
    };
    let DeValue::Table(table) = table.get_ref() else {
        let help = "write a table `[use]` with lines such as `mission2 = \"mission2.toml\"`";
        let message = "`use` is not a table of files";
        found.add(at, &key.span(), message, Some(help.to_owned()));
        return Vec::new();
    };
    let mut uses = Vec::new();
    let mut lines: Vec<_> = table.iter().collect();
    lines.sort_by_key(|(alias, _)| alias.span().start);
    for (alias, value) in lines {
        let name = name::nfc(alias.get_ref());
        if let Err(message) = wording::check_name(&name) {
            found.add(at, &alias.span(), message, None);
            continue;
        }
        uses.push(Use {
            file: open_used(at, &name, value, files, lookup, texts, found),
            alias: name,
            span: alias.span(),
        });
    }
    uses
}

fn open_used(
    at: usize,
    alias: &str,
    value: &Spanned<DeValue<'_>>,
    files: &mut Vec<File>,
    lookup: Lookup<'_>,
    texts: &Texts,
    found: &mut Found,
) -> Option<usize> {
    let span = value.span();
    let Ok(written) = String::deserialize(ValueDeserializer::from(value.clone())) else {
        let message = format!("`use.{alias}` is not the path of a pipeline file");
        found.add(at, &span, message, None);
        return None;
    };
    let written = expand(&written, &span, &files[at].text, lookup)
        .map_err(|m| found.add(at, &m.span, m.message, Some(m.help)))
        .ok()?;
    let folder = files[at].path.parent().unwrap_or(Path::new("/"));
    let path = spelt::existing(folder.join(&written));
    if let Some((message, help)) = of_elsewhere(&written, &path) {
        found.add(at, &span, message, Some(help));
        return None;
    }
    let known = fs::canonicalize(&path).ok();
    if let Some(file) = files.iter().position(|f| Some(&f.real) == known.as_ref()) {
        return Some(file);
    }
    match open(&path, format!("{}{alias}.", files[at].prefix), texts) {
        Ok(file) => {
            files.push(file);
            Some(files.len() - 1)
        }
        Err(unread) => {
            let message = match unread.there {
                false => unread.message,
                // It names the file itself.
                true if unread.location.line == 0
                    && unread.message.contains(&shown_path(&path)) =>
                {
                    unread.message
                }
                true => format!(
                    "`{}`: {}",
                    shown_path(&unread.location.file),
                    unread.message
                ),
            };
            let help = match sibling(&path) {
                _ if unread.there => unread.help,
                Some(name) => format!("did you mean `{name}`, which lies there?"),
                None => "a path in `[use]` is relative to the file that it stands in".to_owned(),
            };
            found.add(at, &span, message, Some(help));
            None
        }
    }
}

/// The file that a path to none most likely means: the one of the nearest name in its folder.
fn sibling(path: &Path) -> Option<String> {
    if path.exists() {
        return None;
    }
    let names: Vec<_> = fs::read_dir(path.parent()?)
        .ok()?
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            Some(name::nfc(name.to_str()?.strip_suffix(".toml")?))
        })
        .collect();
    let wanted = name::nfc(path.file_name()?.to_str()?);
    let wanted = wanted.strip_suffix(".toml").unwrap_or(&wanted);
    let found = name::nearest(wanted, names.iter().map(String::as_str))?;
    Some(format!("{found}.toml"))
}

/// The numbers of all files, each after the files it uses, otherwise in the order of `[use]`.
pub(crate) fn used_first(files: &[File]) -> Vec<usize> {
    let mut order = Vec::new();
    let mut state = BTreeMap::new();
    walk(
        0,
        files,
        &mut state,
        &mut order,
        &mut Vec::new(),
        &mut |_| (),
    );
    order
}

/// Notes each way in which a file uses itself.
fn refuse_cycles(files: &[File], found: &mut Found) {
    let mut tell = |path: &[(usize, usize)]| {
        let name = |file: usize| {
            let name = files[file].path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let &(last, line) = &path[path.len() - 1];
        let mut names: Vec<_> = path.iter().map(|(file, _)| name(*file)).collect();
        names.push(name(path[0].0));
        let message = format!(
            "pipeline files use each other in a circle: `{}`",
            names.join(" -> ")
        );
        let help = "move what both need into a third file".to_owned();
        found.add(last, &files[last].uses[line].span, message, Some(help));
    };
    let (mut state, mut order) = (BTreeMap::new(), Vec::new());
    walk(0, files, &mut state, &mut order, &mut Vec::new(), &mut tell);
}

/// Hears of a circle: the files in it, each with the line of `[use]` that leads on.
type Circle<'a> = &'a mut dyn FnMut(&[(usize, usize)]);

/// Depth first: `path` holds the files that are open, each with the line of `[use]` that is followed.
fn walk(
    file: usize,
    files: &[File],
    state: &mut BTreeMap<usize, bool>,
    order: &mut Vec<usize>,
    path: &mut Vec<(usize, usize)>,
    circle: Circle<'_>,
) {
    state.insert(file, false);
    for (line, used) in files[file].uses.iter().enumerate() {
        let Some(next) = used.file else { continue };
        path.push((file, line));
        match state.get(&next) {
            None => walk(next, files, state, order, path, circle),
            Some(false) => {
                let from = path.iter().position(|(open, _)| *open == next);
                circle(&path[from.unwrap_or(path.len() - 1)..]);
            }
            Some(true) => {}
        }
        path.pop();
    }
    state.insert(file, true);
    order.push(file);
}
