//! `kfood sample`: a small data set of generated photographs.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    cli::{print, progress::Progress},
    data::sample::{self, SampleSettings},
    error::Result,
    event::{Event, Observer},
    report::bytes,
    text::{number, shown_path},
};

/// Make a small data set of generated photographs of dishes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Sample {
    /// The folder to make; one that holds the same sample already is left as it is.
    pub folder: PathBuf,
    /// Another seed gives other photographs.
    #[arg(long, default_value_t = 42)]
    pub seed: u32,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

pub(in crate::cli) fn sample(args: &Sample) -> Result<u8> {
    let settings = SampleSettings {
        seed: args.seed,
        ..SampleSettings::default()
    };
    let progress = Progress::new();
    let tell = |event| {
        progress.observe(&Event::Stage {
            id: "sample".to_owned(),
            event,
        });
    };
    let made = sample::write(&args.folder, &settings, &tell)?;
    progress.end("sample");
    if args.json {
        print::json(&json!({
            "folder": args.folder, "images": made.images, "classes": made.classes,
            "health_classes": made.health_classes, "planted": made.planted, "bytes": made.bytes,
        }))?;
        return Ok(0);
    }
    print::told(&format!(
        "{}: {} photographs of {} dishes and {} more in `health`, {}; {} test images are look-alikes (planted.csv)",
        shown_path(&args.folder),
        number(made.images as u64),
        made.classes,
        made.health_classes,
        bytes(made.bytes),
        made.planted
    ))?;
    Ok(0)
}
