//! The rows of a table one below the other, for a terminal that is too narrow for it.

use unicode_width::UnicodeWidthStr;

use super::cell;
use crate::{
    report::{Grid, Place},
    text::{shortened, shown},
};

/// Between a name and its value.
const GAP: usize = 2;

impl Grid {
    /// The column that rows stand under.
    pub(super) fn heading(&self) -> Option<usize> {
        let mut columns = self.columns.iter();
        columns.position(|column| column.place == Place::Heading)
    }

    /// The rightmost column that may be left out.
    pub(super) fn last_extra(&self) -> Option<usize> {
        let mut columns = self.columns.iter();
        columns.rposition(|column| column.place == Place::Extra)
    }

    /// Shortens the names of columns that allow it to so many columns of a terminal.
    pub(super) fn shorten_names(&mut self, most: usize) {
        for (i, column) in self.columns.iter().enumerate() {
            if column.place == Place::Names {
                for row in &mut self.rows {
                    row[i] = shortened(&cell(&row[i]), most);
                }
            }
        }
    }

    /// Each row under its cell of the column `heading`: a line for each other cell that holds something. No line is wider than
    /// `width`.
    pub(super) fn stacked(&self, heading: usize, width: usize) -> String {
        let others = || (0..self.columns.len()).filter(|column| *column != heading);
        let name = |column: usize| shown(&self.columns[column].name);
        let widest = others().map(|column| name(column).width()).max();
        let names = widest.unwrap_or(0).min(width / 2);
        let mut text = String::new();
        for row in &self.rows {
            text += &shortened(&cell(&row[heading]), width);
            text.push('\n');
            for column in others().filter(|column| !matches!(row[*column].as_str(), "" | "-")) {
                let name = shortened(&name(column), names);
                let pad = names - name.width() + GAP;
                let room = width.saturating_sub(2 + names + GAP);
                for (i, value) in lines(&cell(&row[column]), room).iter().enumerate() {
                    match i {
                        0 => text += &format!("  {name}{:pad$}{value}\n", ""),
                        _ => text += &format!("  {:before$}{value}\n", "", before = names + GAP),
                    }
                }
            }
        }
        text
    }
}

/// A value in lines that end between words; of a longer word the middle is left out.
fn lines(value: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in value.split_whitespace() {
        let word = shortened(word, room);
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.width() + 1 + word.width() <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}
