//! The orientation in XMP, which is XML.

/// What stands before XMP in a JPEG's `APP1`.
pub(super) const NAMESPACE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

const NAME: &[u8] = b"tiff:Orientation";

/// The first `tiff:Orientation` with a digit, as an attribute or as an element.
pub(super) fn orientation(text: &[u8]) -> Option<u8> {
    let mut rest = text;
    while let Some(at) = rest.windows(NAME.len()).position(|w| w == NAME) {
        rest = &rest[at + NAME.len()..];
        if let Some(digit) = value(rest) {
            return Some(digit);
        }
    }
    None
}

/// `="6"` or `>6`, with blanks where XML has them.
fn value(text: &[u8]) -> Option<u8> {
    let value = match text.trim_ascii_start() {
        [b'=', rest @ ..] => match rest.trim_ascii_start() {
            [b'"' | b'\'', value @ ..] => value,
            _ => return None,
        },
        [b'>', value @ ..] => value,
        _ => return None,
    };
    let digit = value.trim_ascii_start().first()?;
    digit.is_ascii_digit().then(|| digit - b'0')
}
