//! Whatever the bytes are, reading a list, boxes, addresses or a zip ends with a value or an error in words.
#![no_main]

use std::path::Path;

use kfood::data::{Archive, parse_areas, parse_manifest, parse_sources};
use libfuzzer_sys::fuzz_target;

/// So many entries of one archive are read; more of them show nothing new.
const MOST: usize = 16;

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 4 {
        0 => {
            let _ = parse_manifest(data, kind & 4 != 0, "list.csv");
        }
        1 => {
            for area in parse_areas(data).boxes.values() {
                assert!(area.width > 0 && area.height > 0);
                assert!(area.x.checked_add(area.width).is_some());
            }
        }
        2 => {
            for row in parse_sources(data) {
                assert!(row.url.contains("://"));
            }
        }
        _ => {
            let Ok(archive) = Archive::from_bytes(Path::new("a.zip"), data.to_vec()) else {
                return;
            };
            for (i, entry) in archive.entries().iter().enumerate() {
                assert!(!entry.name.starts_with('/'));
                assert!(entry.name.split('/').all(|part| part != ".."));
                if i < MOST {
                    let _ = archive.read(i);
                }
            }
        }
    }
});
