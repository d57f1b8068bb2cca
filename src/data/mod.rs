//! Files to pixels: listing, splitting, decoding, the pack, the leak audit, and generated sample data.

pub mod audit;
mod decode;
mod equal;
mod first_look;
mod fitting;
mod listing;
mod pack;
#[cfg(feature = "libjpeg-turbo")]
mod planes;
mod resample;
pub mod sample;
mod sheet;
mod split;
mod thumbnail;

pub use decode::{JPEG_BY_COMPONENTS, JPEG_DECODER, MAX_PIXELS, WEBP_DECODER, decode};
pub use first_look::FirstLook;
pub use listing::{
    Archive, Areas, Corrected, Corrections, Exclusion, Found, LARGEST_ENTRY, LARGEST_LIST, Listing,
    PartsIn, PassedOver, Pictures, Place, Reading, Rows, SourceRow, archive_way_out,
    corrected_in_words, forms_of_path, is_tsv, is_zip, parse_areas, parse_manifest, parse_sources,
    part_of_folder, parts_in, read_manifest, scan, scan_files, scan_names,
};
pub use pack::{Fill, Filled, Look, Pack, PackWriter, Unfinished, Watch, epoch_order, gather};
pub use resample::{COMPARED_SIDE, Resampler, Row, decode_resized};
pub use sheet::{Captioned, Sheet};
pub use split::{
    Division, Groups, TestBy, across, copies, drawn_test, fold_groups, folds, given, hold_out,
    hold_out_groups, join_look_alikes, leave_out, stable, without,
};
pub use thumbnail::Thumbnails;
