//! Whatever the bytes are, reading a list, boxes or addresses ends with a value or an error in words.

use kfood::data::{parse_areas, parse_manifest, parse_sources};

/// The first byte chooses what is read.
pub fn list(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => {
            let _ = parse_manifest(data, kind & 4 != 0, "list.csv");
        }
        1 => {
            for area in parse_areas(data).boxes.values() {
                assert!(area.width > 0 && area.height > 0);
                assert!(area.x.checked_add(area.width).is_some());
            }
        }
        _ => {
            for row in parse_sources(data) {
                assert!(row.url.contains("://"));
            }
        }
    }
}
