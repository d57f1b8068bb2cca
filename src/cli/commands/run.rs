//! `kfood run`: do what is pending, show the results, write or compare the lock file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{
        args::Overrides,
        locking,
        open::{self, Opened},
        past_runs, print,
        progress::{self, Progress},
        results, team,
    },
    error::{Class, Error, Result},
    exec::{
        self, Options, Outcome, StageSummary, Summary,
        locked::{self, Compared, Verdict},
        worker::Process,
    },
    record::{Lock, PastRun},
    report::{self, Align, Document, Grid, Results},
    text::count,
};

/// Run what changed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    /// The pipeline file.
    pub file: PathBuf,
    /// Only these stages and what they need.
    pub stages: Vec<String>,
    /// Run this stage even if its result is there.
    #[arg(long, value_name = "STAGE")]
    pub force: Vec<String>,
    /// Compare the results with the lock file beside the pipeline; never write it.
    #[arg(long)]
    pub locked: bool,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    pub team: team::Asked,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn run(args: &Run) -> Result<u8> {
    let since = Instant::now();
    let opened = open::open_with(&args.file, &flags(args)?)?;
    print::notes(&opened.pipeline);
    locked::is_sole(&opened.pipeline.file)?;
    let lock = locked::path(&opened.pipeline.file);
    let recorded = args.locked.then(|| locked::read(&lock)).transpose()?;
    let begun = past_runs::begun(&opened, &args.stages);
    let stop = open::stop_on_signals()?;
    let worker = Process::beside_this_program()?;
    let options = options(args, &opened)?;
    let summary = exec::run(
        &opened.stages,
        &options,
        &opened.cache,
        &worker,
        &Progress::new(),
        &stop,
    )?;
    let (compared, recordable) = match recorded {
        Some(recorded) => (Some(compare(args, &opened, &summary, recorded)), false),
        None => (None, args.stages.is_empty() && summary.succeeded()),
    };
    let (compared, unlike) = compared
        .transpose()
        .map_or_else(|e| (None, Some(e)), |c| (c, None));
    // The results come first: neither a closed standard output nor a folder that cannot be written takes the rest with it.
    let results = results::collect(&opened, &summary, false);
    let shown = results.and_then(|results| {
        let mut run = PastRun {
            seconds: since.elapsed().as_secs_f64(),
            ..begun
        };
        for stage in summary.stages() {
            *run.stages
                .entry(word(&stage.outcome).to_owned())
                .or_insert(0) += 1;
        }
        past_runs::remember(&opened, &summary, &results, run);
        show(args, &results, &summary, compared.as_deref())
    });
    if recordable {
        write_lock(&opened, &summary, &lock);
        if let Some(team) = &options.team {
            team::pin(team, &opened, &summary);
        }
    }
    shown?;
    unlike.map_or(Ok(()), Err)?;
    print::say(&totals(&summary, since.elapsed().as_secs_f64()));
    Ok(exit_code(&summary, compared.as_deref()))
}

/// Every finished stage against the lock file.
fn compare(
    args: &Run,
    opened: &Opened,
    summary: &Summary,
    mut recorded: Lock,
) -> Result<Vec<Compared>> {
    let finished = locking::finished(opened, summary)?;
    // A stage that was not asked for, or that failed (its own error says so), is not compared.
    let whole = args.stages.is_empty();
    let absent = |id: &str| whole && summary.stage(id).is_none();
    recorded
        .stages
        .retain(|id, _| finished.contains_key(id) || absent(id));
    Ok(locked::compare(&recorded, &finished))
}

/// The lock file is written beside the results: where it cannot be, they are there all the same.
fn write_lock(opened: &Opened, summary: &Summary, lock: &Path) {
    let written = locking::finished(opened, summary).and_then(|found| locked::write(lock, found));
    if let Err(error) = written {
        print::say(&format!(
            "warning: the lock file is not written, so that `--locked` has nothing new to compare with: {error}"
        ));
    }
}

/// What the command line says before `kfood.toml` does.
fn flags(args: &Run) -> Result<Vec<(&'static str, Value)>> {
    Ok([args.overrides.flags(), args.team.flags()?].concat())
}

fn options(args: &Run, opened: &Opened) -> Result<Options> {
    Ok(Options {
        targets: opened.targets(&args.stages),
        force: args.force.clone(),
        team: team::of(opened)?,
        ..opened.options()
    })
}

fn show(
    args: &Run,
    results: &Results,
    summary: &Summary,
    compared: Option<&[Compared]>,
) -> Result<()> {
    let table = report::table(results);
    if args.json {
        let stages: Vec<_> = summary.stages().iter().map(row).collect();
        print::json(&json!({ "stages": stages, "results": table, "locked": compared }))?;
    } else if !(table.rows.is_empty() || interrupted(summary)) {
        print::told(&Document::from(table.block()).terminal(print::width()))?;
    }
    for stage in summary.stages() {
        // Of an interruption its own line tells.
        if let Outcome::Failed(error) = &stage.outcome
            && error.class() != Class::Interrupted
        {
            print::error(error);
        }
    }
    match compared {
        Some(compared) if !args.json => print::told(&comparison(compared)),
        _ => Ok(()),
    }
}

/// Equal fields are counted, others named.
fn comparison(compared: &[Compared]) -> String {
    let count = |verdict| compared.iter().filter(|c| c.verdict == verdict).count();
    let mut grid = Grid::new(&[
        ("lock file", Align::Left),
        ("stage", Align::Left),
        ("field", Align::Left),
        ("recorded", Align::Left),
        ("found", Align::Left),
    ]);
    for c in compared.iter().filter(|c| c.verdict != Verdict::Equal) {
        let cells = [c.verdict.word(), &c.stage, &c.field, &c.recorded, &c.found];
        grid.rows.push(cells.map(str::to_owned).to_vec());
    }
    let lines = if grid.rows.is_empty() {
        String::new()
    } else {
        grid.text(print::width())
    };
    format!(
        "{lines}against the lock file: {} equal, {} within, {} different",
        count(Verdict::Equal),
        count(Verdict::Within),
        count(Verdict::Different)
    )
}

/// Whether a person ended the run: that is told in a few lines, without the results so far.
fn interrupted(summary: &Summary) -> bool {
    let error = summary.first_error();
    error.is_some_and(|error| error.class() == Class::Interrupted)
}

fn totals(summary: &Summary, seconds: f64) -> String {
    let mut counts = BTreeMap::new();
    for stage in summary.stages() {
        let word = match &stage.outcome {
            Outcome::Skipped { .. } => "not run",
            outcome => word(outcome),
        };
        *counts.entry(word).or_insert(0) += 1;
    }
    let cached = |s: &&StageSummary| matches!(s.outcome, Outcome::Cached | Outcome::Fetched);
    let saved: f64 = summary
        .stages()
        .iter()
        .filter(cached)
        .map(|s| s.seconds)
        .sum();
    let counts: Vec<_> = counts
        .iter()
        .map(|(word, n)| format!("{n} {word}"))
        .collect();
    let saved = match saved {
        seconds if seconds >= 1.0 => format!(" ({} saved)", report::duration(seconds)),
        _ => String::new(),
    };
    let n = summary.stages().len();
    let goes_on = match interrupted(summary) {
        true => "; what is done is kept, and the same command goes on from there",
        false => "",
    };
    format!(
        "{}: {}; {}{saved}{goes_on}",
        count(n, "stage"),
        counts.join(", "),
        report::duration(seconds)
    )
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Cached => "cached",
        Outcome::Fetched => "fetched",
        Outcome::Ran => "ran",
        Outcome::Failed(error) if error.class() == Class::Interrupted => "interrupted",
        Outcome::Failed(_) => "failed",
        Outcome::Skipped { .. } => "skipped",
    }
}

fn row(stage: &StageSummary) -> Value {
    let record = stage.record.as_deref();
    let outputs: BTreeMap<_, _> = record
        .into_iter()
        .flat_map(|r| &r.outputs)
        .map(|(name, output)| (name, output.digest))
        .collect();
    let error = match &stage.outcome {
        Outcome::Failed(error) => Some(error.to_string()),
        _ => None,
    };
    let not_run = match &stage.outcome {
        Outcome::Skipped { because } => Some(progress::why(because, 1)),
        _ => None,
    };
    json!({
        "id": stage.id, "kind": stage.kind, "outcome": word(&stage.outcome), "seconds": stage.seconds,
        "key": record.map(|r| r.key), "outputs": outputs, "error": error, "not_run": not_run,
    })
}

fn exit_code(summary: &Summary, compared: Option<&[Compared]>) -> u8 {
    if let Some(error) = summary.first_error() {
        return Error::class(error).exit_code();
    }
    let different = |c: &Compared| c.verdict == Verdict::Different;
    u8::from(!summary.succeeded() || compared.is_some_and(|c| c.iter().any(different)))
}
