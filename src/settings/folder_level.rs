//! Which of the folders around an image says something about it.

use serde::{Deserialize, Serialize};

use super::{
    Count,
    declare::{Setting, Shape, Table, Word},
};

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

impl Setting for FolderLevel {
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        let words = [
            ("deepest", "The one that holds the image."),
            ("first", "The one directly in what the data set names."),
        ];
        let words = words.map(|(name, doc)| Word { name, doc });
        Shape::Ways(vec![
            Shape::Word(words.to_vec()),
            Shape::Table(Table {
                doc: "Counted from what the data set names.",
                example: "{ level = 2 }",
                fields: Vec::new(),
            }),
        ])
    }

    fn accepts() -> String {
        "`\"deepest\"`, `\"first\"` or `{ level = 2 }`, a folder between what the dataset names and an image".to_owned()
    }
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
