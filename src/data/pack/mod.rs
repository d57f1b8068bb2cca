//! The pack: decoded rows of equal size in one file. Its format, reading and writing it, filling it from images and from
//! earlier packs, rows of a batch.

mod copy;
mod dropped;
mod fill;
mod glance;
mod journal;
mod layout;
mod loader;
mod mean_std;
mod progress;
mod reader;
mod reuse;
mod row_jpeg;
mod rows;
mod unfinished;
mod wanted;
mod writer;

pub use fill::{Fill, Filled};
pub use loader::{epoch_order, gather};
pub use reader::Pack;
pub use rows::{Look, Watch};
pub use unfinished::Unfinished;
pub use writer::PackWriter;
