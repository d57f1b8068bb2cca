//! `kfood sample`: a small data set of generated photographs.

use serde_json::json;

use crate::{
    cli::{args::Sample, print, progress::Progress},
    data::sample::{self, SampleSettings},
    error::Result,
    event::{Event, Observer},
    report::bytes,
    text::number,
    text::shown_path,
};

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
    print::out(&format!(
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
