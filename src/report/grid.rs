//! A grid of text: columns aligned by display width (Hangul takes two cells), for a terminal or as Markdown.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};

use crate::text;

/// Text in rows and columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// Names and alignment of the columns.
    pub columns: Vec<(String, Align)>,
    /// As many cells as columns.
    pub rows: Vec<Vec<String>>,
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// For words.
    Left,
    /// For numbers.
    Right,
}

impl Grid {
    /// Without rows.
    #[must_use]
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let column = |(name, align): &(&str, Align)| ((*name).to_owned(), *align);
        Self {
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    /// For a terminal so many cells wide; cells wrap to fit. `None`: as wide as it needs. Ends with a new line.
    #[must_use]
    pub fn text(&self, width: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().header_separator(rule));
        table.set_content_arrangement(ContentArrangement::Disabled);
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        table.set_header(self.columns.iter().map(|(name, _)| text::shown(name)));
        // A name with a line break would break the row.
        let rows = self.rows.iter();
        table.add_rows(rows.map(|row| row.iter().map(|cell| cell_text(cell)).collect::<Vec<_>>()));
        for (i, (_, align)) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(i) {
                column.set_padding((0, u16::from(i + 1 < self.columns.len())));
                column.set_cell_alignment(match align {
                    Align::Left => CellAlignment::Left,
                    Align::Right => CellAlignment::Right,
                });
            }
        }
        table.trim_fmt() + "\n"
    }

    /// As a Markdown table, with a new line at the end.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let names = self.columns.iter().map(|(name, _)| escape(name));
        let rules = self.columns.iter().map(|(_, align)| match align {
            Align::Left => "---".to_owned(),
            Align::Right => "---:".to_owned(),
        });
        let mut text = line(names.collect()) + &line(rules.collect());
        for row in &self.rows {
            text += &line(row.iter().map(|cell| escape(cell)).collect());
        }
        text
    }
}

/// A cell as it may stand in a row: blanks at its ends are its own, everything else hidden is escaped.
fn cell_text(cell: &str) -> String {
    if cell.chars().any(text::is_hidden) {
        text::shown(cell)
    } else {
        cell.to_owned()
    }
}

/// A cell of Markdown ends at `|` and at a new line.
fn escape(cell: &str) -> String {
    cell_text(cell).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn dishes() -> Grid {
        let mut grid = Grid::new(&[
            ("class", Align::Left),
            ("top-1", Align::Right),
            ("n", Align::Right),
        ]);
        for (class, top1, n) in [
            ("김치찌개", "9.0% [1.0, 20.0]", "7"),
            ("bibimbap", "100.0% [90.1, 100.0]", "12"),
        ] {
            grid.rows.push([class, top1, n].map(str::to_owned).to_vec());
        }
        grid
    }

    #[test]
    fn hangul_is_aligned_by_display_width() {
        assert_eq!(
            dishes().text(None),
            "\
class                    top-1   n
──────────────────────────────────
김치찌개      9.0% [1.0, 20.0]   7
bibimbap  100.0% [90.1, 100.0]  12
"
        );
    }

    #[test]
    fn a_narrow_terminal_wraps_cells_and_is_never_exceeded() {
        for width in [24, 28, 33, 40, 80] {
            let text = dishes().text(Some(width));
            assert!(
                text.lines().all(|line| line.width() <= width.into()),
                "{width}:\n{text}"
            );
        }
    }

    #[test]
    fn a_line_break_in_a_name_breaks_no_row() {
        let mut grid = Grid::new(&[("class", Align::Left), ("n", Align::Right)]);
        grid.rows
            .push(vec!["a\nb\u{1b}[2J".to_owned(), "1".to_owned()]);
        assert_eq!(grid.text(None).lines().count(), 3);
        assert!(grid.text(None).contains("a\\nb\\x1b[2J"));
        assert_eq!(grid.markdown().lines().count(), 3);
    }

    #[test]
    fn markdown_survives_a_bar_in_a_name() {
        let mut grid = Grid::new(&[("class", Align::Left), ("n", Align::Right)]);
        grid.rows.push(vec!["a|b".to_owned(), "1".to_owned()]);
        assert_eq!(
            grid.markdown(),
            "| class | n |\n| --- | ---: |\n| a\\|b | 1 |\n"
        );
    }
}
