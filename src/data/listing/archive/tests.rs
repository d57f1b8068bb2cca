//! Entries come back whole and in any order; damage and hostile bytes are told and never panic.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn open(entries: &[(&str, &[u8])]) -> (Vec<u8>, Archive) {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, bytes)) in entries.iter().enumerate() {
        let method = [CompressionMethod::Stored, CompressionMethod::Deflated][i % 2];
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let archive = Archive::from_bytes(Path::new("a.zip"), bytes.clone()).unwrap();
    (bytes, archive)
}

#[test]
fn stored_and_deflated_entries_are_read_in_any_order_by_many_threads() {
    let long = vec![7; 300_000];
    let (_, archive) = open(&[("가/1", b"one"), ("가/2", &long), ("나/3", &long[1..])]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(*archive.read(2).unwrap(), long[1..]);
                assert_eq!(*archive.read(0).unwrap(), *b"one");
                assert_eq!(*archive.read(1).unwrap(), *long);
                assert_eq!(archive.digest(1).unwrap(), (Digest::of(&long), 300_000));
            });
        }
    });
}

#[test]
fn names_stay_below_their_root() {
    for (name, kept) in [
        ("../../etc/x", "etc/x"),
        ("/a/./b//c", "a/b/c"),
        ("C:\\a\\..\\b", "b"),
        ("..", ""),
        ("\u{1100}\u{1175}\u{11b7}/1", "김/1"),
    ] {
        assert_eq!(normal(name), kept);
    }
}

#[test]
fn damage_is_told_in_words() {
    let (bytes, _) = open(&[("a/1", b"some bytes")]);
    let error = |bytes: Vec<u8>| match Archive::from_bytes(Path::new("a.zip"), bytes) {
        Ok(archive) => archive.read(0).unwrap_err().to_string(),
        Err(e) => e.to_string(),
    };
    assert!(error(bytes[..bytes.len() / 2].to_vec()).contains("no whole zip archive"));
    let mut flipped = bytes.clone();
    let at = bytes.windows(4).position(|w| w == b"some").unwrap();
    flipped[at] ^= 1;
    assert!(error(flipped).contains("`a/1` in `a.zip` is damaged"));
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let mut large = bytes.clone();
    large[directory + 24..directory + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert!(error(large).contains("at most 512 MB"));
    let mut secret = bytes.clone();
    secret[directory + 8] |= 1;
    assert!(error(secret).contains("is encrypted"));
    let mut method = bytes;
    method[directory + 10] = 9;
    assert!(error(method).contains("accepted are stored and deflate"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_changed_zip_is_read_or_refused(changes in proptest::collection::vec((0_usize..400, any::<u8>()), 1..6), cut in 0_usize..400) {
        let (mut bytes, _) = open(&[("가/1", b"one"), ("가/2", &[7; 60])]);
        let length = bytes.len();
        for (at, byte) in changes {
            bytes[at % length] = byte;
        }
        if cut % 4 == 0 {
            bytes.truncate(cut);
        }
        if let Ok(archive) = Archive::from_bytes(Path::new("a.zip"), bytes) {
            for (i, entry) in archive.entries().iter().enumerate() {
                prop_assert!(entry.name.split('/').all(|part| part != ".."));
                let _ = archive.read(i);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"=,\t\n\"-.019"[..])], 0..120)) {
        let _ = crate::data::parse_areas(&bytes);
        let _ = crate::data::parse_sources(&bytes);
        let list = [b"path,label,part\n", &bytes[..]].concat();
        let _ = crate::data::parse_manifest(&list, false, "list.csv");
    }
}
