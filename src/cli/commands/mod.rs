//! One file for each command: a few statements that read as the flow of data.

pub(super) mod browse;
pub(super) mod cache;
pub(super) mod check;
pub(super) mod compare;
pub(super) mod data;
pub(super) mod doctor;
pub(super) mod explain;
pub(super) mod export;
pub(super) mod graph;
pub(super) mod help;
pub(super) mod plan;
pub(super) mod predict;
pub(super) mod report;
pub(super) mod run;
pub(super) mod sample;
pub(super) mod tune;
