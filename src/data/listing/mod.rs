//! Which images there are: folders, zips and lists, whatever their names are spelt in.

mod ai_hub;
mod archive;
mod class;
mod found;
mod held;
mod kinds;
mod manifest;
mod names;
mod parts;
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
pub use parts::archive_way_out;
pub use place::Place;
pub use scan::{Reading, scan};
pub use walk::{is_zip, pictures};
