//! Files to pixels: listing, splitting, decoding, the pack, batches of u8 pixels, and generated sample data.

mod ai_hub;
mod archive;
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
mod text;
mod walk;

pub use ai_hub::{Areas, SourceRow, parse_areas, parse_sources};
pub use archive::{Archive, LARGEST_ENTRY};
pub use decode::{MAX_PIXELS, Unusable, decode};
pub use listing::{Found, Listing, PassedOver, Role};
pub use loader::{batches, epoch_order, gather};
pub use manifest::{is_tsv, parse_manifest, read_manifest};
pub use pack::Pack;
pub use pack_writer::PackWriter;
pub use place::Place;
pub use resample::{Resampler, Row, decode_resized};
pub use scan::scan;
pub use split::{folds, hold_out};
pub use walk::{is_zip, may_be_image};
