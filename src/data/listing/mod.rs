//! Which images there are: folders, zips and lists, whatever their names are spelt in.

mod ai_hub;
mod archive;
mod found;
mod manifest;
mod names;
mod place;
#[allow(dead_code, reason = "lists resolve their paths by it")]
mod resolve;
mod scan;
mod text;
mod walk;

pub use ai_hub::{Areas, SourceRow, parse_areas, parse_sources};
pub use archive::{Archive, LARGEST_ENTRY};
pub use found::{Found, Listing, PassedOver, Role};
pub use manifest::{is_tsv, parse_manifest, read_manifest};
pub use place::Place;
pub use scan::scan;
pub use walk::{is_zip, may_be_image};
