//! The text of a pipeline file: UTF-8, with or without a byte order mark; other encodings are told by name.

use encoding_rs::EUC_KR;

use crate::text;

/// A file that is no UTF-8 text.
pub(crate) struct NotUtf8 {
    /// What it seems to be.
    pub message: String,
    /// The way out.
    pub help: String,
    /// The text as well as it can be read and the place of the first odd character in it, in bytes; `None` where no place is
    /// to be shown.
    pub place: Option<(String, usize)>,
}

/// The text of a file's bytes, without a byte order mark.
///
/// # Errors
/// When it is not UTF-8; named where it is UTF-32, UTF-16 or CP949.
pub(crate) fn decode(mut bytes: Vec<u8>, shown: &str) -> Result<String, NotUtf8> {
    if let Some(name) = text::utf32(&bytes).or_else(|| utf16(&bytes)) {
        return Err(other(name, shown, None));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            Some(_) => return Err(no_text()),
            None => return Ok(text),
        },
        Err(error) => error,
    };
    let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
    if bytes.contains(&0) {
        return Err(no_text());
    }
    // CP949, with which Korean Windows writes, is EUC-KR with more characters, and goes by that name in the standard.
    if let Some(text) = EUC_KR.decode_without_bom_handling_and_without_replacement(bytes)
        && text.chars().any(|c| ('가'..='힣').contains(&c))
    {
        let first = text.find(|c: char| !c.is_ascii()).unwrap_or(0);
        return Err(other("CP949", shown, Some((text.into_owned(), first))));
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    Err(NotUtf8 {
        message: "the file is not UTF-8 text".to_owned(),
        help: "save it as UTF-8 in your editor".to_owned(),
        place: Some((text, at)),
    })
}

fn other(name: &str, shown: &str, place: Option<(String, usize)>) -> NotUtf8 {
    NotUtf8 {
        message: format!("the file is {name} text, expected UTF-8"),
        help: format!(
            "save it as UTF-8 in your editor, or convert it: `iconv -f {name} -t UTF-8 {shown} > utf8.toml`"
        ),
        place,
    }
}

fn no_text() -> NotUtf8 {
    NotUtf8 {
        message: "the file is no text".to_owned(),
        help: "name a pipeline file, such as `pipelines/mission1.toml`".to_owned(),
        place: None,
    }
}

/// UTF-16 by its mark, or by the zeros that every second byte of mostly Latin text is.
fn utf16(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] => return Some("UTF-16LE"),
        [0xfe, 0xff, ..] => return Some("UTF-16BE"),
        _ => {}
    }
    let some = &bytes[..bytes.len().min(1_024)];
    let zeros = |start: usize| {
        some.iter()
            .skip(start)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd, pairs) = (zeros(0), zeros(1), some.len() / 2);
    match pairs {
        0 | 1 => None,
        _ if even == 0 && odd * 2 > pairs => Some("UTF-16LE"),
        _ if odd == 0 && even * 2 > pairs => Some("UTF-16BE"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(bytes: &[u8]) -> String {
        decode(bytes.to_vec(), "a.toml")
            .err()
            .map_or_else(String::new, |e| e.message)
    }

    #[test]
    fn a_mark_in_front_is_no_part_of_the_text() {
        let text = decode(b"\xef\xbb\xbfseed = 1".to_vec(), "a.toml");
        assert_eq!(text.ok().as_deref(), Some("seed = 1"));
    }

    #[test]
    fn other_encodings_are_called_by_their_names() {
        let wide = |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        let text = "seed = 1 # 김밥";
        assert!(named(&wide(text, u16::to_le_bytes)).contains("UTF-16LE"));
        assert!(named(&wide(text, u16::to_be_bytes)).contains("UTF-16BE"));
        let marked = format!("\u{feff}{text}");
        assert!(named(&wide(&marked, u16::to_le_bytes)).contains("UTF-16LE"));
        let (korean, ..) = EUC_KR.encode(text);
        assert!(named(&korean).contains("CP949"));
        assert!(named(b"\x80\x02}q\x00.").contains("no text"));
        assert!(named(b"caf\xe9 = 1").contains("not UTF-8"));
    }
}
