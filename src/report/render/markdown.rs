//! Markdown (CommonMark, with the tables of GitHub's).

use super::{Format, cell, sparkline::sparkline};
use crate::{
    report::{Align, Block, Curve, Document, Grid, Series, Shot, Span, Text},
    text,
};

pub(super) const FORMAT: Format = Format {
    extension: "md",
    doc: "Markdown",
    pictures: false,
    most: 0,
    write: |document, _| Ok(document.markdown().into_bytes()),
};

impl Document {
    /// As Markdown. Ends with a new line.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut lines = String::new();
        let mut before = None;
        for block in &self.blocks {
            let written = written(block);
            if written.is_empty() {
                continue;
            }
            if before.is_some_and(|before| !one_list(before, block)) {
                lines.push('\n');
            }
            lines += &written;
            before = Some(block);
        }
        // The last door: verbatim text, and names of pictures.
        text::safe_lines(&lines)
    }
}

/// Whether two blocks are items of one list: an empty line between them would set the list wide.
fn one_list(before: &Block, after: &Block) -> bool {
    let listed =
        |block: &Block| matches!(block, Block::List(_) | Block::Curve(_) | Block::Gallery(_));
    listed(before) && listed(after)
}

fn written(block: &Block) -> String {
    match block {
        Block::Heading { level, text } => {
            let level = "#".repeat((*level).into());
            format!("{level} {}\n", inline(text))
        }
        Block::Paragraph(text) => line(text) + "\n",
        Block::Warning(text) => format!("> **Warning:** {}\n", inline(text)),
        Block::List(items) => items
            .iter()
            .map(|item| format!("- {}\n", line(item)))
            .collect(),
        Block::Table { grid, notes } => table(grid) + &notes.iter().map(note).collect::<String>(),
        Block::Curve(Curve { series, .. }) => series.iter().map(item).collect(),
        Block::Bars { title, bars } => {
            let mut grid = Grid::new(&[("step", Align::Left), ("number", Align::Right)]);
            let row = |(step, n): &(String, u64)| vec![step.clone(), text::number(*n)];
            grid.rows = bars.iter().map(row).collect();
            format!("{}:\n\n{}", line(title), table(&grid))
        }
        Block::Gallery(shots) => shots.iter().map(shot).collect(),
        // Told as text beside it.
        Block::Drawn(_) => String::new(),
        Block::Verbatim(text) => fenced(text),
        Block::Picture { path, alt } => format!("![{}](<{path}>)\n", inline(alt)),
    }
}

/// Between fences that are longer than any in the text.
fn fenced(text: &str) -> String {
    let ticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(ticks.max(2) + 1);
    format!("{fence}\n{}\n{fence}\n", text.trim_end())
}

fn shot(shot: &Shot) -> String {
    let lines: Vec<_> = shot.caption.iter().map(inline).collect();
    let names: Vec<_> = shot.names().map(|name| code(&name)).collect();
    format!("- {}: {}\n", names.join(" and "), lines.join(", "))
}

fn note(note: &Text) -> String {
    format!("\n{}\n", line(note))
}

fn item(series: &Series) -> String {
    let values: Vec<f64> = series.points.iter().map(|(_, y)| *y).collect();
    let (name, words) = (&series.name, &series.in_words);
    let (name, words) = (plain(name), plain(words));
    format!("- {name}: `{}` {words}\n", sparkline(&values))
}

fn table(grid: &Grid) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let names = grid.columns.iter().map(|column| escaped(&column.name));
    let rules = grid.columns.iter().map(|column| match column.align {
        Align::Left => "---".to_owned(),
        Align::Right => "---:".to_owned(),
    });
    let mut text = line(names.collect()) + &line(rules.collect());
    for row in &grid.rows {
        text += &line(row.iter().map(|cell| escaped(cell)).collect());
    }
    text
}

/// A cell of Markdown ends at `|` and at a new line.
fn escaped(text: &str) -> String {
    inline(&Text::from(cell(text))).replace('|', "\\|")
}

/// What stands at the start of a line: as [`inline`], and no heading, quotation or list.
fn line(text: &Text) -> String {
    begun(&inline(text))
}

/// A text in which names of classes and files mean nothing but themselves: no element of HTML, no link, no emphasis.
fn inline(text: &Text) -> String {
    let span = |span: &Span| match span {
        Span::Plain(words) => plain(words),
        Span::Code(literal) => code(literal),
    };
    text.spans.iter().map(span).collect()
}

/// Between backticks, more of them than the text has in a row.
fn code(literal: &str) -> String {
    if !literal.contains('`') {
        return format!("`{literal}`");
    }
    let most = literal.split(|c| c != '`').map(str::len).max();
    let ticks = "`".repeat(most.unwrap_or(0) + 1);
    format!("{ticks} {literal} {ticks}")
}

/// Words with a backslash before each character that would begin something else: <https://spec.commonmark.org/0.31.2/#inlines>.
fn plain(words: &str) -> String {
    let mut written = String::with_capacity(words.len());
    let mut before = None;
    let mut rest = words.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied();
        let is = |c: Option<char>, of: fn(char) -> bool| c.is_some_and(of);
        let begins = match c {
            '`' | '*' => true,
            '\\' => is(after, |c| c.is_ascii_punctuation()),
            '<' => is(after, |c| c.is_ascii_alphabetic() || "/!?".contains(c)),
            '&' => is(after, |c| c.is_ascii_alphanumeric() || c == '#'),
            ']' => is(after, |c| "([".contains(c)),
            '~' => after == Some('~') || before == Some('~'),
            // Within a word it is none.
            '_' => !(is(before, char::is_alphanumeric) && is(after, char::is_alphanumeric)),
            _ => false,
        };
        if begins {
            written.push('\\');
        }
        written.push(c);
        before = Some(c);
    }
    written
}

/// Words at the start of a line, which begin no heading, no quotation and no list.
fn begun(words: &str) -> String {
    let digits = words.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = words.len() - digits.len();
    let mut next = digits.chars();
    let begins = match next.next() {
        Some('>') => number == 0,
        Some(c @ ('#' | '+' | '-')) => {
            number == 0 && next.next().is_none_or(|after| after == ' ' || after == c)
        }
        Some('.' | ')') => number > 0 && next.next() == Some(' '),
        _ => false,
    };
    match begins {
        true => format!("{}\\{digits}", &words[..number]),
        false => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Axis, Unit};

    fn of(class: &str) -> Document {
        let mut grid = Grid::new(&[("class", Align::Left), ("n", Align::Right)]);
        grid.rows.push(vec![class.to_owned(), "1".to_owned()]);
        Block::table(grid).into()
    }

    #[test]
    fn a_table_survives_a_bar_and_a_line_break_in_a_name() {
        assert_eq!(
            of("a|b").markdown(),
            "| class | n |\n| --- | ---: |\n| a\\|b | 1 |\n"
        );
        assert_eq!(of("a\nb\u{1b}[2J").markdown().lines().count(), 3);
    }

    #[test]
    fn names_mean_nothing_but_themselves() {
        let written = |text: &str| Document::from(Block::paragraph(text)).markdown();
        for (name, expected) in [
            (
                "<img src=x onerror=alert(1)>",
                "\\<img src=x onerror=alert(1)>\n",
            ),
            ("[click](http:evil)", "[click\\](http:evil)\n"),
            (
                "a *b* _c_ d_e ~~f~~",
                "a \\*b\\* \\_c\\_ d_e \\~\\~f\\~\\~\n",
            ),
            ("&lt; \\* R&D", "\\&lt; \\\\\\* R\\&D\n"),
            ("# 1", "\\# 1\n"),
            ("12. x", "12\\. x\n"),
            ("-5.0 points", "-5.0 points\n"),
            (
                "68.4% [46.0, 84.6], p < 0.05",
                "68.4% [46.0, 84.6], p < 0.05\n",
            ),
            ("`<b>` of `x_`", "`<b>` of `x_`\n"),
        ] {
            assert_eq!(written(name), expected);
        }
        assert_eq!(
            of("<b>|`c`").markdown().lines().last(),
            Some("| \\<b>\\|`c` | 1 |")
        );
        assert!(of("-").markdown().ends_with("| - | 1 |\n"));
        assert_eq!(code("a``b"), "``` a``b ```");
    }

    #[test]
    fn every_block_has_a_form_and_an_empty_line_before_it() {
        let document = Document::new(vec![
            Block::heading(2, "Training `net`"),
            Block::first_of(
                ["2 of 2 epochs.", "more"].map(str::to_owned).into_iter(),
                1,
                "",
            ),
            Block::Curve(Curve {
                x: Axis::linear("epoch", Unit::Number),
                y: Axis::linear("top-1", Unit::Share),
                series: vec![Series {
                    name: "Train top-1".to_owned(),
                    points: vec![(1.0, 0.25), (2.0, 0.5)],
                    in_words: "25.0% to 50.0%".to_owned(),
                }],
            }),
            Block::warning("look at `x`"),
            Block::Bars {
                title: "brightness".into(),
                bars: vec![("0 to 31".to_owned(), 1_200)],
            },
            Block::Picture {
                path: "a b.png".to_owned(),
                alt: "ten dishes".into(),
            },
        ]);
        assert_eq!(
            document.markdown(),
            "\
## Training `net`

- 2 of 2 epochs.
- … and 1 more
- Train top-1: `▁█` 25.0% to 50.0%

> **Warning:** look at `x`

brightness:

| step | number |
| --- | ---: |
| 0 to 31 | 1,200 |

![ten dishes](<a b.png>)
"
        );
    }
}
