//! The inputs of one stage: what they hold now, where they lie, and the key that follows.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::untouched::Untouched;
use crate::{
    cache::{Cache, KeyDocument, Output, Read, Record, Stat, digest_of_files},
    digest::Digest,
    error::{Class, Error, Result},
    event::Tell,
    stage::{DigestedFile, DigestedFiles, Input, Source, Stage},
    stop::Stop,
    text::shown_path,
};

/// Everything a stage reads, digested.
pub(super) struct Gathered {
    pub(super) key: Digest,
    pub(super) document: KeyDocument,
    /// Outside files by role.
    pub(super) files: BTreeMap<String, DigestedFiles>,
    /// Outputs of other stages by role: where they are.
    pub(super) paths: BTreeMap<String, PathBuf>,
    /// The keys of their entries.
    pub(super) from: BTreeMap<String, Digest>,
    outputs: BTreeMap<String, Output>,
}

impl Gathered {
    /// Whether what these records hold is what was gathered.
    pub(super) fn is_of<'a>(
        &self,
        stage: &dyn Stage,
        record: impl Fn(&str) -> Option<&'a Record>,
    ) -> bool {
        stage.inputs().into_iter().all(|input| match input.source {
            Source::Files => true,
            Source::Stage { id, output } => record(&id).is_some_and(|record| {
                let content = record.outputs.get(&output).map(|output| output.digest);
                self.from.get(&input.role) == Some(&record.key)
                    && content.is_some()
                    && content == self.document.inputs.get(&input.role).copied()
            }),
        })
    }

    /// The outputs of other stages that were read.
    pub(super) fn read_of_stages(&self, stage: &dyn Stage) -> Vec<Read> {
        let read = |input: Input| match input.source {
            Source::Stage { output, .. } => {
                let content = self.outputs.get(&input.role)?.digest;
                Some((*self.from.get(&input.role)?, output, content))
            }
            Source::Files => None,
        };
        stage.inputs().into_iter().filter_map(read).collect()
    }
}

/// Digests the inputs of a stage whose upstream stages are all finished; `record` gives theirs by id.
pub(super) fn gather<'a>(
    stage: &dyn Stage,
    cache: &Cache,
    record: impl Fn(&str) -> Option<&'a Record>,
    stop: &Stop,
    tell: Tell<'_>,
) -> Result<Gathered> {
    let (mut files, mut paths) = (BTreeMap::new(), BTreeMap::new());
    let (mut from, mut outputs) = (BTreeMap::new(), BTreeMap::new());
    let mut contents = BTreeMap::new();
    for input in stage.inputs() {
        let role = input.role;
        let content = match input.source {
            Source::Files => {
                let lost = stage.may_be_lost(&role);
                let listed = cache.digest_each(stage.files(&role)?, lost, stop, tell)?;
                let content = digest_of_files(&listed)?;
                files.insert(role.clone(), listed);
                content
            }
            Source::Stage { id, output: name } => {
                let found = record(&id).and_then(|r| Some((r, r.outputs.get(&name)?.clone())));
                let Some((record, output)) = found else {
                    // The graph was checked, so that only a record of another make can lack an output.
                    return Err(Error::failed(format!(
                        "`{id}` has no output `{name}` in the cache"
                    ))
                    .help(format!("make it again by `kfood run --force {id}`")));
                };
                paths.insert(role.clone(), cache.output(record, &name));
                from.insert(role.clone(), record.key);
                let digest = output.digest;
                outputs.insert(role.clone(), output);
                digest
            }
        };
        if contents.insert(role.clone(), content).is_some() {
            return Err(Error::failed(format!("two inputs have the role `{role}`")));
        }
    }
    let document = KeyDocument::of(stage, contents);
    Ok(Gathered {
        key: document.key(),
        document,
        files,
        paths,
        from,
        outputs,
    })
}

impl Gathered {
    /// Compares the inputs with what they are now. The error names what changed, or was touched since `before` at least.
    pub(super) fn check_again(
        &self,
        before: &Untouched,
        stage: &dyn Stage,
        cache: &Cache,
        stop: &Stop,
        tell: Tell<'_>,
    ) -> Result<()> {
        for (role, before) in &self.files {
            let now = stage
                .files(role)
                .and_then(|listed| cache.digest_each(listed, stage.may_be_lost(role), stop, tell))
                .map_err(|e| match e.class() {
                    Class::Interrupted => e,
                    _ => changed(&format!("input `{role}`")).because(e),
                })?;
            if let Some(name) = first_difference(before, &now) {
                return Err(changed(&format!("the file `{name}` of input `{role}`")));
            }
        }
        for (role, path) in &self.paths {
            let output = &self.outputs[role];
            let same = fs::metadata(path).is_ok_and(|meta| Stat::of(&meta) == output.seen)
                || Digest::of_file(path).is_ok_and(|digest| digest == output.digest);
            if !same {
                return Err(changed(&format!(
                    "the file `{}` of input `{role}`",
                    shown_path(path)
                )));
            }
        }
        let now = Untouched::look(&self.files, &self.paths)?;
        // It may have read something else in between.
        now.touched_since(before, &self.files)
            .map_or(Ok(()), |what| {
                Err(not_stored(&format!(
                    "{what} was written or moved and then put back while the stage ran"
                )))
            })
    }
}

fn changed(what: &str) -> Error {
    not_stored(&format!("{what} changed while the stage ran"))
}

fn not_stored(why: &str) -> Error {
    Error::failed(format!("{why}, so its result is not stored"))
        .help("run again once the files stand still")
}

/// The first name that is not in both with the same content.
fn first_difference(before: &DigestedFiles, now: &DigestedFiles) -> Option<String> {
    if before.len() == now.len() {
        // Mostly nothing changed, and of a million files no names are copied to say so.
        let mut pairs = before.iter().zip(now.iter());
        let same = |(a, b): (DigestedFile<'_>, DigestedFile<'_>)| {
            a.digest == b.digest && a.file.by_name(b.file).is_eq()
        };
        if pairs.all(same) {
            return None;
        }
    }
    let by_name = |files: &DigestedFiles| -> BTreeMap<String, Digest> {
        files.iter().map(|f| (f.file.name(), f.digest)).collect()
    };
    let (before, now) = (by_name(before), by_name(now));
    let gone = before
        .iter()
        .find(|(name, digest)| now.get(*name) != Some(*digest));
    let new = now.iter().find(|(name, _)| !before.contains_key(*name));
    gone.or(new).map(|(name, _)| name.clone())
}
