//! `kfood help`: commands, kinds of stages, settings as they are declared, and pages of the documentation.

mod page;

use clap::{Args, CommandFactory};
use serde_json::json;

use crate::{
    cli::{
        args::Cli,
        print,
        reference::{Topic, kinds},
    },
    config::{About, settings_of},
    error::{Error, Result},
    name,
    text::{shown, wrapped},
};

/// Say what a command, a kind of stage or a setting is (kfood help train.optimizer), or show a page of the documentation (kfood help training).
#[derive(Debug, Args)]
pub(in crate::cli) struct Help {
    /// A command, a kind of stage, a setting or a page: run, train, train.optimizer.sgd, training.
    pub topic: Vec<String>,
    /// JSON on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Places of a setting that are named.
const MOST: usize = 4;
/// Settings are looked for so deep: `train.optimizer.sgd.lr`.
const DEEPEST: usize = 3;
/// What is no setting of a kind, and the page that tells of it.
const OF_EVERY_STAGE: [(&str, &str); 1] = [("matrix", "pipeline-file")];

/// Lines are no longer than this, however wide the terminal is.
const WIDEST: u16 = 100;

pub(in crate::cli) fn help(args: &Help) -> Result<u8> {
    let width = usize::from(print::width().unwrap_or(80).min(WIDEST));
    let Some((first, rest)) = args.topic.split_first() else {
        return overview(args, width);
    };
    let page = rest.is_empty().then(|| page::page(first, width)).flatten();
    // What is the name of both is shown as both.
    let told = command(&args.topic).into_iter().chain(page);
    let told = told.reduce(|command, page| format!("{}\n\n\n{page}", command.trim_end()));
    if let Some(text) = told {
        return print::out(&text).map(|()| 0);
    }
    if !rest.is_empty() {
        let message = format!("there is no command `{}`", shown(&args.topic.join(" ")));
        let help = "a setting is named in one word: `kfood help train.optimizer.sgd`";
        return Err(Error::usage(message).help(help));
    }
    let topic = topic(first)?;
    match args.json {
        true => print::json(&topic)?,
        false => print::out(&topic.text(width))?,
    }
    Ok(0)
}

fn overview(args: &Help, width: usize) -> Result<u8> {
    if args.json {
        let all = config_kinds().map(
            |kind| json!({ "kind": kind.name, "doc": kind.doc, "settings": settings_of(kind) }),
        );
        print::json(&all.collect::<Vec<_>>())?;
        return Ok(0);
    }
    let commands = Cli::command().render_long_help().to_string();
    let pages = page::names().map(|name| format!("`kfood help {name}`"));
    let pages = format!("Pages: {}", pages.collect::<Vec<_>>().join(", "));
    let pages = wrapped(&pages, 0, width);
    let kinds = kinds(width);
    print::out(&format!(
        "{}\n\n{}\n\n{pages}",
        commands.trim_end(),
        kinds.trim_end()
    ))?;
    Ok(0)
}

fn config_kinds() -> impl Iterator<Item = &'static About> {
    crate::config::KINDS.iter()
}

/// The help of a command, as clap has it.
fn command(names: &[String]) -> Option<String> {
    let mut found = Cli::command();
    found.build();
    for name in names {
        let below = found.find_subcommand(name).filter(|c| !c.is_hide_set());
        found = below?.clone();
    }
    Some(found.render_long_help().to_string())
}

/// A kind or a setting by its path: `train.optimizer.sgd`.
fn topic(path: &str) -> Result<Topic> {
    let mut words = path.split('.');
    let first = words.next().unwrap_or_default();
    let Some(kind) = About::named(first) else {
        return Err(unknown_kind(first));
    };
    let mut topic = Topic::of_kind(kind);
    for word in words {
        let Some(next) = topic.below(word) else {
            let names: Vec<_> = topic.parts().iter().map(|part| part.name.clone()).collect();
            let message = match names.is_empty() {
                true => format!("`{}` has no settings of its own", topic.path),
                false => format!("`{}` has no setting `{}`", topic.path, shown(word)),
            };
            let near = name::nearest(word, names.iter().map(String::as_str));
            let help = near.map_or(
                format!("`kfood help {}` lists what it has", topic.path),
                |near| format!("did you mean `kfood help {}.{near}`?", topic.path),
            );
            return Err(Error::usage(message).help(help));
        };
        topic = next;
    }
    Ok(topic)
}

/// Settings of this name and words that a setting may have, by where they stand; those that are the least deep.
fn places(word: &str) -> Vec<String> {
    let mut level: Vec<Topic> = config_kinds().map(Topic::of_kind).collect();
    for _ in 0..DEEPEST {
        level = level.iter().flat_map(Topic::parts).collect();
        let found = level.iter().filter(|topic| topic.name == word);
        let found: Vec<String> = found.map(|topic| topic.path.clone()).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// A word that is neither a command nor a kind: a setting without its kind, or a misspelt one.
fn unknown_kind(word: &str) -> Error {
    let places = places(word);
    if !places.is_empty() {
        let message = format!("`{}` is a setting, and no kind of stage", shown(word));
        let places = places.iter().take(MOST);
        let places: Vec<_> = places.map(|place| format!("kfood help {place}")).collect();
        let places = name::one_of(places.iter().map(String::as_str));
        return Error::usage(message).help(format!("write {places}"));
    }
    if let Some((_, page)) = OF_EVERY_STAGE.iter().find(|(known, _)| *known == word) {
        let message = format!("`{word}` is no kind of stage: it may stand in any of them");
        return Error::usage(message).help(format!("`kfood help {page}` tells of it"));
    }
    let cli = Cli::command();
    let commands = cli.get_subcommands().filter(|c| !c.is_hide_set());
    let commands = commands.map(clap::Command::get_name);
    let known: Vec<_> = commands
        .chain(About::names())
        .chain(page::names())
        .collect();
    let message = format!("`{}` is neither a command nor a kind of stage", shown(word));
    let help = match name::nearest(word, known) {
        Some(near) => format!("did you mean `kfood help {near}`?"),
        None => "`kfood help` lists both".to_owned(),
    };
    Error::usage(message).help(help)
}
