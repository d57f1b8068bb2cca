//! Results that a stage may take unchanged work from.

use std::{cmp::Reverse, path::PathBuf};

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::{Cache, Hold, KeyDocument, Record, Records, entry::names};
use crate::{digest::Digest, error::Result, stage::Reuse};

/// The most earlier results that a stage is handed: more of them seldom have what the newest have not.
const MOST: usize = 4;

impl Cache {
    /// The folders of finished results that `reuse` means for `document`; newest first, at most four. Their outputs are as they
    /// were made, and stay until the hold is dropped.
    ///
    /// # Errors
    /// When the store cannot be locked or the hold cannot be written.
    pub fn earlier(
        &self,
        document: &KeyDocument,
        reuse: Reuse,
        hold: &Hold,
    ) -> Result<Vec<PathBuf>> {
        if reuse == Reuse::Nothing {
            return Ok(Vec::new());
        }
        // Gc waits: what is found stays until it is held.
        let _store = self.lock_store_shared()?;
        let keys = self.keys().into_par_iter();
        let mut found: Vec<_> = keys
            .filter_map(|key| self.record(&key).filter(|r| means(reuse, r, document)))
            .collect();
        newest_first(&mut found);
        let mut folders = Vec::new();
        for mut record in found {
            if folders.len() == MOST {
                break;
            }
            match self.check(&mut record, false) {
                Ok(moved) => {
                    if moved {
                        self.remember(&record);
                    }
                    hold.add(&record.key)?;
                    folders.push(self.result(&record));
                }
                // Whoever needs that result itself is told.
                Err(what) => tracing::info!("nothing is taken from an earlier result: {what}"),
            }
        }
        Ok(folders)
    }

    /// What attempts at other keys left to go on from, newest first, at most four. They may be under way, or be removed at any moment, and say
    /// themselves what they are of: whoever takes something from them trusts nothing that it did not check.
    #[must_use]
    pub fn unfinished(&self, key: &Digest) -> Vec<PathBuf> {
        let attempts = names(&self.root.join("attempts"));
        let others = attempts.iter().filter_map(|name| name.parse().ok());
        let mut found: Vec<_> = others
            .filter(|other| other != key)
            .filter_map(|other| {
                let state = self.attempt_state(&other);
                let written = std::fs::metadata(&state).ok()?.modified().ok()?;
                Some((Reverse(written), state))
            })
            .collect();
        found.sort();
        found.truncate(MOST);
        found.into_iter().map(|(_, state)| state).collect()
    }

    /// The folders that [`Cache::earlier`] would hand out if all outputs of these records are as they were made.
    #[must_use]
    pub fn earlier_of(
        &self,
        records: &Records,
        document: &KeyDocument,
        reuse: Reuse,
    ) -> Vec<PathBuf> {
        let found = records.of_kind(&document.kind);
        let found = found.filter(|record| means(reuse, record, document));
        found.take(MOST).map(|record| self.result(record)).collect()
    }
}

fn newest_first(records: &mut [Record]) {
    records.sort_unstable_by_key(|record| (Reverse(record.started), record.key));
}

/// Whether a stage with this document may take over from the result of that record.
fn means(reuse: Reuse, record: &Record, document: &KeyDocument) -> bool {
    let of = &record.document;
    let (same_inputs, path) = match reuse {
        Reuse::Nothing => return false,
        Reuse::OtherInputs(path) => (true, path),
        Reuse::OtherSetting(path) => (of.inputs == document.inputs, path),
    };
    let made_alike = (of.format, &of.kind, of.version, &of.libtorch)
        == (
            document.format,
            &document.kind,
            document.version,
            &document.libtorch,
        );
    // What is dear comes last: a sweep asks this of every point for every other one.
    same_inputs
        && made_alike
        && same_but(&of.settings, &document.settings, path)
        && record.key != document.key()
}

/// Whether two settings are the same without the one at a path of keys.
fn same_but(a: &Value, b: &Value, path: &[&str]) -> bool {
    let (Value::Object(a), Value::Object(b), [key, rest @ ..]) = (a, b, path) else {
        return a == b;
    };
    let others = |of: &Map<String, Value>| of.len() - usize::from(of.contains_key(*key));
    let same = |(name, value): (&String, &Value)| name == key || b.get(name) == Some(value);
    if others(a) != others(b) || !a.iter().all(same) {
        return false;
    }
    match (a.get(*key), b.get(*key)) {
        _ if rest.is_empty() => true,
        (Some(a), Some(b)) => same_but(a, b, rest),
        (a, b) => a.is_none() && b.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_compared_without_the_one_that_may_differ() {
        let a = json!({ "epochs": 3, "sgd": { "lr": 1, "momentum": 2 } });
        let other = |epochs, lr| json!({ "epochs": epochs, "sgd": { "lr": lr, "momentum": 2 } });
        assert!(same_but(&a, &other(3, 1), &[]));
        assert!(same_but(&a, &other(4, 1), &["epochs"]));
        assert!(!same_but(&a, &other(4, 2), &["epochs"]));
        assert!(same_but(&a, &other(3, 2), &["sgd", "lr"]));
        assert!(!same_but(&a, &other(4, 2), &["sgd", "lr"]));
        assert!(same_but(
            &a,
            &json!({ "sgd": { "lr": 1, "momentum": 2 } }),
            &["epochs"]
        ));
        assert!(!same_but(&a, &json!({ "epochs": 3 }), &["sgd", "lr"]));
    }
}
