//! `kfood fetch`: published weights, into the folder where torch keeps them.

use std::{env, path::PathBuf};

use clap::Args;

use crate::{
    cli::{
        download::{download, is_there},
        print,
        progress::Progress,
    },
    error::{Error, Result},
    event::{Event, Observer},
    settings::{Named, PRETRAINED, Pretrained, hub_folder},
    text::{shown, shown_path},
};

/// Download published weights, such as torchvision/resnet50.IMAGENET1K_V2, for `model` of a transfer.
#[derive(Debug, Args)]
pub(in crate::cli) struct Fetch {
    /// Their names; all that are known without any.
    #[arg(value_name = "WEIGHTS")]
    pub names: Vec<String>,
    /// The folder to put them into; that of torch's hub without it.
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
    /// A mirror: the address of a folder that holds their files.
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
}

pub(in crate::cli) fn fetch(args: &Fetch) -> Result<u8> {
    if args.names.is_empty() {
        let names = PRETRAINED.iter().map(|weights| weights.name);
        print::told(&names.collect::<Vec<_>>().join("\n"))?;
        return Ok(0);
    }
    let variable = |name: &str| env::var(name).ok();
    let into = args.into.clone().or_else(|| hub_folder(&variable));
    let into = into.ok_or_else(|| {
        Error::usage("there is no folder for weights, for HOME is not set")
            .help("name one: `--into weights`")
    })?;
    let all: Vec<_> = args
        .names
        .iter()
        .map(|name| named(name))
        .collect::<Result<_>>()?;
    for weights in all {
        one(weights, &into.join(weights.file()), args.from.as_deref())?;
    }
    Ok(0)
}

/// The weights of that name; those of a network that has no others.
fn named(name: &str) -> Result<&'static Pretrained> {
    match Pretrained::named(name) {
        Some(Named::Weights(weights)) => Ok(weights),
        Some(Named::Not(refusal)) => match refusal.several.as_slice() {
            [one] => named(one),
            _ => Err(Error::usage(refusal.message).help(refusal.help)),
        },
        None => {
            let message = format!("`{}` are no weights that are known", shown(name));
            Err(Error::usage(message).help("`kfood fetch` without a name lists those that are"))
        }
    }
}

fn one(weights: &'static Pretrained, to: &std::path::Path, mirror: Option<&str>) -> Result<()> {
    if is_there(to, weights.sha256())? {
        return print::told(&format!("{}: there already, and whole", shown_path(to)));
    }
    let url = match mirror {
        Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), weights.file()),
        None => weights.url.to_owned(),
    };
    let progress = Progress::new();
    let tell = |event| {
        progress.observe(&Event::Stage {
            id: weights.file().to_owned(),
            event,
        });
    };
    let fetched = download(&url, to, weights.sha256(), &tell);
    progress.end(weights.file());
    fetched.map_err(|error| match error.help_text() {
        Some(_) => error,
        None => error.help(format!(
            "fetch `{}` elsewhere, and put it into `{}`, or into `weights/` beside the pipeline",
            weights.url,
            shown_path(to.parent().unwrap_or(to))
        )),
    })?;
    print::told(&format!(
        "{}: fetched; in a transfer: model = \"{}\"",
        shown_path(to),
        weights.name
    ))
}
