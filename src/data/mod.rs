//! Files to pixels: listing, splitting, decoding, the pack, batches of u8 pixels, and generated sample data.

pub mod audit;
mod decode;
mod jpeg;
mod listing;
mod loader;
mod manifest;
mod mean_std;
mod pack;
mod pack_writer;
mod place;
mod resample;
pub mod sample;
mod scan;
mod sniff;
mod split;

pub use decode::{MAX_PIXELS, Unusable, decode};
pub use listing::{Found, Listing, PassedOver};
pub use loader::{batches, epoch_order, gather};
pub use manifest::read_manifest;
pub use pack::Pack;
pub use pack_writer::PackWriter;
pub use place::Place;
pub use resample::{Resampler, Row, decode_resized};
pub use scan::{may_be_image, scan_folder};
pub use split::{
    Division, Groups, across, fold_groups, folds, given, hold_out, hold_out_groups,
    join_look_alikes, leave_out, stable,
};
