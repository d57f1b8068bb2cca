//! Pictures of what speaks for the guesses that a document shows.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use super::{
    open::{self, Opened},
    print,
    scratch::Scratch,
};
use crate::{
    error::{Class, Error, Result},
    exec::{Summary, job, worker::Process},
    files,
    record::{Attend, Evaluation, Images, Job},
    report::{Document, Evidence, Guess, Photograph},
    stage::Worker,
    stop::Stop,
    text::shown,
};

/// For each guess a JPEG. An evaluation whose model is no single network has none, and that is said.
///
/// # Errors
/// When a result in the cache or a photograph cannot be read, or the worker fails.
pub(super) fn of(opened: &Opened, summary: &Summary, document: &Document) -> Result<Evidence> {
    let mut by_evaluation: BTreeMap<&str, Vec<(&Guess, &Photograph)>> = BTreeMap::new();
    for (guess, photograph) in document.guesses() {
        let of = by_evaluation.entry(&guess.evaluation).or_default();
        of.push((guess, photograph));
    }
    let mut found = BTreeMap::new();
    let stop = open::stop_on_signals()?;
    for (evaluation, guesses) in by_evaluation {
        stop.check()?;
        match of_evaluation(opened, summary, evaluation, &guesses, &stop) {
            Ok(jpegs) => {
                let named = guesses.into_iter().zip(jpegs);
                found.extend(named.map(|((g, p), jpeg)| ((g.clone(), p.clone()), jpeg)));
            }
            Err(error) if error.class() == Class::Interrupted => return Err(error),
            // A report is not refused for a picture.
            Err(error) => print::say(&format!(
                "note: `{}`: what speaks for its guesses is not shown: {}",
                shown(evaluation),
                error.message()
            )),
        }
    }
    Ok(found)
}

fn of_evaluation(
    opened: &Opened,
    summary: &Summary,
    id: &str,
    guesses: &[(&Guess, &Photograph)],
    stop: &Stop,
) -> Result<Vec<Vec<u8>>> {
    let stage = opened.stages.iter().find(|stage| stage.id() == id);
    let stage = stage.ok_or_else(|| Error::failed("it is not in the pipeline"))?;
    let folder = Scratch::new()?;
    let output = |id: &str, name: &str| summary.output(id, name);
    let asked = job::of(&**stage, output, folder.path(), "cpu", open::threads())?;
    let Some(Job::Evaluate(evaluate)) = asked else {
        return Err(Error::failed("it is no evaluation"));
    };
    let Images { images } = files::read_json(&evaluate.images)?;
    let rows = images
        .iter()
        .enumerate()
        .map(|(row, i)| (i.path.as_str(), row));
    let rows: HashMap<&str, usize> = rows.collect();
    let Evaluation { classes, .. } = files::read_json(&output(id, Evaluation::FILE)?)?;
    let asked = |(guess, photograph): &(&Guess, &Photograph)| {
        let row = rows.get(photograph.path.as_str());
        let class = classes.iter().position(|class| *class == guess.class);
        row.copied().zip(class)
    };
    let asked: Option<Vec<_>> = guesses.iter().map(asked).collect();
    let images = asked.ok_or_else(|| Error::failed("its photographs are not in the data set"))?;
    let n = images.len();
    let job = Job::Attend(Box::new(Attend { evaluate, images }));
    Process::beside_this_program()?.run(&job, folder.path(), &|_| {}, stop)?;
    let read = |place: usize| {
        let path = folder.path().join(format!("{place}.jpg"));
        fs::read(&path).map_err(|e| Error::io("read", &path, e))
    };
    (0..n).map(read).collect()
}
