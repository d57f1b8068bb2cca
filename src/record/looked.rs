//! What a dataset stage tells of its look at files, kept beside its result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text::{count, number, shown};

/// Files that are named in a summary.
const NAMED: usize = 5;

/// What was passed over, could not be read, or was read in another encoding, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// What may be a mistake.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Encodings, boxes, addresses and the like.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How many files and folders of which kind were not taken.
    #[serde(default)]
    pub passed_over: BTreeMap<String, usize>,
    /// Files that could not be read, with the reason.
    #[serde(default)]
    pub unreadable: Vec<(String, String)>,
}

impl Looked {
    /// Its file in the folder of the result.
    pub const FILE: &'static str = "looked.json";

    /// Everything but the warnings, as lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.notes.clone();
        let total: usize = self.passed_over.values().sum();
        if total > 0 {
            let kinds = self.passed_over.iter();
            let kinds: Vec<_> = kinds
                .map(|(kind, n)| format!("{} {kind}", number(*n as u64)))
                .collect();
            lines.push(format!(
                "passed over {}: {}",
                count(total, "entry"),
                kinds.join(", ")
            ));
        }
        if !self.unreadable.is_empty() {
            let n = self.unreadable.len();
            let mut line = format!("{} cannot be read:", count(n, "file"));
            for (name, why) in self.unreadable.iter().take(NAMED) {
                line.push_str(&format!("\n  `{}`: {why}", shown(name)));
            }
            if n > NAMED {
                line.push_str(&format!("\n  … and {} more", n - NAMED));
            }
            lines.push(line);
        }
        lines
    }
}
