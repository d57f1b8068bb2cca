//! `kfood compare`: evaluations of several pipelines in one table, and image by image.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        behind::settings_behind,
        documents,
        earlier::{self, Form, Side},
        language::{self, Lang},
        open::{self, Opened},
        print,
        progress::Progress,
        results,
    },
    error::{Error, Result},
    exec::Newest,
    record::Part,
    report::{self, Block, Document, Evaluated, Evidence, Format, Results},
    text::{count, shown_path},
};

/// Put the evaluations of several pipelines into one table and compare them image by image.
#[derive(Debug, Args)]
pub(in crate::cli) struct Compare {
    /// Pipeline files with finished results. Of two, either may be a lock file, or a run of before as `FILE.toml@RUN`, by its name in
    /// `kfood runs`.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Where to write it: `compare.html` is one page with the settings that differ and the photographs that changed sides,
    /// `compare.zip` the same with more of them, `compare.md` Markdown; stdout without.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["markdown", "json"])]
    pub output: Option<PathBuf>,
    /// In which language; by `LC_ALL`, `LC_MESSAGES` or `LANG` where it is a page and not given.
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Markdown instead of a terminal table.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// One of the files with its results.
struct Sided {
    /// What stands in front of its names: `mission1.` among several files, nothing for one.
    prefix: String,
    opened: Opened,
    newest: Newest,
}

pub(in crate::cli) fn compare(args: &Compare) -> Result<u8> {
    // Before there is work.
    args.output.as_deref().map(Format::of).transpose()?;
    if args.files.iter().any(|file| earlier::is_earlier(file)) {
        return with_earlier(args).map(|()| 0);
    }
    let mut all = Results::default();
    let mut sides = Vec::new();
    for (file, prefix) in args.files.iter().zip(prefixes(&args.files)?) {
        let side = side(file, prefix)?;
        all.evaluations.extend(evaluations(&side));
        sides.push(side);
    }
    // Of several files, what changed from one to another is asked for.
    let of = |name: &str| sides.iter().position(|side| name.starts_with(&side.prefix));
    let changes = report::changes(&all, |a, b| sides.len() == 1 || of(a) != of(b));
    let table = report::table(&all);
    if args.json {
        let on = |part| report::compare(&all, part, |_, _| true);
        return print::json(&json!({
            "results": table,
            "validation_comparisons": on(Part::Validation)?,
            "comparisons": on(Part::Test)?,
            "changes": changes,
        }))
        .map(|()| 0);
    }
    all.judged = results::judged_in(sides.iter().map(|side| &side.opened.cache));
    let mut document = Document::from(table.block());
    let compared = report::compared(&all, |_, _| true)?;
    if args.output.is_some() && !compared.is_empty() {
        document.blocks.push(Block::heading(2, "Comparisons"));
    }
    document.blocks.extend(compared);
    document
        .blocks
        .extend(report::on_other_images(&all).map(Block::paragraph));
    if let Some(path) = &args.output {
        let names: Vec<_> = args.files.iter().map(shown_path).collect();
        let title = format!("Comparison: {}", names.join(", "));
        document.blocks.insert(0, Block::heading(1, title));
        document.blocks.insert(1, Block::heading(2, "Results"));
        let pictures = Format::of(path)?.pictures;
        document
            .blocks
            .extend(report::change_blocks(&changes, pictures));
        let sources: Vec<_> = sides
            .iter()
            .map(|side| (side.prefix.as_str(), &side.opened, &side.newest.summary))
            .collect();
        let document = document.in_language(language::of(args.lang, pictures));
        return documents::write(path, &document, &sources, Evidence::new()).map(|()| 0);
    }
    let document = document.in_language(language::of(args.lang, false));
    match args.markdown {
        true => print::out(&document.markdown())?,
        false => print::told(&document.terminal(print::width()))?,
    }
    Ok(0)
}

/// Two of which one is a run of before or a lock file.
fn with_earlier(args: &Compare) -> Result<()> {
    let [a, b] = args.files.as_slice() else {
        let given = count(args.files.len(), "name");
        let message =
            format!("a lock file or a run is compared with one other, and {given} are given");
        return Err(
            Error::usage(message).help("name two: files, lock files, or runs as `FILE.toml@RUN`")
        );
    };
    let form = Form {
        json: args.json,
        markdown: args.markdown,
        output: args.output.as_deref(),
        lang: args.lang,
    };
    let (a, b) = Side::both(a, b)?;
    earlier::compare(&a, &b, &form)
}

/// What stands in front of the names of each file: nothing for one; of several its own name, as short as tells them apart: `mission1.`,
/// else `mission1.toml.`, else with its folders, `korean/mission1.toml.`.
fn prefixes(files: &[PathBuf]) -> Result<Vec<String>> {
    if files.len() == 1 {
        return Ok(vec![String::new()]);
    }
    for (i, file) in files.iter().enumerate() {
        let real = |path: &PathBuf| fs::canonicalize(path).ok();
        if files[..i]
            .iter()
            .any(|other| real(other).is_some() && real(other) == real(file))
        {
            let message = format!("`{}` is named twice", shown_path(file));
            return Err(Error::usage(message).help("name it once, or its runs as `FILE.toml@RUN`"));
        }
    }
    let ends = |parts: usize| -> Vec<String> {
        let end = |file: &PathBuf| {
            let all: Vec<_> = file
                .components()
                .map(|c| c.as_os_str().to_string_lossy())
                .collect();
            format!("{}.", all[all.len().saturating_sub(parts)..].join("/"))
        };
        files.iter().map(end).collect()
    };
    let stem = |file: &PathBuf| {
        format!(
            "{}.",
            file.file_stem().unwrap_or_default().to_string_lossy()
        )
    };
    let most = files
        .iter()
        .map(|file| file.components().count())
        .max()
        .unwrap_or(1);
    let mut ways = std::iter::once(files.iter().map(stem).collect()).chain((1..=most).map(ends));
    let apart = |names: &Vec<String>| {
        let begins = |(i, name): (usize, &String)| {
            let others = names.iter().enumerate().filter(|(other, _)| *other != i);
            others
                .clone()
                .any(|(_, other)| other.starts_with(name.as_str()))
        };
        !names.iter().enumerate().any(begins)
    };
    ways.find(apart).ok_or_else(|| {
        Error::usage("two of the files cannot be told apart by their paths")
            .help("name them by other paths")
    })
}

fn side(file: &Path, prefix: String) -> Result<Sided> {
    let opened = open::open(file)?;
    let newest = open::newest(&opened, &opened.targets(&[]), true, &Progress::new())?;
    Ok(Sided {
        prefix,
        opened,
        newest,
    })
}

/// The file's own evaluations; what has no result of now is told.
fn evaluations(side: &Sided) -> Vec<Evaluated> {
    let mut results = results::collect_what_is_there(&side.opened, &side.newest);
    for stage in &mut results.not_of_now {
        stage.id.insert_str(0, &side.prefix);
    }
    results::tell_not_of_now(&results.not_of_now);
    named(side, results.evaluations)
}

/// The file's own evaluations; among those of several files each has its file's name in front.
fn named(side: &Sided, mut found: Vec<Evaluated>) -> Vec<Evaluated> {
    found.retain(|e| !e.stage.contains('.'));
    for evaluated in &mut found {
        if let Some(record) = side.newest.summary.record(&evaluated.id) {
            let behind = settings_behind(&side.opened.cache, record);
            (evaluated.settings, evaluated.all_settings) = (behind.settings, behind.whole);
        }
        let source = &mut evaluated.source;
        for name in [
            &mut evaluated.id,
            &mut evaluated.stage,
            &mut source.dataset,
            &mut source.data,
        ] {
            name.insert_str(0, &side.prefix);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_as_little_of_their_paths_as_it_takes() {
        let told = |files: &[&str]| {
            let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            prefixes(&files).unwrap()
        };
        assert_eq!(told(&["a/p.toml"]), [""]);
        assert_eq!(told(&["a/p.toml", "a/q.toml"]), ["p.", "q."]);
        // `v1.2.net` would be of either.
        assert_eq!(told(&["v1.toml", "v1.2.toml"]), ["v1.toml.", "v1.2.toml."]);
        assert_eq!(
            told(&["x/korean/m.toml", "x/m.toml"]),
            ["korean/m.toml.", "x/m.toml."]
        );
        assert_eq!(
            told(&["p.toml", "a/p.toml", "q.toml"]),
            ["p.toml.", "a/p.toml.", "q.toml."]
        );
    }
}
