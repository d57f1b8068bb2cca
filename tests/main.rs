//! What a user sees, as sentences. One program, a module for each subject.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "tests say what they skip, and share helpers among modules"
)]

mod cache;
mod commands;
mod cuda;
mod data;
mod data_settings;
mod docs;
mod folders;
mod foreign_models;
mod inherited;
mod jpegs;
mod kept;
mod key_texts;
mod layering;
mod layouts;
mod lists;
mod missions;
mod models;
mod pictures;
mod pipeline_files;
mod reference;
mod resolution;
mod resume;
mod splits;
mod stage_keys;
mod support;
mod training;
mod trust;
mod words;
