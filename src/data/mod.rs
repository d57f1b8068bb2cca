//! Files to pixels: listing, splitting, decoding, the pack, batches of u8 pixels, and generated sample data.

mod ai_hub;
mod archive;
pub mod audit;
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
mod text;
mod unusable;
mod walk;

pub use ai_hub::{Areas, SourceRow, parse_areas, parse_sources};
pub use archive::{Archive, LARGEST_ENTRY};
pub use decode::{JPEG_DECODER, MAX_PIXELS, Unusable, decode};
pub use fill::{Fill, Filled};
pub use listing::{Found, Listing, PassedOver, Role};
pub use loader::{batches, epoch_order, gather};
pub use manifest::{is_tsv, parse_manifest, read_manifest};
pub use pack::Pack;
pub use pack_writer::PackWriter;
pub use place::Place;
pub use resample::{Resampler, Row, decode_resized};
pub use scan::scan;
pub use sheet::Sheet;
pub use split::{
    Division, Groups, across, fold_groups, folds, given, hold_out, hold_out_groups,
    join_look_alikes, leave_out, stable,
};
pub use walk::{is_zip, may_be_image};
