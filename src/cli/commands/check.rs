//! `kfood check`: every mistake of every file.

use serde_json::json;

use crate::{
    cli::{args::Check, print},
    config,
    error::Result,
    text::shown_path,
};

pub(in crate::cli) fn check(args: &Check) -> Result<u8> {
    let checked: Vec<_> = args
        .files
        .iter()
        .map(|file| (file, config::load(file)))
        .collect();
    let mistaken = checked.iter().any(|(_, loaded)| loaded.is_err());
    if args.json {
        let mistakes: Vec<_> = checked
            .iter()
            .filter_map(|(_, loaded)| loaded.as_ref().err())
            .flat_map(config::Mistakes::rows)
            .collect();
        print::json(&json!({ "mistakes": mistakes }))?;
        return Ok(if mistaken { 2 } else { 0 });
    }
    for (file, loaded) in checked {
        match loaded {
            Ok(pipeline) => {
                let stages = pipeline.instances.len();
                let s = if stages == 1 { "" } else { "s" };
                print::out(&format!(
                    "{}: {stages} stage{s}, no mistakes",
                    shown_path(file)
                ))?;
            }
            Err(mistakes) => print::error(&mistakes.into()),
        }
    }
    Ok(if mistaken { 2 } else { 0 })
}
