//! Tables, comparisons and Markdown from results. Pure: data in, text out; `cli` reads the cache and prints.
//!
//! - [`Results`]: what a pipeline's evaluations and trainings left behind, collected by the caller.
//! - [`table`]: a row for each group of evaluations that differ in seed or fold alone.
//! - [`compare`]: pairs of groups, image by image, with intervals and McNemar's test.
//! - [`markdown`]: all of it as a document. The same results give the same bytes: no dates, and no times but those recorded beside them.

mod classes;
mod compare;
mod curve;
mod exclude_list;
mod figure;
mod grid;
mod markdown;
mod overview;
mod overview_text;
mod predictions;
mod results;
#[cfg(test)]
mod sample;
mod table;
mod tensorboard;
mod tune;
mod units;
mod words;

pub use compare::{Comparison, Test, Verdict, compare, comparison_grid};
pub use exclude_list::{ExcludeRow, exclude_csv, exclude_list, exclude_rows};
pub use figure::Figure;
pub use grid::{Align, Grid};
pub use markdown::markdown;
pub use overview::{Class, LeakPair, Leaks, Overview, Seen};
pub use predictions::predictions;
pub use results::{Evaluated, Group, MadeOf, NotUsed, Results, Trained, Unused};
pub use table::{PartRow, Row, Table, table};
pub use tensorboard::{EVENT_FILE, event_files};
pub use tune::{batch_sizes, learning_rates};
pub use units::{bytes, duration, percent};
