//! `kfood show`: what a stage left, by name.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use crate::{
    cache::{Output, Record},
    cli::{
        open::{self, Opened},
        print,
        progress::Progress,
        results,
    },
    error::{Error, Result},
    name,
    report::{Align, Grid, bytes},
    text::shown,
};

/// Show what a stage left: its outputs with their sizes and places, or one of them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// A stage of a pipeline, or one instance of it: pipelines/mission2.toml:test_result.
    #[arg(value_name = "FILE:STAGE")]
    pub stage: String,
    /// The output to print, such as metrics.json; what is no text goes to a file or another program, not to a terminal.
    pub output: Option<String>,
    /// Print what is no text to a terminal too.
    #[arg(long, requires = "output")]
    pub raw: bool,
    /// The list as JSON on stdout.
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
}

pub(in crate::cli) fn show(args: &Show) -> Result<u8> {
    let (opened, index) = open::one_stage(&args.stage)?;
    let id = opened.stages[index].id();
    let summary = open::finished(&opened, &[id.to_owned()], &Progress::new())?;
    let record = summary.record(id).ok_or_else(|| {
        let message = format!("stage `{}` has no finished result", shown(id));
        Error::failed(message).help("`kfood run` makes it")
    })?;
    let outputs = outputs(&opened, index, record);
    match &args.output {
        Some(wanted) => {
            let found = outputs.iter().find(|(name, ..)| *name == wanted);
            let (_, output, path) = found.ok_or_else(|| {
                let names = name::one_of(outputs.iter().map(|(name, ..)| *name));
                let message = format!("stage `{}` has no output `{}`", shown(id), shown(wanted));
                Error::usage(message).help(format!("name {names}"))
            })?;
            print_output(args, path, output)?;
        }
        None => list(args, id, &outputs)?,
    }
    Ok(0)
}

/// An output by name, with what is known of it and where it lies.
type Named<'a> = (&'a str, &'a Output, PathBuf);

/// In the order in which the stage names them.
fn outputs<'a>(opened: &'a Opened, index: usize, record: &'a Record) -> Vec<Named<'a>> {
    let names = opened.stages[index].outputs().iter();
    let found = names.filter_map(|name| Some((*name, record.outputs.get(*name)?)));
    let place = |name| opened.cache.output(record, name);
    found
        .map(|(name, output)| (name, output, place(name)))
        .collect()
}

fn list(args: &Show, id: &str, outputs: &[Named<'_>]) -> Result<()> {
    if args.json {
        let row = |(name, output, path): &Named<'_>| json!({ "name": name, "bytes": output.bytes, "digest": output.digest, "path": path });
        let rows: Vec<_> = outputs.iter().map(row).collect();
        return print::json(&json!({ "id": id, "outputs": rows }));
    }
    let mut grid = Grid::new(&[("output", Align::Left), ("size", Align::Right)]);
    for (name, output, _) in outputs {
        let cells = vec![(*name).to_owned(), bytes(output.bytes)];
        grid.rows.push(cells);
    }
    // Bytes that another output or another stage has too lie there.
    let here = |(name, _, path): &&Named<'_>| path.ends_with(name);
    let own = outputs
        .iter()
        .find(here)
        .and_then(|(.., path)| path.parent());
    let mut text = grid.text(print::width());
    if let Some(folder) = own {
        text += &format!("in {}\n", results::shown(folder));
    }
    for (name, _, path) in outputs {
        if path.parent() != own || !path.ends_with(name) {
            text += &format!("{name} is {}\n", results::shown(path));
        }
    }
    print::told(&text)
}

/// A text safely to a terminal, the bytes as they are to everything else.
fn print_output(args: &Show, path: &Path, output: &Output) -> Result<()> {
    let failed = |e| Error::io("read", path, e);
    let mut file = File::open(path).map_err(failed)?;
    if args.raw || !io::stdout().is_terminal() {
        let mut stdout = io::stdout().lock();
        let written = io::copy(&mut file, &mut stdout).and_then(|_| stdout.flush());
        return match written {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::failed("cannot write to standard output").because(e))
            }
            _ => Ok(()),
        };
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(failed)?;
    let text = String::from_utf8(content).ok();
    let text = text.filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| {
        let message = format!(
            "`{}` is no text, and has {}",
            shown(args.output.as_deref().unwrap_or_default()),
            bytes(output.bytes)
        );
        Error::usage(message).help(format!(
            "write it to a file with `>`, or use the file itself: {}",
            results::shown(path)
        ))
    })?;
    print::out(&text)
}
