//! Files to pixels: listing, splitting, decoding, the pack, batches of u8 pixels, and generated sample data.

mod copy;
mod decode;
mod fill;
mod fitting;
mod listing;
mod loader;
mod manifest;
mod mean_std;
mod pack;
mod pack_layout;
mod pack_writer;
mod place;
mod progress;
mod resample;
mod reuse;
mod row_jpeg;
pub mod sample;
mod scan;
mod sheet;
mod split;
mod unusable;

pub use decode::{JPEG_DECODER, MAX_PIXELS, Unusable, decode};
pub use fill::{Fill, Filled};
pub use listing::{Found, Listing, PassedOver};
pub use loader::{batches, epoch_order, gather};
pub use manifest::read_manifest;
pub use pack::Pack;
pub use pack_writer::PackWriter;
pub use place::Place;
pub use resample::{Resampler, Row, decode_resized};
pub use scan::{may_be_image, scan_folder};
pub use sheet::Sheet;
pub use split::{folds, hold_out};
