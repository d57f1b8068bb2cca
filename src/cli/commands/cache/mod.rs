//! `kfood cache`: list, verify, clear; send to a remote cache and fetch from it.

mod gc;
mod ls;
mod pull;
mod push;
mod remote;
mod verify;

use std::{
    env,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::{Args, Subcommand};

use crate::{
    cache::{self, Gc},
    cli::{
        args::{age, size},
        open,
    },
    error::{Error, Result},
};

/// Look after the cache.
#[derive(Debug, Args)]
pub(in crate::cli) struct Cache {
    /// What to do with it.
    #[command(subcommand)]
    pub command: CacheCommand,
}

/// The commands of `kfood cache`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CacheCommand {
    /// List the results in the cache, by the pipeline that they were first made for.
    Ls {
        /// Only those of this pipeline file.
        file: Option<PathBuf>,
        /// Only those of these stages.
        stages: Vec<String>,
        #[command(flatten)]
        afar: Afar,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Hash every result again; damaged ones are removed and made anew by the next run.
    Verify {
        #[command(flatten)]
        afar: Afar,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Remove results that no pipeline file or lock file below the project's root refers to.
    Gc {
        /// Say what would be removed, and remove nothing.
        #[arg(long)]
        dry_run: bool,
        /// Keep everything that was used since: 30d, 12h, or a number of days.
        #[arg(long, value_name = "AGE", value_parser = age)]
        older: Option<Duration>,
        /// Remove the longest unused of them until no more than this is left: 20G, 500M.
        #[arg(long, value_name = "SIZE", value_parser = size)]
        max_size: Option<u64>,
        #[command(flatten)]
        afar: Afar,
        /// Of a remote cache: no longer keep what the lock files of this pipeline pin; as seen from the project's root.
        #[arg(long, value_name = "FILE", requires = "remote")]
        forget: Vec<String>,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Send results into a remote cache; what is there already is not sent again.
    Push {
        /// The remote cache (a folder, s3://BUCKET/PLACE, gs://... or az://...; without it that of kfood.toml), then pipeline files:
        /// only their results, with pins for their lock files.
        #[arg(value_name = "PLACE|FILE")]
        words: Vec<String>,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Fetch results from a remote cache.
    Pull {
        /// The remote cache, then pipeline files: only what they need.
        #[arg(value_name = "PLACE|FILE")]
        words: Vec<String>,
        /// JSON on stdout.
        #[arg(long)]
        json: bool,
    },
}

/// That a remote cache is meant, and which.
#[derive(Debug, Args)]
pub(in crate::cli) struct Afar {
    /// Of a remote cache: a folder, s3://BUCKET/PLACE, gs://... or az://...; without a place that of kfood.toml.
    #[arg(long, value_name = "PLACE", num_args = 0..=1)]
    pub remote: Option<Option<String>>,
}

pub(in crate::cli) fn cache(args: &Cache) -> Result<u8> {
    let here = env::current_dir()
        .map_err(|e| Error::failed("cannot find the working directory").because(e))?;
    // Of a remote cache no local one is asked, and a pipeline file has that of its project.
    let cache = || cache::Cache::open(&open::cache_root(&here)?);
    match &args.command {
        CacheCommand::Ls {
            file,
            stages,
            afar,
            json,
        } => match &afar.remote {
            Some(place) => remote::list(place.as_deref(), file.as_deref(), stages, *json),
            None => ls::list(&cache()?, file.as_deref(), stages, *json),
        },
        CacheCommand::Verify { afar, json } => match &afar.remote {
            Some(place) => remote::verify(place.as_deref(), *json),
            None => verify::verify(&cache()?, *json),
        },
        CacheCommand::Push { words, json } => push::push(&here, words, *json),
        CacheCommand::Pull { words, json } => pull::pull(&here, words, *json),
        CacheCommand::Gc {
            dry_run,
            older,
            max_size,
            afar,
            forget,
            json,
        } => {
            if let Some(place) = &afar.remote {
                let limits = (*older, *max_size);
                let place = place.as_deref();
                return remote::clear(&here, place, limits, forget, (*dry_run, *json));
            }
            let cache = cache()?;
            let older_than = older.filter(|age| !age.is_zero());
            let since = SystemTime::now();
            let limits = Gc {
                since: Some(since),
                keep: gc::kept(&cache, &open::project(&here))?,
                older_than,
                max_bytes: *max_size,
            };
            gc::clear(&cache, &limits, *dry_run, *json)
        }
    }
}
