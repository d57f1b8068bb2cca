//! What the worker answered, read line by line as it is written on: a million photographs take no memory.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use serde_json::Value;

use super::images::Asked;
use crate::{
    error::{Error, Result},
    text::shown_path,
};

/// The answers for photographs, in their order.
pub(super) struct Answers<'a> {
    /// What the worker wrote.
    pub lines: PathBuf,
    /// The photographs.
    pub asked: &'a [Asked],
    /// A first guess less probable than this is none.
    pub threshold: Option<f64>,
    /// For each photograph the file of what speaks for the guess, where such are written.
    pub cam: Option<Vec<PathBuf>>,
}

impl Answers<'_> {
    /// Gives each answer as it is told: `path`, `guesses`, and where they are `error`, `unknown`, `cam` and `path_bytes`, for a path that
    /// is no text.
    ///
    /// # Errors
    /// When they cannot be read, and those of `take`.
    pub(super) fn each(&self, mut take: impl FnMut(&Value) -> Result<()>) -> Result<()> {
        let read = |e| Error::io("read", &self.lines, e);
        let file = File::open(&self.lines).map_err(read)?;
        for (i, line) in BufReader::new(file).lines().enumerate() {
            let mut answer: Value =
                serde_json::from_str(&line.map_err(read)?).map_err(|e| read(e.into()))?;
            self.complete(i, &mut answer);
            take(&answer)?;
        }
        Ok(())
    }

    fn complete(&self, i: usize, answer: &mut Value) {
        let Some(Asked { path, .. }) = self.asked.get(i) else {
            return;
        };
        answer["path"] = match path.to_str() {
            Some(text) => text.into(),
            None => {
                answer["path_bytes"] = path.as_os_str().as_encoded_bytes().into();
                shown_path(path).into()
            }
        };
        let first = answer["guesses"][0]["probability"].as_f64();
        if let (Some(first), Some(threshold)) = (first, self.threshold) {
            answer["unknown"] = (first < threshold).into();
        }
        if let (Some(_), Some(cam)) = (first, &self.cam) {
            answer["cam"] = cam[i].to_string_lossy().into();
        }
    }
}
