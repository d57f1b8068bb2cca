//! Drawings of the graph, for terminals, Graphviz and Markdown.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::Graph;
use crate::stage::Stage;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for each stage: its name, kind, label and what it reads.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid, as Markdown renderers draw it.
    Mermaid,
}

/// Draws all stages in order. `label` may add a word about a stage, such as its status.
#[must_use]
pub fn draw(
    stages: &[Box<dyn Stage>],
    graph: &Graph,
    format: Format,
    label: &dyn Fn(&str) -> Option<String>,
) -> String {
    match format {
        Format::Text => text(stages, graph, label),
        Format::Dot => dot(stages, graph, label),
        Format::Mermaid => mermaid(stages, graph, label),
    }
}

fn text(
    stages: &[Box<dyn Stage>],
    graph: &Graph,
    label: &dyn Fn(&str) -> Option<String>,
) -> String {
    let rows: Vec<[String; 4]> = graph
        .order()
        .iter()
        .map(|&i| {
            let above: Vec<_> = graph.upstream(i).iter().map(|&u| stages[u].id()).collect();
            let reads = match above.as_slice() {
                [] => String::new(),
                ids => format!("<- {}", ids.join(", ")),
            };
            let id = stages[i].id().to_owned();
            let word = label(&id).unwrap_or_default();
            [id, stages[i].kind().to_owned(), word, reads]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|r| r[column].width()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(widths).filter(|(_, wide)| *wide > 0) {
            line.push_str(cell);
            line.push_str(&" ".repeat(wide - cell.width() + 2));
        }
        line.push_str(&row[3]);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn dot(stages: &[Box<dyn Stage>], graph: &Graph, label: &dyn Fn(&str) -> Option<String>) -> String {
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = String::from("digraph pipeline {\n  rankdir = LR;\n  node [shape = box];\n");
    for &i in graph.order() {
        let mut words = vec![quote(stages[i].id()), quote(stages[i].kind())];
        words.extend(label(stages[i].id()).map(|l| quote(&l)));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  n{i} [label = \"{}\"];", words.join("\\n"));
    }
    for &i in graph.order() {
        for above in graph.upstream(i) {
            let _ = writeln!(out, "  n{above} -> n{i};");
        }
    }
    out.push_str("}\n");
    out
}

fn mermaid(
    stages: &[Box<dyn Stage>],
    graph: &Graph,
    label: &dyn Fn(&str) -> Option<String>,
) -> String {
    let quote = |text: &str| {
        text.replace('"', "#quot;")
            .replace('<', "#lt;")
            .replace('>', "#gt;")
    };
    let mut out = String::from("flowchart LR\n");
    for &i in graph.order() {
        let mut words = vec![quote(stages[i].id()), quote(stages[i].kind())];
        words.extend(label(stages[i].id()).map(|l| quote(&l)));
        let _ = writeln!(out, "  n{i}[\"{}\"]", words.join("<br/>"));
    }
    for &i in graph.order() {
        for above in graph.upstream(i) {
            let _ = writeln!(out, "  n{above} --> n{i}");
        }
    }
    out
}
