//! Results that a stage may take unchanged work from.

use std::{cmp::Reverse, path::PathBuf};

use rayon::prelude::*;

use super::{Cache, Hold, KeyDocument, Record};
use crate::error::Result;

impl Cache {
    /// The folders of finished results that differ from `document` in their inputs alone; newest first, at most `most` of
    /// them. Their outputs are as they were made, and stay until the hold is dropped.
    ///
    /// # Errors
    /// When the store cannot be locked or the hold cannot be written.
    pub fn earlier(
        &self,
        document: &KeyDocument,
        hold: &Hold,
        most: usize,
    ) -> Result<Vec<PathBuf>> {
        // Gc waits: what is found stays until it is held.
        let _store = self.lock_store_shared()?;
        let same = |record: &Record| {
            let of = &record.document;
            of.inputs != document.inputs
                && KeyDocument {
                    inputs: document.inputs.clone(),
                    ..of.clone()
                } == *document
        };
        let keys = self.keys().into_par_iter();
        let mut found: Vec<_> = keys
            .filter_map(|key| self.record(&key).filter(same))
            .collect();
        found.sort_unstable_by_key(|record| (Reverse(record.started), record.key));
        let mut folders = Vec::new();
        for mut record in found {
            if folders.len() == most {
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
}
