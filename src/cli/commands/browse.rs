//! `kfood browse`: a sheet of what a training sees.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    cli::{args::Browse, open, print, progress::Progress, scratch::Scratch},
    config::{ModelSource, Settings},
    error::{Error, Result},
    event::{Event, Observer, Silent},
    exec::{self, Options, Summary, worker::Process},
    files,
    record::{self, Browsed, Data, Images, Job, Labels, ModelFile},
    report::{Align, Grid},
    settings::{Pixels, Training},
    stage::Worker,
    stages::state_output,
    text::shown_path,
};

/// A training to look at: the ids of its preprocess, dataset and split, its fold, how it trains.
struct Seen<'a> {
    data: &'a str,
    dataset: &'a str,
    split: &'a str,
    fold: Option<u32>,
    pixels: Pixels,
    training: &'a Training,
    /// Of a transfer, the model whose normalisation it keeps.
    source: Option<&'a ModelSource>,
}

/// Does what is pending of the inputs of a training, and writes the sheet.
pub(in crate::cli) fn browse(args: &Browse) -> Result<u8> {
    let (file, stage) = open::stage(&args.stage)?;
    let opened = open::open(&file)?;
    let id = open::one(&opened, &stage)?;
    let seen = seen(&opened, &id)?;
    let worker = Process::beside_this_program()?;
    let (progress, stop) = (Progress::new(), open::stop_on_signals()?);
    let summary = exec::run(
        &opened.stages,
        &Options {
            targets: [seen.data, seen.dataset, seen.split]
                .map(str::to_owned)
                .to_vec(),
            ..opened.options()
        },
        &opened.cache,
        &worker,
        &progress,
        &stop,
    )?;
    if let Some(error) = summary.first_error() {
        print::error(error);
        return Ok(error.class().exit_code());
    }
    let folder = Scratch::new()?;
    let source = source(&opened, &seen)?;
    let job = job(args, &seen, source, &summary, folder.path())?;
    let tell = |event| {
        progress.observe(&Event::Stage {
            id: "browse".to_owned(),
            event,
        });
    };
    worker.run(&job, folder.path(), &tell, &stop)?;
    progress.end("browse");
    fs::copy(folder.path().join("sheet.png"), &args.out)
        .map_err(|e| Error::io("write", &args.out, e))?;
    let browsed: Browsed = files::read_json(&folder.path().join("browsed.json"))?;
    show(args, &seen, &summary, &browsed)
}

fn seen<'a>(opened: &'a open::Opened, id: &str) -> Result<Seen<'a>> {
    let settings = |id: &str| {
        let instances = &opened.pipeline.instances;
        instances.iter().find(|i| i.id == id).map(|i| &i.settings)
    };
    let mut source = None;
    let (data, dataset, split, fold, training) = match settings(id) {
        Some(Settings::Train(s)) => (&s.data, &s.dataset, &s.split, s.fold, &s.training),
        Some(Settings::Transfer(s)) => {
            source = s.keep_normalize.then_some(&s.model);
            (&s.data, &s.dataset, &s.split, s.fold, &s.training)
        }
        other => {
            let kind = other.map_or("none", Settings::kind);
            let message = format!("`{id}` is of kind `{kind}`, expected `train` or `transfer`");
            return Err(Error::usage(message));
        }
    };
    let Some(Settings::Preprocess(preprocess)) = settings(data) else {
        return Err(Error::failed(format!("`{data}` is no preprocess stage")));
    };
    Ok(Seen {
        data,
        dataset,
        split,
        fold,
        pixels: preprocess.pixels,
        training,
        source,
    })
}

/// The model whose normalisation is kept, if it is there: nothing is trained for a look.
fn source(opened: &open::Opened, seen: &Seen<'_>) -> Result<Option<ModelFile>> {
    let (path, normalize, weights) = match seen.source {
        Some(ModelSource::File {
            path,
            normalize,
            weights,
            ..
        }) => (path.path.clone(), *normalize, weights.clone()),
        Some(ModelSource::Stage { id, checkpoint }) => {
            let targets = [id.clone()];
            let finished = open::finished(opened, &targets, &Silent);
            let Ok(path) = finished.and_then(|s| s.output(id, state_output(*checkpoint))) else {
                print::say(&format!(
                    "`{id}` is not trained yet: shown without its normalisation, so that what is erased is black"
                ));
                return Ok(None);
            };
            (path, None, None)
        }
        Some(ModelSource::Ensemble { .. }) | None => return Ok(None),
    };
    Ok(Some(ModelFile {
        path,
        normalize,
        classes: None,
        weights,
    }))
}

fn job(
    args: &Browse,
    seen: &Seen<'_>,
    source: Option<ModelFile>,
    summary: &Summary,
    folder: &Path,
) -> Result<Job> {
    Ok(Job::Browse(record::Browse {
        data: Data {
            pack: summary.output(seen.data, "pixels.pack")?,
            labels: summary.output(seen.dataset, "labels.json")?,
            split: summary.output(seen.split, "membership.json")?,
            fold: seen.fold,
        },
        pixels: seen.pixels,
        training: seen.training.clone(),
        source,
        epoch: args.epoch,
        epochs: args.epochs,
        images: args.images,
        device: "cpu".to_owned(),
        threads: open::threads(),
        out: folder.to_owned(),
    }))
}

/// Which photograph stands in which line.
fn show(args: &Browse, seen: &Seen<'_>, summary: &Summary, browsed: &Browsed) -> Result<u8> {
    let images: Images = files::read_json(&summary.output(seen.dataset, "images.json")?)?;
    let labels: Labels = files::read_json(&summary.output(seen.dataset, "labels.json")?)?;
    let of = |row: &usize| -> (String, String) {
        let path = images.images.get(*row).map(|i| i.path.clone());
        let class = labels.labels.get(*row).map(|l| l.class as usize);
        let class = class.and_then(|class| labels.classes.get(class).cloned());
        (path.unwrap_or_default(), class.unwrap_or_default())
    };
    if args.json {
        let lines = browsed.rows.iter().map(|row| {
            let (path, class) = of(row);
            json!({ "row": row, "path": path, "class": class })
        });
        let lines: Vec<_> = lines.collect();
        print::json(&json!({ "sheet": args.out, "epochs": browsed.epochs, "lines": lines }))?;
        return Ok(0);
    }
    let mut grid = Grid::new(&[
        ("line", Align::Right),
        ("class", Align::Left),
        ("photograph", Align::Left),
    ]);
    for (line, row) in (1..).zip(&browsed.rows) {
        let (path, class) = of(row);
        grid.rows.push(vec![line.to_string(), class, path]);
    }
    print::out(&grid.text(print::width()))?;
    let epochs: Vec<_> = browsed.epochs.iter().map(u32::to_string).collect();
    print::say(&format!(
        "{}: written; in each line the photograph, then what it is in epoch {}",
        shown_path(&args.out),
        epochs.join(", ")
    ));
    Ok(0)
}
