//! Documents from results. Pure: records in, text out; `cli` reads the cache and prints. It knows no tensor, no stage and no pipeline
//! file.
//!
//! | what | where |
//! |---|---|
//! | what a pipeline left behind, collected by the caller | [`Results`] |
//! | numbers over several runs: a row for each recipe, pairs of recipes image by image | [`table`](fn@table), [`compare`](fn@compare) |
//! | what a data set looks like, and what is better left out of it | [`Overview`], [`exclude_list`](fn@exclude_list) |
//! | what numbers and codes mean, in sentences | `words`; headings and captions stand in their section |
//! | blocks without markup | [`Document`], filled by `sections` ([`report`]), by [`Overview::document`] and by what [`tune`](fn@learning_rates) found |
//! | Markdown, lines for a terminal, a page for a browser | `render` ([`Format`], [`Document::markdown`], [`Document::terminal`], [`Document::html`]) |
//! | the same in Korean | [`Document::in_language`], by a catalogue of sentences |
//! | what goes with a model that is handed on | [`card`](fn@card) |
//! | what other programs read | [`event_files`], [`hparams_file`], [`picture_file`], [`MlflowRun`] |

mod best;
mod by_class;
mod card;
mod changes;
mod class_order;
mod compare;
mod cost;
mod document;
mod exclude_list;
mod figure;
mod judged;
mod language;
mod mlflow;
mod overview;
mod overview_blocks;
mod pooled;
mod render;
mod results;
mod same_images;
#[cfg(test)]
mod sample;
mod sections;
mod spaced;
mod table;
mod tensorboard;
mod tune;
mod undertrained;
mod units;
mod words;

pub use card::{Card, card};
pub use changes::{Change, change_blocks, changes};
pub use compare::{Comparison, Test, Verdict, compare};
pub use document::{
    Align, Axis, Block, Cell, Column, Curve, Document, Drawing, Flow, Grid, Guess, Matrix,
    Multiples, Node, Parallel, Photograph, Place, Range, Ranges, Scale, Scatter, Series, Shot,
    Span, Text, Timeline, Unit, Upright,
};
pub use exclude_list::{ExcludeRow, exclude_csv, exclude_list, exclude_rows};
pub use figure::Figure;
pub use language::Language;
pub use mlflow::{MlflowMetric, MlflowRun};
pub use overview::{Class, LeakPair, Leaks, Overview, Seen};
pub use render::{Evidence, Format, Pictures, Thumbnail, curve};
pub use results::{
    Audited, BegunTraining, Calibrated, DataSeen, Evaluated, Group, ImageLook, MadeOf, NotOfNow,
    NotUsed, Results, Selected, Source, SplitSeen, StageMade, StageTold, Trained, Uncalibrated,
    Unused, recipe, repetition,
};
pub use same_images::on_other_images;
pub use sections::{Detail, Images, compared, comparison_blocks, not_of_now, report};
pub use table::{PartRow, Row, Table, table};
pub use tensorboard::{EVENT_FILE, Shown, event_files, hparams_file, picture_file};
pub use tune::{batch_sizes, learning_rates};
pub use units::{bytes, duration, moment, percent};
