//! UTF-32, which no program reads and some write: it is known so that it can be called by its name.

/// The name of the form of UTF-32 that bytes are text in, as `iconv` calls it: by its mark, or by the zeros of which every four bytes
/// have two at least, always in the same places.
#[must_use]
pub fn utf32(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => return Some("UTF-32LE"),
        [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32BE"),
        _ => {}
    }
    let mut some = bytes[..bytes.len().min(4_096)].chunks_exact(4);
    let text = |at: fn([u8; 4]) -> u32| {
        let letter = |four: &[u8]| {
            let value = <[u8; 4]>::try_from(four).map_or(0, at);
            value != 0 && char::from_u32(value).is_some()
        };
        some.len() >= 2 && some.clone().all(letter)
    };
    let name = match (text(u32::from_le_bytes), text(u32::from_be_bytes)) {
        (true, false) => Some("UTF-32LE"),
        (false, true) => Some("UTF-32BE"),
        _ => None,
    };
    name.filter(|_| some.next().is_some() && bytes.len().is_multiple_of(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_with_and_without_a_mark_and_nothing_else_is_it() {
        let wide = |text: &str, order: fn(u32) -> [u8; 4]| -> Vec<u8> {
            text.chars().flat_map(|c| order(c as u32)).collect()
        };
        for text in ["path,label\n김밥,1\n", "\u{feff}path"] {
            assert_eq!(utf32(&wide(text, u32::to_le_bytes)), Some("UTF-32LE"));
            assert_eq!(utf32(&wide(text, u32::to_be_bytes)), Some("UTF-32BE"));
        }
        let utf16: Vec<u8> = "path,label\n김밥,"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for other in [&b"path"[..], b"pat\0path", b"", b"\0\0\0\0\0\0\0\0", &utf16] {
            assert_eq!(utf32(other), None);
        }
    }
}
