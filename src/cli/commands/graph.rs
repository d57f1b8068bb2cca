//! `kfood graph`: the stages and what they need.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{
    cli::{open, print},
    error::Result,
    plan::{self, Format},
};

/// Draw the stages and what they need.
#[derive(Debug, Args)]
pub(in crate::cli) struct Graph {
    /// The pipeline file.
    pub file: PathBuf,
    /// How to draw it.
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub format: GraphFormat,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Ways to draw a graph.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum GraphFormat {
    /// For a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown that draws Mermaid.
    Mermaid,
}

pub(in crate::cli) fn graph(args: &Graph) -> Result<u8> {
    let opened = open::open(&args.file)?;
    let graph = plan::Graph::new(&opened.stages)?;
    if args.json {
        let name = |index: &usize| opened.stages[*index].id();
        let stages: Vec<_> = graph
            .order()
            .iter()
            .map(|index| {
                let reads: Vec<_> = graph.upstream(*index).iter().map(name).collect();
                json!({ "id": name(index), "kind": opened.stages[*index].kind(), "reads": reads })
            })
            .collect();
        print::json(&json!({ "stages": stages }))?;
        return Ok(0);
    }
    let drawn = |format| plan::draw(&opened.stages, &graph, format, &|_| None);
    match args.format {
        GraphFormat::Text => print::told(&drawn(Format::Text))?,
        // Other programs read these.
        GraphFormat::Dot => print::out(&drawn(Format::Dot))?,
        GraphFormat::Mermaid => print::out(&drawn(Format::Mermaid))?,
    }
    Ok(0)
}
