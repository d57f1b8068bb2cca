//! `kfood report`: the results of a finished pipeline as Markdown.

use crate::{
    cli::{args::Report, open, print, progress::Progress, results},
    error::Result,
    exec, files, report as render,
};

pub(in crate::cli) fn report(args: &Report) -> Result<u8> {
    let opened = open::open(&args.file)?;
    let summary = exec::resolve(
        &opened.stages,
        &opened.targets(&[]),
        &opened.cache,
        &Progress::new(),
    )?;
    let results = results::collect(&opened, &summary, true)?;
    if args.json {
        print::json(&render::table(&results))?;
        return Ok(0);
    }
    let text = render::markdown(&results, None)?;
    match &args.output {
        Some(path) => {
            files::publish(path, text.as_bytes())?;
            print::say(&format!("{}: written", path.display()));
        }
        None => print::out(&text)?,
    }
    Ok(0)
}
