//! Blocks as the template and the scripts of a page take them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plain;
use crate::{
    report::{
        Align, Axis, Block, Curve, Document, Grid, Matrix, Photograph, Ranges, Scale, Shot, Text,
        Unit,
    },
    text,
};

/// A block for the template.
pub(super) enum Piece<'a> {
    Heading {
        id: String,
        level: u8,
        text: &'a Text,
    },
    Paragraph(&'a Text),
    Warning(&'a Text),
    List(&'a [Text]),
    Table {
        number: usize,
        columns: Vec<Head>,
        rows: Vec<Vec<CellText>>,
        notes: &'a [Text],
    },
    Chart {
        number: usize,
        kind: &'static str,
        label: String,
    },
    Gallery(Vec<Shown<'a>>),
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
pub(super) struct Head {
    pub(super) name: Text,
    pub(super) right: bool,
    pub(super) meaning: Option<&'static str>,
}

pub(super) struct CellText {
    pub(super) text: Text,
    pub(super) right: bool,
}

/// A photograph with what is told of it.
pub(super) struct Shown<'a> {
    pub(super) picture: usize,
    pub(super) path: String,
    pub(super) caption: &'a [Text],
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
        bars: &'a [(String, u64)],
    },
    Ranges {
        title: String,
        /// Name, value, low, high, images.
        ranges: Vec<(&'a str, f64, f64, f64, u64)>,
    },
    Matrix {
        classes: &'a [String],
        cells: Vec<CellOf>,
    },
}

/// Label, predicted, count and photographs: number, name and caption of each.
type CellOf = (usize, usize, u64, Vec<(usize, String, Vec<String>)>);

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
    places: &BTreeMap<&Photograph, usize>,
    charts: &mut Vec<Chart<'a>>,
) -> Vec<Piece<'a>> {
    let mut tables = 0;
    let piece = |(i, block): (usize, &'a Block)| match block {
        Block::Heading { level, text } => Piece::Heading {
            id: id(i),
            level: *level,
            text,
        },
        Block::Paragraph(text) => Piece::Paragraph(text),
        Block::Warning(text) => Piece::Warning(text),
        Block::List(items) => Piece::List(items),
        Block::Table { grid, notes } => {
            tables += 1;
            table(tables, grid, notes)
        }
        Block::Gallery(shots) => Piece::Gallery(shots.iter().map(|s| shown(s, places)).collect()),
        Block::Picture { path, alt } => Piece::Picture {
            path,
            alt: plain(alt),
        },
        Block::Curve(curve) => drawn(charts, "curve", block, curve_of(curve)),
        Block::Bars { bars, .. } => drawn(charts, "bars", block, Chart::Bars { bars }),
        Block::Ranges(ranges) => drawn(charts, "ranges", block, ranges_of(ranges)),
        Block::Matrix(matrix) => drawn(charts, "matrix", block, matrix_of(matrix, places)),
    };
    blocks.iter().enumerate().map(piece).collect()
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
        Block::Matrix(matrix) => {
            format!(
                "Confusion matrix of {}",
                text::count(matrix.classes.len(), "class")
            )
        }
        Block::Ranges(ranges) => format!("{}, with intervals", plain(&ranges.title)),
        Block::Bars { title, .. } => plain(title),
        // A curve in words is what a terminal shows of it.
        other => Document::from(other.clone()).markdown().trim().to_owned(),
    }
}

fn table<'a>(number: usize, grid: &Grid, notes: &'a [Text]) -> Piece<'a> {
    let right: Vec<bool> = grid
        .columns
        .iter()
        .map(|c| c.align == Align::Right)
        .collect();
    let head = |(column, right): (&crate::report::Column, &bool)| Head {
        name: column.name.as_str().into(),
        right: *right,
        meaning: column.meaning,
    };
    let cell = |(cell, right): (&String, &bool)| CellText {
        text: super::super::cell(cell).into(),
        right: *right,
    };
    Piece::Table {
        number,
        columns: grid.columns.iter().zip(&right).map(head).collect(),
        rows: (grid.rows.iter())
            .map(|row| row.iter().zip(&right).map(cell).collect())
            .collect(),
        notes,
    }
}

fn shown<'a>(shot: &'a Shot, places: &BTreeMap<&Photograph, usize>) -> Shown<'a> {
    Shown {
        picture: places.get(&shot.photograph).copied().unwrap_or(0),
        path: text::shown(&shot.photograph.path),
        caption: &shot.caption,
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

fn axis(axis: &Axis) -> AxisOf<'_> {
    AxisOf {
        name: &axis.name,
        unit: match axis.unit {
            Unit::Number => "number",
            Unit::Share => "share",
        },
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
    Chart::Matrix {
        classes: &matrix.classes,
        cells: (matrix.cells.iter())
            .map(|c| {
                (
                    c.label,
                    c.predicted,
                    c.count,
                    c.shots.iter().map(shot).collect(),
                )
            })
            .collect(),
    }
}
