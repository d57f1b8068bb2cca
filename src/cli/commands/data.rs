//! `kfood data`: look at data sets: counts, sizes, brightness, odd files, look-alikes, and contact sheets.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        open::{self, Opened},
        packed::Packed,
        print,
        progress::Progress,
        sheets::{self, Shots},
    },
    config::{Pipeline, Settings},
    data::LARGEST_LIST,
    error::{Error, Result},
    exec::{self, Options, Outcome, Summary, worker::Process},
    files, name,
    record::{Images, Labels, Photographs},
    report::{ExcludeRow, Overview, exclude_csv, exclude_list, exclude_rows},
    settings::Unreadable,
    stages,
    text::{self, shown_path},
};

/// Look at data sets: counts, sizes, brightness, odd files, look-alikes; contact sheets with --sheet.
#[derive(Debug, Args)]
pub(in crate::cli) struct Data {
    /// The pipeline file; its datasets are listed and preprocessed first where that is pending.
    pub file: PathBuf,
    /// Preprocess stages or datasets to look at; all of the file without any.
    pub stages: Vec<String>,
    /// Write contact sheets (PNG) of samples of each class and of look-alikes into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub sheet: Option<PathBuf>,
    /// Pictures of each class on a sheet.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub samples: u32,
    /// Write the photographs that are better left out, each with the reason, into this CSV: a list for `exclude` of the dataset.
    #[arg(long, value_name = "OUT.csv")]
    pub exclude_list: Option<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Lines of a sheet of pairs.
const PAIRS: usize = 200;

/// Does what is pending of the datasets and preprocess stages, and shows them.
pub(in crate::cli) fn data(args: &Data) -> Result<u8> {
    let mut opened = open::open(&args.file)?;
    let mut kept = Vec::new();
    if let Some(out) = &args.exclude_list {
        kept = listed_before(out, &opened.pipeline)?;
        take_what_is_readable(&mut opened);
    }
    if let Some(folder) = &args.sheet {
        sheets::refuse_within_data(folder, &opened.pipeline)?;
    }
    let looked_at = looked_at(&opened, &args.stages)?;
    let summary = exec::run(
        &opened.stages,
        &Options {
            targets: looked_at.iter().map(|(data, _)| data.clone()).collect(),
            keep_going: true,
            ..opened.options()
        },
        &opened.cache,
        &Process::beside_this_program()?,
        &Progress::new(),
        &open::stop_on_signals()?,
    )?;
    let mut shown = Vec::new();
    let mut excluded = Vec::new();
    for (data, dataset) in &looked_at {
        if matches!(
            summary.stage(data).map(|s| &s.outcome),
            Some(Outcome::Cached | Outcome::Fetched | Outcome::Ran)
        ) {
            let (overview, rows) = show(args, &opened, &summary, data, dataset)?;
            shown.push(overview);
            excluded.push((dataset.clone(), rows));
        }
    }
    if args.json {
        print::json(&json!({ "data": shown }))?;
    }
    if let Some(out) = &args.exclude_list {
        write_excluded(out, kept, excluded)?;
    }
    for stage in summary.stages() {
        if let Outcome::Failed(error) = &stage.outcome {
            print::error(error);
        }
    }
    Ok(summary.first_error().map_or(0, |e| e.class().exit_code()))
}

/// Files that cannot be decoded are what is looked for: they go into the list and stop nothing.
fn take_what_is_readable(opened: &mut Opened) {
    for instance in &mut opened.pipeline.instances {
        if let Settings::Preprocess(preprocess) = &mut instance.settings {
            preprocess.unreadable = Unreadable::Drop;
        }
    }
    opened.stages = stages::of(&opened.pipeline);
}

/// The rows of a list that a dataset leaves photographs out by already: they are no longer seen, and stay in it. None where the list
/// is new, or of no dataset.
///
/// # Errors
/// When something else lies there.
fn listed_before(out: &Path, pipeline: &Pipeline) -> Result<Vec<ExcludeRow>> {
    if out.symlink_metadata().is_err() {
        return Ok(Vec::new());
    }
    let rows = files::read_bounded(out, LARGEST_LIST)
        .ok()
        .and_then(|bytes| exclude_rows(&bytes));
    let Some(rows) = rows else {
        let message = format!(
            "`{}` is there, and is no list that `--exclude-list` wrote",
            shown_path(out)
        );
        return Err(Error::usage(message).help("name a new file, or remove that one first"));
    };
    let real = fs::canonicalize(out).ok();
    let used = pipeline.instances.iter().any(|i| match &i.settings {
        Settings::Dataset(dataset) => (dataset.exclude.as_ref())
            .is_some_and(|exclude| fs::canonicalize(&exclude.path).ok() == real),
        _ => false,
    });
    Ok(if used { rows } else { Vec::new() })
}

/// Writes the list of one dataset, behind what is kept of an earlier one; several preprocess stages of it say of each photograph the
/// first thing that is to say.
fn write_excluded(
    out: &Path,
    kept: Vec<ExcludeRow>,
    found: Vec<(String, Vec<ExcludeRow>)>,
) -> Result<()> {
    let mut datasets: Vec<&str> = found.iter().map(|(dataset, _)| dataset.as_str()).collect();
    datasets.dedup();
    if datasets.len() > 1 {
        let names = name::one_of(datasets.iter().copied());
        return Err(Error::usage("`--exclude-list` of several datasets")
            .help(format!("a list is of one dataset: name {names}")));
    }
    let before = kept.len();
    let mut rows = kept;
    for row in found.into_iter().flat_map(|(_, rows)| rows) {
        if !rows.iter().any(|known| known.path == row.path) {
            rows.push(row);
        }
    }
    files::publish(out, &exclude_csv(&rows)?)?;
    let out = shown_path(out);
    print::say(&match rows.len() - before {
        0 if before > 0 => format!(
            "{out}: nothing more is better left out than the {} that it names already",
            text::count(before, "photograph")
        ),
        0 => format!("{out}: written; there is nothing that is better left out"),
        n if before > 0 => format!(
            "{out}: {} better left out, beside the {} that it named already; look through them",
            text::count(n, "photograph"),
            text::number(before as u64)
        ),
        n => format!(
            "{out}: {} better left out; look through them, and name the file as `exclude` of the dataset",
            text::count(n, "photograph")
        ),
    });
    Ok(())
}

/// The preprocess instances asked for, or all of the file and of those it uses, each with its dataset.
fn looked_at(opened: &Opened, named: &[String]) -> Result<Vec<(String, String)>> {
    let all = opened
        .pipeline
        .instances
        .iter()
        .filter_map(|i| match &i.settings {
            Settings::Preprocess(p) => Some((i.id.clone(), p.dataset.clone(), i.stage.clone())),
            _ => None,
        });
    let all: Vec<_> = all.collect();
    let known = || {
        let names: Vec<_> = all.iter().map(|(id, ..)| format!("`{id}`")).collect();
        names.join(", ")
    };
    let is = |name: &String, (id, dataset, stage): &(String, String, String)| {
        [id, dataset, stage].contains(&name)
    };
    if let Some(name) = named
        .iter()
        .find(|name| !all.iter().any(|one| is(name, one)))
    {
        return Err(Error::usage(format!(
            "`{name}` is no preprocess stage and no dataset with one"
        ))
        .help(format!("there are {}", known())));
    }
    if all.is_empty() {
        return Err(Error::usage("the pipeline has no preprocess stage")
            .help("add one: `[preprocess.pixels]` with `dataset` and `resize`"));
    }
    let wanted =
        |one: &(String, String, String)| named.is_empty() || named.iter().any(|name| is(name, one));
    let chosen = all.iter().filter(|one| wanted(one));
    Ok(chosen
        .map(|(id, dataset, _)| (id.clone(), dataset.clone()))
        .collect())
}

fn show(
    args: &Data,
    opened: &Opened,
    summary: &Summary,
    data: &str,
    dataset: &str,
) -> Result<(Overview, Vec<ExcludeRow>)> {
    let set = Packed::read(summary, data, dataset)?;
    let overview = set.overview(&opened.pipeline, summary, usize::MAX)?;
    if !args.json {
        print::told(&overview.document().terminal(print::width()))?;
    }
    if let Some(folder) = &args.sheet {
        files::create_folder(folder)?;
        let shots = Shots::open(opened, summary, (dataset, data))?;
        let to = folder.join(format!("{data}-samples.png"));
        samples(
            args,
            &shots,
            &to,
            (&set.images, &set.labels, &set.photographs),
        )?;
        let to = folder.join(format!("{data}-look-alikes.png"));
        pairs(&shots, &to, &overview, (&set.images, &set.labels))?;
    }
    let rows = exclude_list(set.seen());
    Ok((overview, rows))
}

/// A line for each class, with photographs spread evenly over its images.
fn samples(
    args: &Data,
    shots: &Shots,
    to: &Path,
    (images, labels, photographs): (&Images, &Labels, &Photographs),
) -> Result<()> {
    let mut lines = Vec::new();
    for (class, name) in labels.classes.iter().enumerate() {
        let rows = (0..images.images.len()).filter(|row| {
            labels.labels[*row].class as usize == class
                && labels.given_for(*row).is_some()
                && photographs.photographs[*row].dropped.is_none()
        });
        let rows: Vec<usize> = rows.collect();
        let n = rows.len().min(args.samples as usize);
        let chosen = (0..n).map(|i| &images.images[rows[i * rows.len() / n]]);
        let chosen = chosen.map(|image| (image.path.clone(), Vec::new()));
        lines.push((name.clone(), chosen.collect()));
    }
    shots.write(lines, to)
}

/// A line for each pair, in the order of the overview: the class and the part of each.
fn pairs(
    shots: &Shots,
    to: &Path,
    overview: &Overview,
    (images, labels): (&Images, &Labels),
) -> Result<()> {
    let pairs = &overview.leaks.pairs;
    if pairs.is_empty() {
        return Ok(());
    }
    let told = |row: usize| {
        let label = &labels.labels[row];
        let class = labels.classes[label.class as usize].clone();
        let caption = vec![class, label.part.name().to_owned()];
        (images.images[row].path.clone(), caption)
    };
    let lines = pairs.iter().take(PAIRS).enumerate();
    let lines = lines.map(|(i, pair)| (i.to_string(), vec![told(pair.a), told(pair.b)]));
    if pairs.len() > PAIRS {
        print::say(&format!(
            "the sheet shows the first {PAIRS} of {} pairs",
            pairs.len()
        ));
    }
    shots.write(lines.collect(), to)
}
