//! Which images there are: folders, zips and lists, whatever their names are spelt in.

mod ai_hub;
mod archive;
mod beside;
mod class;
mod corrections;
mod exclude;
mod found;
mod held;
mod kinds;
mod listed_path;
mod manifest;
mod names;
mod nested;
mod parts;
mod parts_in;
mod pictures;
mod place;
mod rows;
mod scan;
mod table;
mod text;
mod walk;
mod walked;

pub use ai_hub::{Areas, SourceRow, parse_areas, parse_sources};
pub use archive::{Archive, LARGEST_ENTRY};
pub use corrections::{Corrected, Corrections};
pub use exclude::Exclusion;
pub use found::{Found, Listing, PassedOver, part_of_folder};
pub use manifest::{Rows, is_tsv, parse_manifest, read_manifest};
pub use parts::archive_way_out;
pub use parts_in::{PartsIn, parts_in};
pub use pictures::Pictures;
pub use place::Place;
pub use scan::{Reading, scan, scan_files, scan_names};
pub use table::LARGEST_LIST;
pub use walk::is_zip;
