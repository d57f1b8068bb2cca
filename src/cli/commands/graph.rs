//! `kfood graph`: the stages and what they need.

use serde_json::json;

use crate::{
    cli::{
        args::{Graph as Args, GraphFormat},
        open, print,
    },
    error::Result,
    plan::{self, Format, Graph},
};

pub(in crate::cli) fn graph(args: &Args) -> Result<u8> {
    let opened = open::open(&args.file)?;
    let graph = Graph::new(&opened.stages)?;
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
    let format = match args.format {
        GraphFormat::Text => Format::Text,
        GraphFormat::Dot => Format::Dot,
        GraphFormat::Mermaid => Format::Mermaid,
    };
    print::out(&plan::draw(&opened.stages, &graph, format, &|_| None))?;
    Ok(0)
}
