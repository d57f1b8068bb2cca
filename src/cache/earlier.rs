//! Results that a stage may take unchanged work from.

use std::{cmp::Reverse, path::PathBuf};

use rayon::prelude::*;

use super::{Cache, Hold, KeyDocument, Record, entry::names};
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
        records: &[Record],
        document: &KeyDocument,
        reuse: Reuse,
    ) -> Vec<PathBuf> {
        let mut found: Vec<_> = records
            .iter()
            .filter(|record| means(reuse, record, document))
            .cloned()
            .collect();
        newest_first(&mut found);
        found.truncate(MOST);
        found.iter().map(|record| self.result(record)).collect()
    }
}

fn newest_first(records: &mut [Record]) {
    records.sort_unstable_by_key(|record| (Reverse(record.started), record.key));
}

/// Whether a stage with this document may take over from the result of that record.
fn means(reuse: Reuse, record: &Record, document: &KeyDocument) -> bool {
    let of = &record.document;
    match reuse {
        Reuse::Nothing => false,
        Reuse::OtherInputs(path) => {
            let inputs = document.inputs.clone();
            let of = KeyDocument {
                inputs,
                ..of.clone()
            };
            record.key != document.key() && of.without(path) == document.without(path)
        }
        Reuse::OtherSetting(path) => {
            record.key != document.key() && of.without(path) == document.without(path)
        }
    }
}
