//! `kfood mistakes`: the images that an evaluation takes for something else, the most confident first.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::{
        args::part,
        open::{self, Opened},
        print,
        progress::Progress,
        results,
        sheets::{self, Shot, Shots},
    },
    config::Gives,
    data::Place,
    error::{Error, Result},
    exec::Summary,
    files,
    record::{Part, Prediction},
    report::{Column, Grid, percent},
    text::{and_more, count, either, number, shown, shown_path},
};

/// List the images that an evaluation takes for something else, the most confident mistakes first.
#[derive(Debug, Args)]
pub(in crate::cli) struct Mistakes {
    /// An evaluate stage of a pipeline, or one instance of it: pipelines/mission2.toml:test_result.
    #[arg(value_name = "FILE:STAGE")]
    pub stage: String,
    /// Of this part: train, validation or test; without it the last of these that was evaluated.
    #[arg(long, value_parser = part)]
    pub part: Option<Part>,
    /// At most so many; without it 50 in the text, and all in JSON and on sheets.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Write contact sheets of them (PNG, 48 photographs each) into this folder, with the true class, the guess and their probabilities.
    #[arg(long, value_name = "FOLDER")]
    pub sheet: Option<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Mistakes in a text that names no limit.
const SHOWN: usize = 50;
/// Photographs side by side on a sheet.
const COLUMNS: usize = 8;
/// Lines of a sheet.
const LINES: usize = 6;

/// What `--json` says.
#[derive(Serialize)]
struct Told {
    evaluation: String,
    part: Part,
    images: usize,
    wrong: usize,
    mistakes: Vec<Mistake>,
}

#[derive(Serialize)]
struct Mistake {
    /// As in `images.json`.
    path: String,
    /// As on disk; `None` where the data set cannot be read any more.
    file: Option<String>,
    label: String,
    predicted: String,
    /// Of the guess.
    probability: f64,
    /// Of the true class.
    label_probability: f64,
}

pub(in crate::cli) fn mistakes(args: &Mistakes) -> Result<u8> {
    let (opened, index) = open::one_stage(&args.stage)?;
    let id = opened.stages[index].id().to_owned();
    if opened.pipeline.instances[index].settings.gives() != Gives::Judged {
        return Err(no_evaluation(&opened, index));
    }
    if let Some(folder) = &args.sheet {
        sheets::refuse_within_data(folder, &opened.pipeline)?;
    }
    let summary = open::finished(&opened, std::slice::from_ref(&id), &Progress::new())?;
    let predictions = Prediction::read_all(&summary.output(&id, Prediction::FILE)?)?;
    let part = chosen(args, &id, &predictions)?;
    let shots = shots(&opened, &summary, &id)?;
    let told = told(id, part, &predictions, &shots, args.limit);
    if args.json {
        print::json(&told)?;
    } else {
        print::told(&text(&told, args.limit.unwrap_or(SHOWN), print::width()))?;
    }
    if told.mistakes.iter().any(|mistake| mistake.file.is_none()) {
        print::say(
            "note: not every photograph is where it was: paths without a file are as in the data set",
        );
    }
    if let Some(folder) = &args.sheet {
        write(&told, &shots, folder)?;
    }
    Ok(0)
}

fn no_evaluation(opened: &Opened, index: usize) -> Error {
    let stage = &opened.stages[index];
    let instances = opened.pipeline.instances.iter();
    let evaluations = instances.filter(|i| i.settings.gives() == Gives::Judged);
    let message = format!(
        "`{}` is of kind `{}`, expected `evaluate`",
        shown(stage.id()),
        stage.kind()
    );
    let error = Error::usage(message);
    match evaluations.map(|i| &i.id).next() {
        Some(first) => error.help(format!(
            "name an evaluate stage, such as `{}`",
            shown(first)
        )),
        None => error.help("the pipeline has none: add `[evaluate.result]` with `model`"),
    }
}

/// The part that is asked for, else the last that was evaluated.
fn chosen(args: &Mistakes, id: &str, predictions: &[Prediction]) -> Result<Part> {
    let mut there: Vec<_> = predictions.iter().map(|p| p.part).collect();
    there.sort_unstable();
    there.dedup();
    match args.part {
        Some(part) if !there.contains(&part) => {
            let names: Vec<_> = there.iter().map(|p| format!("`{}`", p.name())).collect();
            let (part, id) = (part.name(), shown(id));
            let message = format!("`{id}` was not evaluated on `{part}`");
            Err(Error::usage(message).help(format!("it was on {}", names.join(", "))))
        }
        Some(part) => Ok(part),
        None => {
            let last = there.last().copied();
            last.ok_or_else(|| Error::failed(format!("`{}` judged no image", shown(id))))
        }
    }
}

/// The photographs that an evaluation judged.
fn shots(opened: &Opened, summary: &Summary, id: &String) -> Result<Shots> {
    let source = results::source(opened, Some(id));
    Shots::open(opened, summary, (&source.dataset, &source.data))
}

fn told(
    evaluation: String,
    part: Part,
    predictions: &[Prediction],
    shots: &Shots,
    limit: Option<usize>,
) -> Told {
    let images = predictions.iter().filter(|p| p.part == part).count();
    let mut wrong = Prediction::mistakes(predictions, part);
    let n = wrong.len();
    wrong.truncate(limit.unwrap_or(usize::MAX));
    let mistake = |p: &Prediction| Mistake {
        file: shots.place(&p.path).map(on_disk),
        path: p.path.clone(),
        label: p.label.clone(),
        predicted: p.predicted.clone(),
        probability: p.probability,
        // The loss is the cross entropy against the label.
        label_probability: (-p.loss).exp(),
    };
    Told {
        evaluation,
        part,
        images,
        wrong: n,
        mistakes: wrong.into_iter().map(mistake).collect(),
    }
}

/// Relative to where the user is, if it is below; an image in a zip behind the zip.
fn on_disk(place: &Place) -> String {
    let whole = place.to_string();
    let file = place.file();
    let within = whole.strip_prefix(&shown_path(file)).unwrap_or_default();
    results::shown(file) + within
}

/// The count, and the first ones: as a table where it fits, else two lines each. A path is never broken, so that it can be copied.
fn text(told: &Told, most: usize, width: Option<u16>) -> String {
    let (wrong, part) = (told.wrong, told.part.name());
    let of = format!(
        "{} of {} of {part} {} taken for another class",
        number(wrong as u64),
        count(told.images, "image"),
        either(wrong, "is", "are")
    );
    if told.mistakes.is_empty() {
        return format!("{of}.");
    }
    let shown = &told.mistakes[..told.mistakes.len().min(most)];
    let table = grid(shown).text(None);
    let room = width.map_or(usize::MAX, usize::from);
    let listed = match table.lines().all(|line| line.width() <= room) {
        true => table,
        false => shown.iter().map(lines).collect(),
    };
    let more = match wrong - shown.len() {
        0 => String::new(),
        more => and_more(more as u64) + ": `--limit`\n",
    };
    format!("{of}, the most confident first.\n{listed}{more}")
}

fn grid(mistakes: &[Mistake]) -> Grid {
    let mut grid = Grid::of([
        Column::left("guess"),
        Column::right("sure"),
        Column::left("true"),
        Column::right("p(true)"),
        Column::left("photograph"),
    ]);
    for mistake in mistakes {
        grid.rows.push(vec![
            mistake.predicted.clone(),
            percent(mistake.probability),
            mistake.label.clone(),
            percent(mistake.label_probability),
            mistake.place(),
        ]);
    }
    grid
}

fn lines(mistake: &Mistake) -> String {
    format!(
        "{} {}, true {} {}\n  {}\n",
        shown(&mistake.predicted),
        percent(mistake.probability),
        shown(&mistake.label),
        percent(mistake.label_probability),
        mistake.place()
    )
}

impl Mistake {
    fn place(&self) -> String {
        let file = self.file.clone();
        file.unwrap_or_else(|| shown(&self.path))
    }
}

/// Sheets of so many photographs that a screen holds one.
fn write(told: &Told, shots: &Shots, folder: &Path) -> Result<()> {
    files::create_folder(folder)?;
    let shot = |mistake: &Mistake| -> Shot {
        let caption = vec![
            format!(
                "{} {:.0}%",
                mistake.label,
                100.0 * mistake.label_probability
            ),
            format!("→{} {:.0}%", mistake.predicted, 100.0 * mistake.probability),
        ];
        (mistake.path.clone(), caption)
    };
    for (n, page) in (1..).zip(told.mistakes.chunks(COLUMNS * LINES)) {
        let line = |line: &[Mistake]| (String::new(), line.iter().map(shot).collect());
        let lines = page.chunks(COLUMNS).map(line).collect();
        shots.write(lines, &folder.join(format!("mistakes-{n}.png")))?;
    }
    Ok(())
}
