//! What a user sees, as sentences. One program, a module for each subject.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests say what they see, and share helpers among modules"
)]

mod cache;
#[cfg(feature = "tensors")]
mod cluster;
mod commands;
mod corpora;
mod crates;
#[cfg(feature = "tensors")]
mod cuda;
mod data;
mod data_settings;
mod docs;
#[cfg(feature = "tensors")]
mod exports;
mod folders;
#[cfg(feature = "tensors")]
mod foreign_models;
#[cfg(feature = "tensors")]
mod inherited;
mod jpegs;
#[cfg(feature = "tensors")]
mod kept;
mod key_texts;
mod labels;
mod layering;
mod layouts;
mod lists;
mod missions;
#[cfg(feature = "tensors")]
mod mistaken_models;
#[cfg(feature = "tensors")]
mod models;
#[cfg(feature = "tensors")]
mod networks;
#[cfg(feature = "tensors")]
mod pages;
mod pictures;
mod pipeline_files;
mod place;
#[cfg(feature = "tensors")]
mod predictions;
#[cfg(feature = "tensors")]
mod pretrained;
mod python;
mod reference;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "tensors")]
mod resolution;
#[cfg(feature = "tensors")]
mod results;
#[cfg(feature = "tensors")]
mod resume;
mod schema;
mod snapshots;
mod splits;
mod stage_keys;
mod support;
mod terminals;
mod toml_words;
#[cfg(feature = "tensors")]
mod training;
mod trust;
mod verdicts;
#[cfg(not(feature = "tensors"))]
mod without_tensors;
mod words;
mod written_names;
