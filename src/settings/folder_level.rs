//! Which of the folders around an image says something about it.

use serde::{Deserialize, Serialize};

use super::Count;

/// `"deepest"`, `"first"` or `{ level = 2 }`: one of the folders between what a data set names and an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FolderLevel {
    /// The one that holds the image.
    Deepest,
    /// The one directly in what the data set names.
    First,
    /// Counted from there, the first one being 1.
    Level(Count),
}

impl FolderLevel {
    /// How many folders of a path of so many lead to it; `None` where the path has fewer.
    #[must_use]
    pub fn depth(self, folders: usize) -> Option<usize> {
        let depth = match self {
            Self::Deepest => folders,
            Self::First => 1,
            Self::Level(level) => level.get() as usize,
        };
        (1..=folders).contains(&depth).then_some(depth)
    }
}
