//! `kfood plan`: what a run would do, and why.

mod rows;

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use self::rows::Row;
use super::check::listed;
use clap::Args;
use serde_json::{Value, json};

use crate::{
    cache::Reason,
    cli::{
        args::OnDevice,
        open::{self, Opened},
        past_runs, print,
        progress::Progress,
        team,
        terminal::folded,
    },
    error::Result,
    exec::{self, Estimate, Options, StageStatus, Status},
    report::{Column, Grid, bytes, duration},
    text::{count, either},
};

/// Say what a run would do, and why; exit code 3 when work is pending.
#[derive(Debug, Args)]
pub(in crate::cli) struct Plan {
    /// The pipeline file.
    pub file: PathBuf,
    /// Only these stages and what they need.
    pub stages: Vec<String>,
    /// Take this stage as changed.
    #[arg(long, value_name = "STAGE")]
    pub force: Vec<String>,
    /// For estimates: an earlier result tells the time of the kind of device that it was made on.
    #[command(flatten)]
    pub device: OnDevice,
    #[command(flatten)]
    pub team: team::Asked,
    /// A row for each instance; without it one for all instances of a stage that has more than 8.
    #[arg(long)]
    pub all: bool,
    /// JSON on stdout, with every instance.
    #[arg(long)]
    pub json: bool,
}

/// The exit code when work is pending.
const PENDING: u8 = 3;

pub(in crate::cli) fn plan(args: &Plan) -> Result<u8> {
    let flags = [args.team.flags()?, args.device.flags()].concat();
    let opened = open::open_with(&args.file, &flags)?;
    print::notes(&opened.pipeline);
    let options = Options {
        targets: opened.targets(&args.stages),
        force: args.force.clone(),
        team: team::of(&opened)?,
        ..opened.options()
    };
    let mut all = exec::status(&opened.stages, &options, &opened.cache, &Progress::new())?;
    past_runs::tell_failures(&opened, &mut all);
    tell_missing(&opened, &all);
    let pending = all
        .iter()
        .any(|s| !matches!(s.status, Status::Cached { .. }));
    if args.json {
        let stages: Vec<_> = all.iter().map(row).collect();
        print::json(&json!({ "stages": stages, "pending": pending }))?;
    } else {
        let stages = opened.pipeline.instances.iter();
        let stages: HashMap<_, _> = stages.map(|i| (i.id.as_str(), i.stage.as_str())).collect();
        let stage_of = |id| stages.get(id).copied().unwrap_or(id);
        let rows = rows::rows(&all, &stage_of, args.all, name_room());
        let totals = totals(&all);
        let totals = totals.lines().map(|line| match print::width() {
            Some(width) => folded(line, width.into()),
            None => line.to_owned(),
        });
        let totals: Vec<_> = totals.collect();
        print::told(&(text(rows) + &totals.join("\n")))?;
    }
    Ok(if pending { PENDING } else { 0 })
}

/// The files that stages which wait for others will read and that are not there: a plan is told without them, and a run is not begun.
fn tell_missing(opened: &Opened, all: &[StageStatus]) {
    let planned: BTreeSet<_> = all.iter().map(|stage| stage.id.as_str()).collect();
    let missing = opened
        .pipeline
        .missing_of(|instance| planned.contains(instance.id.as_str()));
    if !missing.is_empty() {
        print::say(&format!(
            "note: not there, so that a run would end before its first stage, and say what to put where:{}",
            listed(&missing)
        ));
    }
}

/// Columns for a name among other words.
fn name_room() -> usize {
    print::width().map_or(usize::MAX, |width| (usize::from(width) / 3).max(12))
}

fn text(rows: Vec<Row>) -> String {
    let mut grid = Grid::of([
        Column::left("plan"),
        Column::left("stage").names(),
        Column::left("why"),
    ]);
    let known = rows.iter().any(|row| row.estimate.is_some());
    if known {
        grid.columns.extend(["time", "disk"].map(Column::right));
    }
    for row in rows {
        let mut cells = vec![row.plan, row.stage, row.why];
        if known {
            let estimate = row.estimate;
            cells.push(estimate.map(|e| duration(e.seconds)).unwrap_or_default());
            cells.push(estimate.map(|e| bytes(e.bytes)).unwrap_or_default());
        }
        grid.rows.push(cells);
    }
    grid.text(print::width())
}

fn why(reasons: &[Reason]) -> String {
    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    reasons.join("; ")
}

fn totals(all: &[StageStatus]) -> String {
    let of = |wanted: fn(&Status) -> bool| all.iter().filter(|s| wanted(&s.status)).count();
    let cached = of(|s| matches!(s, Status::Cached { .. }));
    let fetch = of(|s| matches!(s, Status::Afar { .. }));
    let run = of(|s| matches!(s, Status::Run { .. }));
    let waits = of(|s| matches!(s, Status::Waits { .. }));
    let known: Vec<_> = all.iter().filter_map(|s| estimate(&s.status)).collect();
    let fetch = match fetch {
        0 => String::new(),
        n => format!("{n} to fetch, "),
    };
    let mut text = format!("{cached} cached, {fetch}{run} to run, {waits} waiting");
    let unknown = run + waits - known.len();
    if !known.is_empty() {
        let seconds = known.iter().map(|e| e.seconds).sum();
        let disk = known.iter().map(|e| e.bytes).sum();
        text += &format!(
            "; about {} and {}, going by earlier runs",
            duration(seconds),
            bytes(disk)
        );
    }
    if unknown > 0 {
        let them = if known.is_empty() {
            "no earlier run tells how long that takes".to_owned()
        } else {
            format!(
                "besides {} of which no earlier run tells",
                count(unknown, "stage")
            )
        };
        text += &format!("; {them}");
    }
    text + &of_another_version(all)
}

/// What has to run because kfood itself does it otherwise than before.
fn of_another_version(all: &[StageStatus]) -> String {
    let (mut kinds, mut stages, mut seconds) = (BTreeSet::new(), 0, Some(0.0));
    for stage in all {
        if let Status::Run {
            reasons, estimate, ..
        } = &stage.status
            && reasons.iter().any(Reason::is_own_version)
        {
            kinds.insert(stage.kind);
            stages += 1;
            seconds = seconds.zip(*estimate).map(|(sum, e)| sum + e.seconds);
        }
    }
    if stages == 0 {
        return String::new();
    }
    let kinds: Vec<_> = kinds.into_iter().collect();
    let took = seconds
        .map(|s| format!(", about {}", duration(s)))
        .unwrap_or_default();
    format!(
        "\nkfood is newer than the results of {}: it runs {} again ({} only{took})",
        count(stages, "stage"),
        either(stages, "it", "them"),
        kinds.join(", "),
    )
}

fn estimate(status: &Status) -> Option<Estimate> {
    match status {
        Status::Cached { .. } | Status::Afar { .. } => None,
        Status::Run { estimate, .. } | Status::Waits { estimate, .. } => *estimate,
    }
}

fn row(stage: &StageStatus) -> Value {
    let (status, key, reasons, on) = match &stage.status {
        Status::Cached { record } => ("cached", Some(record.key), vec![], vec![]),
        Status::Afar { record } => ("fetch", Some(record.key), vec![], vec![]),
        Status::Run { key, reasons, .. } => {
            let reasons = reasons.iter().map(ToString::to_string).collect();
            ("run", Some(*key), reasons, vec![])
        }
        Status::Waits { on, .. } => ("waits", None, vec![], on.clone()),
    };
    let estimate =
        estimate(&stage.status).map(|e| json!({ "seconds": e.seconds, "bytes": e.bytes }));
    json!({
        "id": stage.id, "kind": stage.kind, "status": status, "key": key,
        "reasons": reasons, "waits_on": on, "estimate": estimate,
    })
}
