//! What a look at a data set found, as a list of photographs to leave out (`exclude` of a dataset).

use serde::{Deserialize, Serialize};

use super::Seen;
use crate::{
    cells,
    error::{Error, Result},
    record::{Likeness, Part},
    text::escaped,
};

/// One photograph with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludeRow {
    /// As `kfood data` shows it.
    #[serde(with = "cells")]
    pub path: String,
    /// Why.
    #[serde(with = "cells")]
    pub reason: String,
    /// The photograph that it looks like.
    #[serde(with = "cells")]
    pub like: String,
}

/// The photographs that can't be used or that spoil a measurement, in the order of the data set, each once, with the first of these
/// reasons: it cannot be decoded; it looks like one of the test part, or of the given validation part, and is not in it; the same
/// picture is there under another class; the same picture is there before it in the same part.
#[must_use]
pub fn exclude_list(seen: Seen<'_>) -> Vec<ExcludeRow> {
    let images = &seen.images.images;
    let labels = seen.labels;
    let side = |i: usize| labels.given_for(i);
    let like_test = seen.look_alikes.nearest(|i| side(i) == Some(Part::Test));
    let like_validation = seen
        .look_alikes
        .nearest(|i| side(i) == Some(Part::Validation));
    let same = seen.look_alikes.families(|p| p.likeness != Likeness::Near);
    let mut family = vec![None; images.len()];
    for (number, members) in same.iter().enumerate() {
        for i in members {
            if let Some(of) = family.get_mut(*i) {
                *of = Some(number);
            }
        }
    }
    let class = |i: usize| labels.labels.get(i).map(|label| label.class);
    let of = |found: &[Option<(u32, Likeness)>], i: usize| Some(found.get(i).copied()??.0 as usize);
    let reason = |i: usize| -> Option<(String, Option<usize>)> {
        let photograph = seen.photographs.photographs.get(i);
        if let Some(why) = photograph.and_then(|p| p.dropped.as_ref()) {
            return Some((format!("cannot be decoded: {why}"), None));
        }
        let own = side(i)?;
        if own != Part::Test
            && let Some(like) = of(&like_test, i)
        {
            return Some(("looks like a test image".to_owned(), Some(like)));
        }
        if own == Part::Train
            && let Some(like) = of(&like_validation, i)
        {
            return Some(("looks like a validation image".to_owned(), Some(like)));
        }
        let members = &same[(*family.get(i)?)?];
        if let Some(other) = members.iter().find(|m| class(**m) != class(i)) {
            return Some((
                "the same picture has another class".to_owned(),
                Some(*other),
            ));
        }
        let first = members.iter().find(|m| side(**m) == Some(own))?;
        (*first < i).then(|| ("the same picture is there before".to_owned(), Some(*first)))
    };
    let name = |i: usize| images.get(i).map(|i| escaped(&i.path)).unwrap_or_default();
    let row = |i: usize| {
        let (reason, like) = reason(i)?;
        Some(ExcludeRow {
            path: name(i),
            reason,
            like: like.map(name).unwrap_or_default(),
        })
    };
    (0..images.len()).filter_map(row).collect()
}

/// Rows as a CSV, with its header also where there are none.
///
/// # Errors
/// When a row cannot be written.
pub fn exclude_csv(rows: &[ExcludeRow]) -> Result<Vec<u8>> {
    let fail = |e: csv::Error| Error::failed("cannot write the list").because(e);
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer
        .write_record(["path", "reason", "like"])
        .map_err(fail)?;
    for row in rows {
        writer.serialize(row).map_err(fail)?;
    }
    writer
        .into_inner()
        .map_err(|e| Error::failed("cannot write the list").because(e.into_error()))
}

/// The rows of a list that [`exclude_csv`] wrote; `None` for any other file.
#[must_use]
pub fn exclude_rows(bytes: &[u8]) -> Option<Vec<ExcludeRow>> {
    let mut reader = csv::Reader::from_reader(bytes);
    if reader.headers().ok()? != ["path", "reason", "like"][..] {
        return None;
    }
    reader.deserialize().collect::<Result<_, _>>().ok()
}
