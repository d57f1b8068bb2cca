use super::*;

/// An EXIF profile with one tag.
fn profile(big_endian: bool, tag: u16, kind: u16, count: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = if big_endian {
        b"MM\0*".to_vec()
    } else {
        b"II*\0".to_vec()
    };
    let mut add = |number: u64, length: usize| {
        let of = number.to_be_bytes();
        let of = &of[8 - length..];
        match big_endian {
            true => bytes.extend(of),
            false => bytes.extend(of.iter().rev()),
        }
    };
    for (number, length) in [(8, 4), (1, 2), (tag.into(), 2), (kind.into(), 2)] {
        add(number, length);
    }
    add(count.into(), 4);
    bytes.extend(value);
    bytes.resize(22, 0);
    bytes.extend([0; 4]);
    bytes
}

/// A number of so many bytes in the order of a profile.
fn bytes_of(big_endian: bool, number: u64, length: usize) -> Vec<u8> {
    match big_endian {
        true => number.to_be_bytes()[8 - length..].to_vec(),
        false => number.to_le_bytes()[..length].to_vec(),
    }
}

fn said(profile: &[u8]) -> Option<u8> {
    exif::tags(profile).orientation
}

#[test]
fn an_orientation_is_a_number_of_any_type_in_either_byte_order() {
    for big in [false, true] {
        let one = |kind, number, length| {
            said(&profile(big, 274, kind, 1, &bytes_of(big, number, length)))
        };
        for number in 1..=8 {
            for (kind, length) in [(3, 2), (4, 4), (6, 1), (8, 2), (9, 4), (13, 4)] {
                assert_eq!(one(kind, number, length), Some(number as u8), "type {kind}");
            }
            let float = f64::from(number as u32);
            assert_eq!(
                one(11, (float as f32).to_bits().into(), 4),
                Some(number as u8)
            );
        }
        for nonsense in [0, 9, 0xffff] {
            assert_eq!(one(3, nonsense, 2), Some(0));
        }
        // Bytes and text are no number; of an unknown type nothing is known.
        assert_eq!((one(1, 6, 1), one(2, 0x36, 1)), (Some(0), Some(0)));
        assert_eq!((one(7, 6, 1), one(77, 6, 1)), (Some(0), None));
        // Two values fit, no value says nothing, and what lies outside is not there.
        let many = |count| said(&profile(big, 274, 3, count, &bytes_of(big, 6, 2)));
        assert_eq!((many(2), many(0)), (Some(6), None));
        let afar = |count| said(&profile(big, 274, 3, count, &bytes_of(big, 0x6000, 4)));
        assert_eq!((afar(3), afar(u32::MAX)), (None, None));
        let mut outside = profile(big, 274, 5, 1, &bytes_of(big, 26, 4));
        assert_eq!(said(&outside), None);
        outside.extend(bytes_of(big, 12, 4));
        outside.extend(bytes_of(big, 2, 4));
        assert_eq!(said(&outside), Some(6));
    }
}

#[test]
fn what_is_cut_or_changed_anywhere_is_no_reason_to_panic() {
    for big in [false, true] {
        let whole = profile(big, 274, 3, 1, &bytes_of(big, 6, 2));
        for end in 0..whole.len() {
            let _ = said(&whole[..end]);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 43, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let _ = said(&bytes);
            }
        }
    }
}

#[test]
fn xmp_is_asked_where_exif_has_no_such_tag() {
    let xmp = |text: &str| [xmp::NAMESPACE, text.as_bytes()].concat();
    let exif = |tag, number| {
        let profile = profile(false, tag, 3, 1, &bytes_of(false, number, 2));
        [b"Exif\0\0", profile.as_slice()].concat()
    };
    let turn = |segments: &[Vec<u8>]| {
        let mut profiles = Profiles::default();
        for segment in segments {
            profiles.app1(segment);
        }
        let turn = profiles.turn();
        (turn.orientation.to_exif(), turn.by)
    };
    let six = xmp(r#"<rdf:Description tiff:Orientation="6"/>"#);
    let element = xmp("<tiff:Orientation>6</tiff:Orientation>");
    let quoted = xmp("<x tiff:Orientation = '6'>");
    for segments in [
        vec![six.clone()],
        vec![element],
        vec![quoted],
        vec![exif(271, 6), six.clone()],
        vec![b"Exif\0\0garbage".to_vec(), six.clone()],
        vec![xmp(r#"tiff:Orientation="" tiff:Orientation="6""#)],
    ] {
        assert_eq!(turn(&segments), (6, "XMP"));
    }
    assert_eq!(turn(&[exif(274, 8), six.clone()]), (8, "EXIF"));
    assert_eq!(turn(&[six.clone(), exif(274, 1)]), (1, "EXIF"));
    assert_eq!(turn(&[exif(274, 0), six]), (1, ""));
    // The second segment goes on where the first one ended.
    assert_eq!(turn(&[exif(274, 6), exif(274, 3)]), (6, "EXIF"));
    assert_eq!(turn(&[exif(271, 6), exif(274, 3)]), (1, ""));
    assert_eq!(turn(&[b"Exif\0\0".to_vec(), exif(274, 3)]), (3, "EXIF"));
}
