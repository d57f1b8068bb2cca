//! The profiles of a PNG: the chunk `eXIf`, and texts under known names, plain, compressed, or as hexadecimal digits.

use std::{borrow::Cow, io::Read};

use flate2::read::ZlibDecoder;

use super::{MAX_PROFILE, Profiles, xmp};

/// Texts that are looked at; a picture has one or two.
const MOST_TEXTS: usize = 8;

/// They may stand behind the pixels, too. The last `eXIf` counts; without one, the last raw profile.
pub(super) fn profiles(bytes: &[u8]) -> Profiles<'_> {
    let mut profiles = Profiles::default();
    let (mut own, mut texts) = (false, 0);
    for (kind, body) in (Chunks { bytes, at: 8 }) {
        if kind == b"eXIf" {
            own = true;
            profiles.exif_is(Cow::Borrowed(body));
        }
        let Some(text) = Text::of(kind, body).filter(|_| texts < MOST_TEXTS) else {
            continue;
        };
        texts += 1;
        let Some(value) = text.value() else {
            continue;
        };
        if text.name == XMP {
            profiles.xmp = Some(value);
            continue;
        }
        let raw = hexadecimal(&value);
        if let Some(of_jpeg) = raw.strip_prefix(xmp::NAMESPACE) {
            profiles.xmp = Some(Cow::Owned(of_jpeg.to_vec()));
        } else if text.name == RAW_XMP {
            profiles.xmp = Some(Cow::Owned(raw));
        } else if !own {
            profiles.exif_is(Cow::Owned(raw));
        }
    }
    profiles
}

const XMP: &[u8] = b"XML:com.adobe.xmp";
const RAW_XMP: &[u8] = b"Raw profile type xmp";
const RAW: [&[u8]; 3] = [
    b"Raw profile type exif",
    b"Raw profile type APP1",
    b"Raw profile type app1",
];

/// A text under a name that is known here.
struct Text<'a> {
    name: &'a [u8],
    value: &'a [u8],
    compressed: bool,
}

impl<'a> Text<'a> {
    fn of(kind: &[u8], body: &'a [u8]) -> Option<Self> {
        let (name, rest) = until_zero(body)?;
        if name != XMP && name != RAW_XMP && !RAW.contains(&name) {
            return None;
        }
        let (value, compressed) = match kind {
            b"tEXt" => (rest, false),
            // One byte names the method, of which there is one.
            b"zTXt" => (rest.strip_prefix(b"\0")?, true),
            b"iTXt" => {
                let [compressed, 0, rest @ ..] = rest else {
                    return None;
                };
                let (_language, rest) = until_zero(rest)?;
                let (_translated, value) = until_zero(rest)?;
                (value, *compressed != 0)
            }
            _ => return None,
        };
        Some(Self {
            name,
            value,
            compressed,
        })
    }

    /// At most [`MAX_PROFILE`] bytes of it.
    fn value(&self) -> Option<Cow<'a, [u8]>> {
        if !self.compressed {
            return Some(Cow::Borrowed(
                &self.value[..self.value.len().min(MAX_PROFILE)],
            ));
        }
        let mut text = Vec::new();
        let done = ZlibDecoder::new(self.value)
            .take(MAX_PROFILE as u64)
            .read_to_end(&mut text);
        // What is broken further on may have been read far enough.
        (done.is_ok() || !text.is_empty()).then_some(Cow::Owned(text))
    }
}

fn until_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// A raw profile: an empty line, its name, its length, and lines of hexadecimal digits, up to what is none.
fn hexadecimal(text: &[u8]) -> Vec<u8> {
    let mut lines = text.splitn(4, |byte| *byte == b'\n');
    let digits = lines.nth(3).unwrap_or_default().iter();
    let digits: Vec<u8> = digits
        .filter(|byte| !byte.is_ascii_whitespace())
        .map_while(|byte| char::from(*byte).to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    let bytes = digits.as_chunks::<2>().0;
    bytes.iter().map(|[high, low]| high << 4 | low).collect()
}

/// The chunks of a PNG up to its end, with their bodies.
struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let head = self.bytes.get(self.at..self.at.checked_add(8)?)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let start = self.at + 8;
        let body = self.bytes.get(start..start.checked_add(length)?)?;
        self.at = start.checked_add(length)?.checked_add(4)?;
        (&head[4..] != b"IEND").then_some((&head[4..], body))
    }
}
