//! Which images there are: folders, zips and lists, whatever their names are spelt in.

mod ai_hub;
mod archive;
mod exclude;
mod found;
mod listed_path;
mod manifest;
mod place;
mod rows;
mod scan;
mod text;
mod walk;

#[allow(
    unused_imports,
    reason = "the walkers of folders and zips read names by it"
)]
use crate::spelt as names;
pub use ai_hub::{Areas, SourceRow, parse_areas, parse_sources};
pub use archive::{Archive, LARGEST_ENTRY};
pub use exclude::Exclusion;
pub use found::{Found, Listing, PassedOver, Role};
pub use manifest::{Rows, is_tsv, parse_manifest, read_manifest};
pub use place::Place;
pub use scan::scan;
pub use walk::{is_zip, may_be_image};
