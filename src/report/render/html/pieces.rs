//! Blocks as the template and the scripts of a page take them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Pictures, flow,
    links::{self, Places},
    plain,
};
use crate::{
    report::{
        Align, Axis, Block, Column, Curve, Document, Drawing, Grid, Language, Matrix, Multiples,
        Parallel, Photograph, Place, Ranges, Scale, Scatter, Shot, Text, Timeline, Unit,
    },
    text,
};

/// The parts of a text between which a line may end although there is no blank: a name such as `net[lr=0.1,seed=3]` behind its commas
/// and before its bracket.
pub(super) fn breakable(text: &str) -> Vec<&str> {
    let between = |at: &usize| {
        let (before, behind) = (&text[..*at], &text[*at..]);
        let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        // The digits of a number stay together.
        let next = behind.chars().next().filter(|c| !c.is_ascii_digit());
        let comma = before.ends_with(',') && !blank(next);
        let bracket = behind.starts_with('[') && behind.contains('=');
        comma || bracket && !blank(before.chars().next_back())
    };
    let places = text.char_indices().map(|(at, _)| at).filter(between);
    let mut parts = Vec::new();
    let mut from = 0;
    for at in places {
        parts.push(&text[from..at]);
        from = at;
    }
    parts.push(&text[from..]);
    parts
}

/// A block for the template.
pub(super) enum Piece<'a> {
    Heading {
        id: String,
        level: u8,
        text: &'a Text,
    },
    Paragraph(Vec<links::Piece>),
    Warning(Vec<links::Piece>),
    List(Vec<Vec<links::Piece>>),
    Table {
        number: usize,
        columns: Vec<Head<'a>>,
        rows: Vec<Vec<CellText>>,
        /// Whether its rows are told one below the other where there is little room.
        stacked: bool,
        notes: &'a [Text],
    },
    Chart {
        number: usize,
        kind: &'static str,
        label: String,
    },
    Gallery(Vec<Shown<'a>>),
    /// A drawing, ready to stand in the page.
    Drawing(String),
    Verbatim(&'a str),
    Picture {
        path: &'a str,
        alt: String,
    },
}

/// A line of the page's index.
pub(super) struct Chapter<'a> {
    pub(super) id: String,
    pub(super) text: &'a Text,
}

/// The head of a column.
pub(super) struct Head<'a> {
    pub(super) name: Text,
    pub(super) right: bool,
    pub(super) meaning: Option<&'a str>,
}

pub(super) struct CellText {
    pub(super) text: Text,
    pub(super) class: &'static str,
    /// The name of its column, where rows may be told one below the other and it is not what they stand under.
    pub(super) label: Option<String>,
}

/// A photograph with what is told of it.
pub(super) struct Shown<'a> {
    pub(super) picture: usize,
    pub(super) path: String,
    /// Number and name of another one beside it.
    pub(super) beside: Option<(usize, String)>,
    pub(super) caption: &'a [Text],
    /// The address of a picture of what speaks for the guess.
    pub(super) evidence: Option<String>,
}

/// What a script draws.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Chart<'a> {
    Curve {
        x: AxisOf<'a>,
        y: AxisOf<'a>,
        series: Vec<Line<'a>>,
    },
    Bars {
        title: String,
        bars: &'a [(String, u64)],
    },
    Ranges {
        title: String,
        /// Name, value, low, high, images.
        ranges: Vec<(&'a str, f64, f64, f64, u64)>,
    },
    Matrix {
        classes: &'a [String],
        order: &'a [usize],
        runs: usize,
        cells: Vec<CellOf>,
    },
    Scatter {
        x: AxisOf<'a>,
        y: AxisOf<'a>,
        points: &'a [(String, f64, f64)],
    },
    Parallel {
        /// Name, unit and words of each.
        axes: Vec<(&'a str, &'static str, &'a [String])>,
        lines: &'a [(String, Vec<f64>)],
    },
    Multiples {
        panels: Vec<(&'a str, Chart<'a>)>,
    },
    Timeline {
        spans: &'a [(String, f64, f64)],
    },
}

/// Label, predicted, count, photographs that there are, and those that are shown: number, name and caption of each.
type CellOf = (usize, usize, u64, usize, Vec<(usize, String, Vec<String>)>);

#[derive(Serialize)]
pub(super) struct AxisOf<'a> {
    name: &'a str,
    unit: &'static str,
    logarithmic: bool,
}

#[derive(Serialize)]
pub(super) struct Line<'a> {
    name: &'a str,
    points: &'a [(f64, f64)],
}

/// The chapters of a document, in its order.
pub(super) fn chapters(blocks: &[Block]) -> Vec<Chapter<'_>> {
    let headings = blocks.iter().enumerate();
    let chapter = |(i, block): (usize, &'_ Block)| match block {
        Block::Heading { level: 2, .. } => Some(i),
        _ => None,
    };
    let places: Vec<usize> = headings.filter_map(chapter).collect();
    let named = |i: usize| match &blocks[i] {
        Block::Heading { text, .. } => Some(Chapter { id: id(i), text }),
        _ => None,
    };
    places.into_iter().filter_map(named).collect()
}

fn id(place: usize) -> String {
    format!("s{place}")
}

/// Blocks as pieces; what is drawn is added to `charts`.
pub(super) fn of<'a>(
    blocks: &'a [Block],
    language: Language,
    places: &BTreeMap<&Photograph, usize>,
    pictures: &Pictures,
    charts: &mut Vec<Chart<'a>>,
) -> Vec<Piece<'a>> {
    let mut tables = 0;
    let links = Places::of(blocks, id);
    let piece = |(i, block): (usize, &'a Block)| match block {
        Block::Heading { level, text } => Piece::Heading {
            id: id(i),
            level: *level,
            text,
        },
        Block::Paragraph(text) => Piece::Paragraph(links.linked(text)),
        Block::Warning(text) => Piece::Warning(links.linked(text)),
        Block::List(items) => Piece::List(items.iter().map(|item| links.linked(item)).collect()),
        Block::Table { grid, notes } => {
            tables += 1;
            table(tables, grid, notes)
        }
        Block::Gallery(shots) => {
            let with_evidence = |shot: &'a Shot| Shown {
                evidence: pictures.evidence_of(shot),
                ..shown(shot, places)
            };
            Piece::Gallery(shots.iter().map(with_evidence).collect())
        }
        Block::Picture { path, alt } => Piece::Picture {
            path,
            alt: plain(alt),
        },
        Block::Curve(curve) => drawn(charts, "curve", block, curve_of(curve)),
        Block::Bars { title, bars } => {
            let title = plain(title);
            drawn(charts, "bars", block, Chart::Bars { title, bars })
        }
        Block::Drawn(Drawing::Ranges(ranges)) => drawn(charts, "ranges", block, ranges_of(ranges)),
        Block::Drawn(Drawing::Matrix(matrix)) => {
            drawn(charts, "matrix", block, matrix_of(matrix, places))
        }
        Block::Drawn(Drawing::Scatter(scatter)) => {
            drawn(charts, "scatter", block, scatter_of(scatter))
        }
        Block::Drawn(Drawing::Parallel(parallel)) => {
            drawn(charts, "parallel", block, parallel_of(parallel))
        }
        Block::Drawn(Drawing::Multiples(multiples)) => {
            let panels = multiples.panels.iter();
            let panels = panels.map(|(name, curve)| (name.as_str(), curve_of(curve)));
            let panels = panels.collect();
            drawn(charts, "multiples", block, Chart::Multiples { panels })
        }
        Block::Drawn(Drawing::Timeline(Timeline { spans })) => {
            drawn(charts, "timeline", block, Chart::Timeline { spans })
        }
        Block::Drawn(Drawing::Flow(found)) => Piece::Drawing(flow::drawn(found, language)),
        Block::Verbatim(text) => Piece::Verbatim(text),
    };
    let mut pieces: Vec<Piece<'_>> = blocks.iter().enumerate().map(piece).collect();
    for piece in &mut pieces {
        if let Piece::Chart { label, .. } = piece {
            *label = language.said(label);
        }
    }
    pieces
}

fn drawn<'a>(
    charts: &mut Vec<Chart<'a>>,
    kind: &'static str,
    block: &Block,
    chart: Chart<'a>,
) -> Piece<'a> {
    charts.push(chart);
    let number = charts.len() - 1;
    let label = label(block);
    Piece::Chart {
        number,
        kind,
        label,
    }
}

/// What a chart shows, for those who cannot see it.
fn label(block: &Block) -> String {
    match block {
        Block::Drawn(Drawing::Matrix(matrix)) => {
            format!(
                "Confusion matrix of {}",
                text::count(matrix.classes.len(), "class")
            )
        }
        Block::Drawn(Drawing::Ranges(ranges)) => {
            format!("{}, with intervals", plain(&ranges.title))
        }
        Block::Bars { title, .. } => plain(title),
        Block::Drawn(Drawing::Scatter(Scatter { x, y, points })) => format!(
            "{} over {} of {}",
            y.name,
            x.name,
            text::count(points.len(), "point")
        ),
        Block::Drawn(Drawing::Parallel(Parallel { lines, .. })) => {
            let recipes = text::count(lines.len(), "recipe");
            format!("Settings and results of {recipes}, which stand in the table above")
        }
        Block::Drawn(Drawing::Multiples(Multiples { panels })) => {
            let curves = text::count(panels.len(), "training");
            format!("Courses of {curves}, side by side")
        }
        Block::Drawn(Drawing::Timeline(Timeline { spans })) => {
            let stages = text::count(spans.len(), "stage");
            format!("When {stages} ran, which stand in the table above")
        }
        // A curve in words is what a terminal shows of it.
        other => Document::from(other.clone()).markdown().trim().to_owned(),
    }
}

fn table<'a>(number: usize, grid: &'a Grid, notes: &'a [Text]) -> Piece<'a> {
    let right: Vec<bool> = grid
        .columns
        .iter()
        .map(|c| c.align == Align::Right)
        .collect();
    let head = |(column, right): (&'a Column, &bool)| Head {
        name: column.name.as_str().into(),
        right: *right,
        meaning: column.meaning.as_deref(),
    };
    let stacks = |place| matches!(place, Place::Heading | Place::Named);
    let stacked = grid.columns.iter().any(|c| stacks(c.place));
    let cell = |(cell, column): (&String, &'a Column)| CellText {
        text: super::super::cell(cell).into(),
        class: match (column.place, column.align) {
            (Place::Heading, _) => "head",
            (_, Align::Right) => "right",
            (_, Align::Left) => "",
        },
        label: (stacked && column.place != Place::Heading)
            .then(|| plain(&column.name.as_str().into())),
    };
    Piece::Table {
        number,
        columns: grid.columns.iter().zip(&right).map(head).collect(),
        rows: (grid.rows.iter())
            .map(|row| row.iter().zip(&grid.columns).map(cell).collect())
            .collect(),
        stacked,
        notes,
    }
}

fn shown<'a>(shot: &'a Shot, places: &BTreeMap<&Photograph, usize>) -> Shown<'a> {
    let named = |photograph: &Photograph| {
        let place = places.get(photograph).copied().unwrap_or(0);
        (place, text::shown(&photograph.path))
    };
    let (picture, path) = named(&shot.photograph);
    Shown {
        picture,
        path,
        beside: shot.beside.as_ref().map(named),
        caption: &shot.caption,
        evidence: None,
    }
}

fn curve_of(curve: &Curve) -> Chart<'_> {
    Chart::Curve {
        x: axis(&curve.x),
        y: axis(&curve.y),
        series: (curve.series.iter())
            .map(|s| Line {
                name: &s.name,
                points: &s.points,
            })
            .collect(),
    }
}

fn scatter_of(scatter: &Scatter) -> Chart<'_> {
    Chart::Scatter {
        x: axis(&scatter.x),
        y: axis(&scatter.y),
        points: &scatter.points,
    }
}

fn parallel_of(parallel: &Parallel) -> Chart<'_> {
    let axes = parallel.axes.iter();
    Chart::Parallel {
        axes: axes
            .map(|axis| (axis.name.as_str(), unit(axis.unit), axis.words.as_slice()))
            .collect(),
        lines: &parallel.lines,
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Number => "number",
        Unit::Share => "share",
    }
}

fn axis(axis: &Axis) -> AxisOf<'_> {
    AxisOf {
        name: &axis.name,
        unit: unit(axis.unit),
        logarithmic: axis.scale == Scale::Logarithmic,
    }
}

fn ranges_of(ranges: &Ranges) -> Chart<'_> {
    Chart::Ranges {
        title: plain(&ranges.title),
        ranges: (ranges.ranges.iter())
            .map(|r| (r.name.as_str(), r.value, r.low, r.high, r.images))
            .collect(),
    }
}

fn matrix_of<'a>(matrix: &'a Matrix, places: &BTreeMap<&Photograph, usize>) -> Chart<'a> {
    let shot = |shot: &Shot| {
        let told = shown(shot, places);
        let caption = told.caption.iter().map(plain).collect();
        (told.picture, told.path, caption)
    };
    let cell = |c: &crate::report::Cell| {
        let shots = c.shots.iter().map(shot).collect();
        (c.label, c.predicted, c.count, c.images, shots)
    };
    Chart::Matrix {
        classes: &matrix.classes,
        order: &matrix.order,
        runs: matrix.runs,
        cells: matrix.cells.iter().map(cell).collect(),
    }
}
