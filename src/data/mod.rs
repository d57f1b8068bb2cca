//! Files to pixels: listing, splitting, decoding, the pack, the leak audit, and generated sample data.

pub mod audit;
mod decode;
mod fitting;
mod listing;
mod pack;
#[cfg(feature = "libjpeg-turbo")]
mod planes;
mod resample;
pub mod sample;
mod sheet;
mod split;

pub use decode::{JPEG_BY_COMPONENTS, JPEG_DECODER, MAX_PIXELS, Unusable, decode};
pub use listing::{
    Archive, Areas, Exclusion, Found, LARGEST_ENTRY, Listing, PassedOver, Place, Role, Rows,
    SourceRow, is_tsv, is_zip, may_be_image, parse_areas, parse_manifest, parse_sources,
    read_manifest, scan,
};
pub use pack::{Fill, Filled, Pack, PackWriter, batches, epoch_order, gather};
pub use resample::{Resampler, Row, decode_resized};
pub use sheet::Sheet;
pub use split::{
    Division, Groups, TestBy, across, copies, drawn_test, fold_groups, folds, given, hold_out,
    hold_out_groups, join_look_alikes, leave_out, stable, without,
};
