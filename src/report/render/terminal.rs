//! For a terminal: columns aligned by display width (Hangul takes two cells).

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};
use unicode_width::UnicodeWidthStr;

use super::{cell, sparkline::sparkline};
use crate::{
    report::{Align, Block, Curve, Document, Grid, Series, Shot, Text},
    text,
};

/// The longest bar.
const BAR: u64 = 40;
/// Below so many columns rows stand one below the other where they do not fit.
const STACKED: u16 = 100;

impl Document {
    /// For a terminal so many cells wide (`None`: as wide as it needs). Ends with a new line.
    #[must_use]
    pub fn terminal(&self, width: Option<u16>) -> String {
        let mut text = String::new();
        for (i, block) in self.blocks.iter().enumerate() {
            if i > 0 && apart(&self.blocks[i - 1], block) {
                text.push('\n');
            }
            text += &lines(block, width);
        }
        text
    }
}

/// Whether an empty line stands between two blocks.
fn apart(before: &Block, after: &Block) -> bool {
    matches!(before, Block::Table { .. } | Block::Heading { .. })
        || matches!(after, Block::Heading { .. })
}

fn lines(block: &Block, width: Option<u16>) -> String {
    match block {
        Block::Heading { text, .. } | Block::Paragraph(text) => {
            words(text.in_backticks(), 0, width)
        }
        Block::Warning(text) => words(format!("warning: {}", text.in_backticks()), 0, width),
        Block::List(items) => items
            .iter()
            .map(|item| words(item.in_backticks(), 2, width))
            .collect(),
        Block::Table { grid, notes } => {
            let notes = notes
                .iter()
                .map(|note| words(note.in_backticks(), 0, width));
            grid.text(width) + &notes.collect::<String>()
        }
        Block::Curve(Curve { series, .. }) => series.iter().map(line).collect(),
        Block::Bars { title, bars } => format!("{}:\n{}", title.in_backticks(), histogram(bars)),
        Block::Gallery(shots) => shots.iter().map(|s| words(shot(s), 2, width)).collect(),
        // Told as text beside it.
        Block::Drawn(_) => String::new(),
        Block::Verbatim(text) => format!("{}\n", text.trim_end()),
        Block::Picture { path, alt } => format!("{path}: {}\n", alt.in_backticks()),
    }
}

fn shot(shot: &Shot) -> String {
    let lines: Vec<_> = shot.caption.iter().map(Text::in_backticks).collect();
    let names: Vec<_> = shot.names().collect();
    format!("{}: {}", names.join(" and "), lines.join(", "))
}

/// Sentences, indented; where a width is known, in lines that end between words.
fn words(text: String, indent: usize, width: Option<u16>) -> String {
    match width {
        Some(width) => text::wrapped(&text, indent, width.into()),
        None => format!("{:indent$}{text}\n", ""),
    }
}

fn line(series: &Series) -> String {
    let values: Vec<f64> = series.points.iter().map(|(_, y)| *y).collect();
    let (name, words) = (&series.name, &series.in_words);
    format!("{name}: {} {words}\n", sparkline(&values))
}

/// Empty steps at both ends are left out.
fn histogram(bars: &[(String, u64)]) -> String {
    let first = bars.iter().position(|(_, n)| *n > 0).unwrap_or(0);
    let last = bars.iter().rposition(|(_, n)| *n > 0).unwrap_or(0);
    let most = bars.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let shown = bars.get(first..=last).unwrap_or_default();
    let width = shown.iter().map(|(step, _)| step.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (step, n) in shown {
        let bar = "█".repeat((BAR * n).div_ceil(most) as usize);
        let line = format!("  {step:>width$}  {bar} {}", text::number(*n));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

impl Grid {
    /// For a terminal so many cells wide, `None`: as wide as it needs. Where it does not fit, the rows stand one below the other
    /// in a narrow terminal, and columns are left out in a wider one; where it has no columns for that, its cells wrap. Ends with a
    /// new line.
    #[must_use]
    pub fn text(&self, width: Option<u16>) -> String {
        let Some(width) = width else {
            return self.table(None);
        };
        let fits = |grid: &Self| grid.table(None).lines().all(|l| l.width() <= width.into());
        if fits(self) {
            return self.table(None);
        }
        if width < STACKED
            && let Some(heading) = self.heading()
        {
            return self.stacked(heading, width.into());
        }
        let mut narrow = self.clone();
        let mut left_out = Vec::new();
        while !fits(&narrow)
            && let Some(column) = narrow.last_extra()
        {
            left_out.insert(0, narrow.columns.remove(column).name);
            for row in &mut narrow.rows {
                row.remove(column);
            }
        }
        if !fits(&narrow) {
            narrow.shorten_names(usize::from(width) * 2 / 5);
        }
        let mut text = narrow.table(Some(width));
        if !left_out.is_empty() {
            let told = format!("Left out for want of room: {}.", left_out.join(", "));
            text += &words(told, 0, Some(width));
        }
        text
    }

    fn table(&self, width: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table.load_style(TableStyle::new().header_separator(rule));
        table.set_content_arrangement(ContentArrangement::Disabled);
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        table.set_header(self.columns.iter().map(|column| text::shown(&column.name)));
        // A name with a line break would break the row.
        let row = |row: &Vec<String>| row.iter().map(|text| cell(text)).collect::<Vec<_>>();
        table.add_rows(self.rows.iter().map(row));
        for (i, of) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(i) {
                column.set_padding((0, u16::from(i + 1 < self.columns.len())));
                column.set_cell_alignment(match of.align {
                    Align::Left => CellAlignment::Left,
                    Align::Right => CellAlignment::Right,
                });
            }
        }
        table.trim_fmt() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Axis, Column, Unit};

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

    /// Four recipes with long names and many figures.
    fn results() -> Grid {
        let figures = ["model", "train top-1", "validation top-1", "test top-1"];
        let columns = [Column::left("evaluation").heading()].into_iter();
        let columns = columns.chain(figures.map(Column::right));
        let mut grid = Grid::of(columns.chain([Column::right("loss").extra()]));
        for lr in ["0.1", "0.01"] {
            let name = format!("deeper_with_all[optimizer.adam.lr={lr},김치찌개=있음]");
            let figures = [
                "resnet18",
                "98.0% [93.0, 99.4]",
                "-",
                "60.0% [44.6, 73.7]",
                "1.050",
            ];
            let row = [name].into_iter().chain(figures.map(str::to_owned));
            grid.rows.push(row.collect());
        }
        grid
    }

    #[test]
    fn rows_that_do_not_fit_a_narrow_terminal_stand_one_below_the_other() {
        assert_eq!(
            results().text(Some(48)),
            "\
deeper_with_all[…izer.adam.lr=0.1,김치찌개=있음]
  model             resnet18
  train top-1       98.0% [93.0, 99.4]
  test top-1        60.0% [44.6, 73.7]
  loss              1.050
deeper_with_all[…zer.adam.lr=0.01,김치찌개=있음]
  model             resnet18
  train top-1       98.0% [93.0, 99.4]
  test top-1        60.0% [44.6, 73.7]
  loss              1.050
"
        );
    }

    #[test]
    fn a_wider_terminal_leaves_columns_out_and_says_which() {
        let whole = results().text(None);
        let width = whole.lines().map(UnicodeWidthStr::width).max().unwrap();
        assert_eq!(results().text(Some(width as u16)), whole);
        let narrower = results().text(Some(width as u16 - 1));
        assert!(!narrower.contains("1.050"), "{narrower}");
        assert!(
            narrower.ends_with("Left out for want of room: loss.\n"),
            "{narrower}"
        );
        assert!(
            narrower.lines().all(|line| line.width() < width),
            "{narrower}"
        );
    }

    #[test]
    fn sentences_end_their_lines_between_words() {
        let sentence = "Differences are in percentage points on the same images; the interval is one over images and runs.";
        let document = Document::new(vec![
            Block::paragraph(sentence),
            Block::list([sentence, "김치찌개 taken for 된장찌개: 3 of 84"]),
        ]);
        let text = document.terminal(Some(40));
        assert!(text.lines().all(|line| line.width() <= 40), "{text}");
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(&document.terminal(None)));
    }

    #[test]
    fn a_line_break_in_a_name_breaks_no_row() {
        let mut grid = Grid::new(&[("class", Align::Left), ("n", Align::Right)]);
        grid.rows
            .push(vec!["a\nb\u{1b}[2J".to_owned(), "1".to_owned()]);
        assert_eq!(grid.text(None).lines().count(), 3);
        assert!(grid.text(None).contains("a\\nb\\x1b[2J"));
    }

    #[test]
    fn a_document_is_lines_that_follow_each_other_with_room_around_tables_and_headings() {
        let document = Document::new(vec![
            Block::paragraph("pixels: 2 images"),
            Block::table(dishes()),
            Block::paragraph("formats: JPEG 2"),
            Block::Bars {
                title: "shorter side in pixels".into(),
                bars: [("64 to 95", 0), ("96 to 127", 1_000), ("128 to 191", 2_000)]
                    .map(|(step, n)| (step.to_owned(), n))
                    .to_vec(),
            },
            Block::warning("`x` is empty"),
            Block::list(["one", "two"]),
            Block::heading(2, "Course"),
            Block::Curve(Curve {
                x: Axis::linear("epoch", Unit::Number),
                y: Axis::linear("top-1", Unit::Share),
                series: vec![Series {
                    name: "Train top-1".to_owned(),
                    points: vec![(1.0, 0.25), (2.0, 0.5)],
                    in_words: "25.0% to 50.0%".to_owned(),
                }],
            }),
            Block::Picture {
                path: "sheet.png".to_owned(),
                alt: "ten dishes".into(),
            },
        ]);
        assert_eq!(
            document.terminal(None),
            "\
pixels: 2 images
class                    top-1   n
──────────────────────────────────
김치찌개      9.0% [1.0, 20.0]   7
bibimbap  100.0% [90.1, 100.0]  12

formats: JPEG 2
shorter side in pixels:
   96 to 127  ████████████████████ 1,000
  128 to 191  ████████████████████████████████████████ 2,000
warning: `x` is empty
  one
  two

Course

Train top-1: ▁█ 25.0% to 50.0%
sheet.png: ten dishes
"
        );
    }
}
