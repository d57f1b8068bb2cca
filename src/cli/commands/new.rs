//! `kfood new`: a first pipeline for photographs that are there.

use std::{
    env,
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
};

use clap::Args;
use serde_json::json;

use super::doctor;
use crate::{
    cli::{
        open, print,
        schema::of_files,
        starter::{self, DataSet, Machine, Sizes, Template},
    },
    config::{self, Gives, Pipeline},
    error::{Error, Result},
    files,
    record::Part,
    report::duration,
    text::{and_more, count, for_a_shell, number, shown_path},
};

/// Look at photographs and write a first pipeline for them: pipelines/NAME.toml.
#[derive(Debug, Args)]
pub(in crate::cli) struct New {
    /// A folder of class folders or of train, validation and test parts, those parts, a zip, or a CSV list; `data` without any.
    #[arg(value_name = "FOLDER")]
    pub paths: Vec<PathBuf>,
    /// What it does.
    #[arg(long, value_enum, default_value_t = Template::First)]
    pub template: Template,
    /// The name of the pipeline; that of the data without it.
    #[arg(long)]
    pub name: Option<String>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Lines of what was noticed that are told; `kfood run` and `kfood data` tell all.
const TOLD: usize = 5;

pub(in crate::cli) fn new(args: &New) -> Result<u8> {
    let here = env::current_dir().map_err(|e| Error::io("find", Path::new("."), e))?;
    let root = open::project(&here);
    let paths = match args.paths.as_slice() {
        [] => vec![usual(&root)?],
        named => named.to_vec(),
    };
    let data = starter::data_sets(&paths, &root)?;
    if data.len() > 1 && args.template != Template::Transfer {
        let message = format!(
            "{} data sets, and a pipeline of this template is of one",
            data.len()
        );
        let help = "name one, or the parts of one (`data/train data/test`); `--template transfer` carries over from the first to the second";
        return Err(Error::usage(message).help(help));
    }
    let machine = machine();
    let name = match (args.name.as_deref(), data[0].name.as_str()) {
        (Some(name), _) => name,
        // AI Hub's folder has this name, and a file of it would be one of settings.
        (None, "kfood") => "kfood-photographs",
        (None, name) => name,
    };
    let file = place(&root, name)?;
    let (schema, beside) = schema(&root);
    let shown = shown_path(file.strip_prefix(&here).unwrap_or(&file));
    let text = starter::text(args.template, &data, &machine, &root, &shown, schema)?;
    write(&file, &text)?;
    if let Some(beside) = beside {
        files::write_json(&beside, &of_files())?;
    }
    let pipeline = config::load(&file)?;
    if args.json {
        print::json(
            &json!({ "file": shown, "stages": pipeline.instances.len(), "data": data.iter().map(row).collect::<Vec<_>>() }),
        )?;
        return Ok(0);
    }
    print::notes(&pipeline);
    let mut told = data
        .iter()
        .map(|data| found(data, &here))
        .collect::<String>();
    let sizes = Sizes::of(&data[0], &machine);
    told += &format!("{shown}: written; {}\n", work(&pipeline, &sizes, &machine));
    if args.template == Template::Transfer && data.len() == 1 && !pipeline.missing().is_empty() {
        let weights = starter::weights_for(&sizes);
        told += &format!("first: kfood fetch {weights}\n");
    }
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    let typed = match shown.chars().all(plain) {
        true => shown.clone(),
        false => for_a_shell(&shown),
    };
    told += &format!("next: kfood run {typed}");
    print::told(&told)?;
    Ok(0)
}

/// "27 stages, 9 trainings, each takes about 3 min 41 s on 2 cores".
fn work(pipeline: &Pipeline, sizes: &Sizes, machine: &Machine) -> String {
    let trainings = pipeline.instances.iter();
    let trainings = trainings.filter(|i| i.settings.gives() == Gives::Training);
    let trainings = match trainings.count() {
        1 => "a training".to_owned(),
        n => format!("{n} trainings, each"),
    };
    format!(
        "{}, {trainings} takes about {} on {}",
        count(pipeline.instances.len(), "stage"),
        duration(sizes.seconds),
        machine.name()
    )
}

/// Where data mostly lie.
fn usual(root: &Path) -> Result<PathBuf> {
    let data = root.join("data");
    if data.is_dir() {
        return Ok(data);
    }
    let message = format!(
        "which photographs? there is no folder `{}`",
        shown_path(&data)
    );
    Err(Error::usage(message)
        .help("name them: `kfood new photographs`; `kfood sample data/sample` makes some to try"))
}

/// What there is to compute with; without a worker none of its devices.
fn machine() -> Machine {
    let devices = doctor::tensors()
        .ok()
        .and_then(|found| found["devices"].as_array().map(Vec::len));
    Machine {
        cores: thread::available_parallelism().map_or(1, usize::from) as u32,
        gpu: devices.is_some_and(|devices| devices > 1),
    }
}

/// Where the pipeline will lie: nothing is there yet.
fn place(root: &Path, name: &str) -> Result<PathBuf> {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        let message = format!("`{}` is no name of a pipeline", crate::text::shown(name));
        return Err(
            Error::usage(message).help("give a name without folders, such as `--name dishes`")
        );
    }
    let file = root.join("pipelines").join(format!("{name}.toml"));
    if file.ends_with(config::PROJECT_FILE) {
        let message = format!(
            "a file `{}` holds settings of a place, and no pipeline",
            config::PROJECT_FILE
        );
        return Err(Error::usage(message).help("give another name: `--name dishes`"));
    }
    if file.symlink_metadata().is_ok() {
        return Err(there(&file));
    }
    Ok(file)
}

fn there(file: &Path) -> Error {
    let message = format!(
        "`{}` is there already, and stays as it is",
        shown_path(file)
    );
    Error::usage(message).help("give another name: `--name NAME`")
}

/// The schema as a line of the file names it, and where it is to be written.
fn schema(root: &Path) -> (&'static str, Option<PathBuf>) {
    if root.join("docs/pipeline.schema.json").is_file() {
        return ("../docs/pipeline.schema.json", None);
    }
    let beside = root.join("pipelines/pipeline.schema.json");
    ("pipeline.schema.json", (!beside.exists()).then_some(beside))
}

/// Writes what is not there yet, and nothing else.
fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        files::create_folder(folder)?;
    }
    let made = OpenOptions::new().write(true).create_new(true).open(file);
    made.and_then(|mut made| made.write_all(text.as_bytes()))
        .map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => there(file),
            _ => Error::io("write", file, e),
        })
}

/// What was found, for people.
fn found(data: &DataSet, here: &Path) -> String {
    let mut text = format!("{}: {}\n", data.name, data.summary());
    for (role, path, n) in &data.parts {
        let place = data.manifest.as_ref().unwrap_or(path);
        let place = shown_path(place.strip_prefix(here).unwrap_or(place));
        text += &format!("  {:<10}  {:>7}  {place}\n", role.name(), number(*n as u64));
    }
    if !data.has(Part::Test) {
        text += "  test           none  a tenth of every class is drawn for it\n";
    }
    if let Some((said, first)) = data.unusable.told(data.photographs()) {
        text += &format!(
            "  note: {said}: {first}; the pipeline leaves them out (`unreadable = \"drop\"`)\n"
        );
    }
    for line in data.told.iter().take(TOLD) {
        text += &format!("  note: {line}\n");
    }
    if let Some(more @ 1..) = data.told.len().checked_sub(TOLD) {
        text += &format!("  {}, which `kfood data` tells\n", and_more(more as u64));
    }
    text
}

fn row(data: &DataSet) -> serde_json::Value {
    let parts = data.parts.iter().map(|(role, path, n)| {
        let place = data.manifest.as_ref().unwrap_or(path);
        json!({ "part": role.name(), "path": shown_path(place), "photographs": n })
    });
    json!({ "name": data.name, "classes": data.classes, "parts": parts.collect::<Vec<_>>(), "unusable": data.unusable.count, "told": data.told })
}
