//! The command line. Hyper-parameters have no flags: a run is its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{name, settings::Tta};

/// Reproducible image-classification pipelines from one TOML file.
///
/// Exit codes: 0 fine, 1 the run failed, 2 your file or arguments, 3 `plan`: work pending, 130 interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "kfood",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Log more on stderr: -v for what is done, -vv for everything (or set RUST_LOG).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read a pipeline file and report every mistake in it.
    Check(Check),
    /// Say what a run would do, and why; exit code 3 when work is pending.
    Plan(Plan),
    /// Run what changed.
    Run(Run),
    /// Show one stage: settings, inputs, key, outputs, where its result comes from, and why it would run.
    Explain(Explain),
    /// Draw the stages and what they need.
    Graph(Graph),
    /// Write the results of a finished pipeline as Markdown.
    Report(Report),
    /// Put the evaluations of several pipelines into one table and compare them image by image.
    Compare(Compare),
    /// Look at data sets: counts, sizes, brightness, odd files, look-alikes; contact sheets with --sheet.
    Data(Data),
    /// See what a training sees: a contact sheet (PNG) of its augmented photographs, epoch by epoch.
    Browse(Browse),
    /// Classify images, or all images in folders.
    Predict(Predict),
    /// Try a training out: find a learning rate or a batch size.
    Tune(Tune),
    /// Convert a model file: to PyTorch's `.pt` or to `.safetensors`, by the ending of the second name.
    Export(Export),
    /// Make a small data set of generated photographs of dishes.
    Sample(Sample),
    /// Look at this machine: libtorch, devices, decoders, cache.
    Doctor(Doctor),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Look after the cache.
    Cache(Cache),
    /// Say what a command, a kind of stage or a setting is: kfood help train.optimizer.
    Help(Help),
}

/// `kfood check`
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Pipeline files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood plan`
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The pipeline file.
    pub file: PathBuf,
    /// Only these stages and what they need.
    pub stages: Vec<String>,
    /// Take this stage as changed.
    #[arg(long, value_name = "STAGE")]
    pub force: Vec<String>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood run`
#[derive(Debug, Args)]
pub(super) struct Run {
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
    /// Where tensors live: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: String,
    /// Stages without tensors that may run at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: u32,
    /// Go on with what does not depend on a failed stage.
    #[arg(long)]
    pub keep_going: bool,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood explain`
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The pipeline file.
    pub file: PathBuf,
    /// The stage, or one instance of it.
    pub stage: String,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood graph`
#[derive(Debug, Args)]
pub(super) struct Graph {
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
pub(super) enum GraphFormat {
    /// For a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown that draws Mermaid.
    Mermaid,
}

/// `kfood report`
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The pipeline file.
    pub file: PathBuf,
    /// Where to write it; stdout without.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the courses of the trainings as event files into this folder instead, for `tensorboard --logdir FOLDER`.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["output", "json"])]
    pub tensorboard: Option<PathBuf>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood compare`
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Pipeline files with finished results.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Markdown instead of a terminal table.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood browse`
#[derive(Debug, Args)]
pub(super) struct Browse {
    /// A train or transfer stage of a pipeline: pipelines/mission2.toml:deeper. What it reads is made first where that is pending.
    #[arg(value_name = "FILE:STAGE")]
    pub stage: String,
    /// The first epoch shown.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub epoch: u32,
    /// Epochs shown, one behind the other.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub epochs: u32,
    /// Photographs shown, spread over the training part.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub images: u32,
    /// Where to write the sheet.
    #[arg(short, long, value_name = "PNG", default_value = "browse.png")]
    pub out: PathBuf,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood predict`
#[derive(Debug, Args)]
pub(super) struct Predict {
    /// A model file, or a stage of a pipeline: pipelines/mission2.toml:best.
    #[arg(long, short, value_name = "MODEL")]
    pub model: String,
    /// Of a file that holds several sets of weights, one: state_dict_ema.
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// For a model that does not name its classes: a text file of their names, a line each, in the order of its outputs.
    #[arg(long, value_name = "LIST")]
    pub classes: Option<PathBuf>,
    /// Images, or folders of images.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    /// Guesses for each image.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,
    /// Average over further views of each image: horizontal_flip, five_crop, or both.
    #[arg(long, value_name = "VIEW", value_delimiter = ',', value_parser = tta)]
    pub tta: Vec<Tta>,
    /// Where tensors live: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: String,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood export`
#[derive(Debug, Args)]
pub(super) struct Export {
    /// A model file, or a stage of a pipeline: pipelines/mission2.toml:best.
    pub model: String,
    /// The new file: .pt, .pth or .safetensors.
    pub output: PathBuf,
    /// Of a file that holds several sets of weights, one: state_dict_ema.
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood tune`
#[derive(Debug, Args)]
pub(super) struct Tune {
    /// What to find.
    #[command(subcommand)]
    pub command: TuneCommand,
}

/// The commands of `kfood tune`.
#[derive(Debug, Subcommand)]
pub(super) enum TuneCommand {
    /// A learning rate: the loss over a hundred steps at exponentially rising rates.
    Lr(TuneArgs),
    /// A batch size: images a second of 8, 16, 32, … while they fit.
    Batch(TuneArgs),
}

/// What both take.
#[derive(Debug, Args)]
pub(super) struct TuneArgs {
    /// A train or transfer stage: pipelines/mission1.toml:resnet18. What it needs is run first where that is pending.
    #[arg(value_name = "FILE:STAGE")]
    pub stage: String,
    /// Where tensors live: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: String,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood data`
#[derive(Debug, Args)]
pub(super) struct Data {
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

/// `kfood sample`
#[derive(Debug, Args)]
pub(super) struct Sample {
    /// The folder to make; one that holds the same sample already is left as it is.
    pub folder: PathBuf,
    /// Another seed gives other photographs.
    #[arg(long, default_value_t = 42)]
    pub seed: u32,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood doctor`
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// `kfood cache`
#[derive(Debug, Args)]
pub(super) struct Cache {
    /// What to do with it.
    #[command(subcommand)]
    pub command: CacheCommand,
}

/// The commands of `kfood cache`.
#[derive(Debug, Subcommand)]
pub(super) enum CacheCommand {
    /// List the results in the cache.
    Ls {
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Hash every result again; damaged ones are removed and made anew by the next run.
    Verify {
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Remove results that no pipeline file or lock file below the project's root refers to.
    Gc {
        /// Say what would be removed, and remove nothing.
        #[arg(long)]
        dry_run: bool,
        /// Keep everything younger than this many days.
        #[arg(long, value_name = "DAYS", default_value_t = 0)]
        older: u32,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
}

/// `kfood help`
#[derive(Debug, Args)]
pub(super) struct Help {
    /// A command, a kind of stage or a setting: run, train, train.optimizer.sgd.
    pub topic: Vec<String>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// A kind of view.
fn tta(text: &str) -> Result<Tta, String> {
    let accepted = || format!("expected {}", name::one_of(Tta::ALL.map(Tta::name)));
    let found = Tta::ALL.into_iter().find(|tta| tta.name() == text);
    found.ok_or_else(accepted)
}

/// `auto`, `cpu` or `cuda:N`.
fn device(text: &str) -> Result<String, String> {
    let numbered = text
        .strip_prefix("cuda:")
        .is_some_and(|n| n.parse::<u16>().is_ok());
    if text == "auto" || text == "cpu" || numbered {
        return Ok(text.to_owned());
    }
    Err("expected `auto`, `cpu` or `cuda:N`".to_owned())
}
