//! `kfood`: reproducible image-classification pipelines from one TOML file.
//!
//! # The map of the house
//!
//! Imports only point downwards: `tests/layering.rs` holds every `use crate::` against its table of rooms, which `docs/contributing.md`
//! draws.
//!
//! | layer | rooms | what lives there |
//! |---|---|---|
//! | L5 | [`cli`] | the commands; the only place that prints |
//! | L4 | [`exec`], [`stages`], [`worker`], [`report`] | running a plan; one file per stage kind; what `kfood-worker` does; documents from results. They never import each other |
//! | L3 | [`plan`], [`cache`] | the graph of stages; keys, store, digests, gc, remote caches. They never import each other |
//! | L2b | [`learn`] → [`model`] → [`data`] → [`native`] | tensors and pixels, in this order; they know no stage and no pipeline file; the rooms within [`learn`] have an order too |
//! | L2a | [`stage`] | the trait `Stage`, its inputs and outputs, the context of a run |
//! | L1 | [`config`] → [`settings`]; [`stats`] → [`record`]; [`event`] | data only: pipeline text to typed values; what is written down; metrics and intervals as arithmetic on slices; what is told while running |
//! | L0 | [`cells`], [`digest`], [`error`], [`files`], [`name`], [`seed`], `space`, [`spelt`], [`stop`], [`text`] | text in CSV cells, blake3, errors, path-carrying I/O, names, random streams, full disks in words, the file that a name means, words: names shown safely, counts |
//!
//! Two programs use it: `kfood` (files, plan, cache, report) reaches no tensor code and starts in about a millisecond;
//! `kfood-worker` is started by it for a stage that needs tensors ([`worker`], [`learn`], [`model`]), and is built with the feature
//! `tensors`.

pub mod cache;
pub mod cells;
pub mod cli;
pub mod config;
pub mod data;
pub mod digest;
pub mod error;
pub mod event;
pub mod exec;
pub mod files;
#[cfg(feature = "tensors")]
pub mod learn;
pub mod model;
pub mod name;
pub mod native;
pub mod plan;
pub mod record;
pub mod report;
pub mod seed;
pub mod settings;
mod space;
pub mod spelt;
pub mod stage;
pub mod stages;
pub mod stats;
pub mod stop;
pub mod text;
#[cfg(feature = "tensors")]
pub mod worker;
