//! `kfood man`: a page of the manual for each command.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::{
    cli::{args::Cli, print},
    error::{Error, Result},
    files,
    text::{count, shown_path},
};

/// Write a page of the manual for each command into a folder, such as ~/.local/share/man/man1.
#[derive(Debug, Args)]
pub(in crate::cli) struct Man {
    /// The folder.
    folder: PathBuf,
}

pub(in crate::cli) fn man(args: &Man) -> Result<u8> {
    files::create_folder(&args.folder)?;
    let mut all = Cli::command();
    all.build();
    let mut pages = Vec::new();
    collect(&all, &mut pages);
    for command in &pages {
        let name = command
            .get_display_name()
            .unwrap_or_else(|| command.get_name());
        let path = args.folder.join(format!("{name}.1"));
        let page = clap_mangen::Man::new(command.clone());
        files::replace_with(&path, |mut to| {
            page.render(&mut to)
                .map_err(|e| Error::io("write", &path, e))
        })?;
    }
    let (pages, folder) = (count(pages.len(), "page"), shown_path(&args.folder));
    print::say(&format!("{folder}: written, {pages}"));
    Ok(0)
}

/// A command and those within it that are for users.
fn collect(command: &clap::Command, all: &mut Vec<clap::Command>) {
    all.push(command.clone());
    for within in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        collect(within, all);
    }
}
