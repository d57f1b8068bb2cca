//! Text as people save it: UTF-8, UTF-16 with a mark, or CP949 from a Korean Windows.

use encoding_rs::{EUC_KR, Encoding, UTF_16BE, UTF_16LE};

/// The name of the encoding that is told where a text is not UTF-8.
pub(super) const CP949: &str = "CP949";

/// The text of bytes and, where they are not UTF-8, what they were read as. A byte-order mark is taken off.
///
/// `None` where they are neither UTF-8, nor UTF-16 with a mark, nor CP949 (which the web calls EUC-KR).
pub(super) fn decode(bytes: &[u8]) -> Option<(String, Option<&'static str>)> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..])?;
        let told = (encoding != encoding_rs::UTF_8).then(|| encoding.name());
        return Some((text.into_owned(), told));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some((text.to_owned(), None));
    }
    let text = EUC_KR.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some((text.into_owned(), Some(CP949)))
}

/// As [`decode`], for whole files: UTF-16 without a mark is known by its zero bytes, of which no other text has any.
pub(super) fn decode_file(bytes: &[u8]) -> Option<(String, Option<&'static str>)> {
    let zeros = |from: usize| {
        bytes
            .iter()
            .skip(from)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (high, low) = (zeros(0), zeros(1));
    // A stray zero in another text is none of these: here the signs of ASCII, commas and line ends at least, have one each, all on one side.
    // UTF-16 of ASCII alone is UTF-8 too, and has many: one zero in such a text is stray all the same.
    let enough = (high.max(low) >= 4 || std::str::from_utf8(bytes).is_err())
        && high.max(low) * 32 >= bytes.len()
        && high.min(low) * 8 <= high.max(low);
    if bytes.len().is_multiple_of(2)
        && high + low > 0
        && enough
        && Encoding::for_bom(bytes).is_none()
    {
        let encoding = if low > high { UTF_16LE } else { UTF_16BE };
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
        if let Some(text) = text.filter(|text| !text.contains('\0')) {
            return Some((text.into_owned(), Some(encoding.name())));
        }
    }
    decode(bytes)
}

/// As [`decode`], with a sign for what cannot be understood: for files whose broken lines are passed over anyway.
pub(super) fn decode_lossy(bytes: &[u8]) -> String {
    decode(bytes).map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |(t, _)| t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_encodings_of_a_korean_text_are_one() {
        let (cp949, _, _) = EUC_KR.encode("김밥,똠방각하");
        let utf16: Vec<u8> = [0xFEFF]
            .into_iter()
            .chain("김밥,똠방각하".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let read = |bytes: &[u8]| decode(bytes).unwrap();
        assert_eq!(read("\u{feff}김밥".as_bytes()), ("김밥".to_owned(), None));
        assert_eq!(read(&cp949), ("김밥,똠방각하".to_owned(), Some("CP949")));
        assert_eq!(read(&utf16), ("김밥,똠방각하".to_owned(), Some("UTF-16LE")));
        assert!(decode(b"\xff\xff\xff").is_none());
        let stray = b"path,label\na/1.jpg,a\0\n";
        assert_eq!(decode_file(stray).unwrap().1, None);
        let without_mark = |utf16: &[u8]| decode_file(&utf16[2..]).unwrap();
        let swapped: Vec<u8> = utf16.chunks(2).flat_map(|c| [c[1], c[0]]).collect();
        assert_eq!(without_mark(&utf16).1, Some("UTF-16LE"));
        assert_eq!(
            without_mark(&swapped),
            ("김밥,똠방각하".to_owned(), Some("UTF-16BE"))
        );
    }
}
