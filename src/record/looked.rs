//! What a dataset stage tells of its look at files, kept beside its result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text::{count, first_lines, number, plural, shown};

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
    /// "passed over 4 entries: 1 `.txt`, 2 checksums, 1 hidden".
    #[must_use]
    pub fn counted(kinds: &BTreeMap<String, usize>) -> String {
        let entries = count(kinds.values().sum::<usize>(), "entry");
        let kinds: Vec<_> = kinds.iter().map(|(kind, n)| of_kind(*n, kind)).collect();
        format!("passed over {entries}: {}", kinds.join(", "))
    }

    /// Everything but the warnings, as lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.notes.clone();
        if !self.passed_over.is_empty() {
            lines.push(Self::counted(&self.passed_over));
        }
        if !self.unreadable.is_empty() {
            let n = self.unreadable.len();
            let mut line = format!("{} cannot be read:", count(n, "file"));
            let named = |(name, why): &(String, String)| format!("`{}`: {why}", shown(name));
            line.push_str(&first_lines(self.unreadable.iter().map(named), NAMED));
            lines.push(line);
        }
        lines
    }
}

/// Some kinds are nouns, others say of the entries what they are.
fn of_kind(n: usize, kind: &str) -> String {
    let n_text = number(n as u64);
    if kind.starts_with('`') || ["hidden", "left behind by systems"].contains(&kind) {
        return format!("{n_text} {kind}");
    }
    // "2 links in a zip", "2 backups or temporary files"
    match kind.split_once(" in ") {
        Some((noun, place)) => format!("{n_text} {} in {place}", plural(n, noun)),
        None => format!("{n_text} {}", plural(n, kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_passed_over_reads_as_a_sentence() {
        let kinds = [
            ("`.txt`", 1),
            ("checksum", 2),
            ("hidden", 3),
            ("link in a zip", 2),
        ];
        let kinds = kinds.map(|(kind, n)| (kind.to_owned(), n)).into();
        assert_eq!(
            Looked::counted(&kinds),
            "passed over 8 entries: 1 `.txt`, 2 checksums, 3 hidden, 2 links in a zip"
        );
    }
}
