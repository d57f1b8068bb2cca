//! Text as people save it: UTF-8, UTF-16 with a mark, or CP949 from a Korean Windows.

use encoding_rs::{EUC_KR, Encoding};

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
    }
}
