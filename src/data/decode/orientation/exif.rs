//! The tags of an EXIF profile's first directory, which is a TIFF file's.

/// What tag 274 and tag 700 say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags<'a> {
    /// The orientation: 0 where it is said by what is no number, or one that makes no sense.
    pub(super) orientation: Option<u8>,
    /// A TIFF's XMP.
    pub(super) xmp: Option<&'a [u8]>,
}

const ORIENTATION: u16 = 0x112;
const XMP: u16 = 700;
/// Tags of a directory that are looked at; more are nonsense.
const MOST_TAGS: u64 = 4096;

/// Whether these bytes start as a TIFF does, or as one with `Exif` in front.
pub(super) fn is_one(profile: &[u8]) -> bool {
    Reader::of(profile).is_some()
}

/// Both tags, as far as the directory makes sense. The first of two equal tags counts, of several values the first.
pub(super) fn tags(profile: &[u8]) -> Tags<'_> {
    let mut tags = Tags::default();
    let Some((reader, mut at)) = Reader::of(profile) else {
        return tags;
    };
    let long = reader.long;
    let count = reader.number(at, if long { 8 } else { 2 }).unwrap_or(0);
    at = at.saturating_add(if long { 8 } else { 2 });
    for _ in 0..count.min(MOST_TAGS) {
        let Some(tag) = reader.number(at, 2) else {
            break;
        };
        match tag as u16 {
            ORIENTATION if tags.orientation.is_none() => {
                tags.orientation = reader.values(at).and_then(|values| values.first());
            }
            XMP if tags.xmp.is_none() => {
                tags.xmp = reader.values(at).map(|values| values.bytes);
            }
            _ => {}
        }
        at = at.saturating_add(if long { 20 } else { 12 });
    }
    tags
}

/// The first value of a tag of a TIFF's first directory as a whole number, and the place of its bytes in the file.
pub(in crate::data::decode) fn number_of(tiff: &[u8], wanted: u16) -> Option<(u64, usize)> {
    let (reader, mut at) = Reader::of(tiff)?;
    let (width, step) = if reader.long { (8, 20) } else { (2, 12) };
    let count = reader.number(at, width)?;
    at = at.checked_add(width)?;
    for _ in 0..count.min(MOST_TAGS) {
        if reader.number(at, 2)? == u64::from(wanted) {
            let values = reader.values(at)?;
            let length = size(values.kind)? as usize;
            let first = number(values.bytes.get(..length)?, reader.big_endian);
            // Both slices are of one file.
            let place = values.bytes.as_ptr() as usize - tiff.as_ptr() as usize;
            return Some((first, place));
        }
        at = at.checked_add(step)?;
    }
    None
}

struct Reader<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    /// BigTIFF: counts and offsets have 8 bytes.
    long: bool,
}

/// The values of one tag.
struct Values<'a> {
    kind: u64,
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Reader<'a> {
    /// With the place of the first directory.
    fn of(profile: &'a [u8]) -> Option<(Self, u64)> {
        let mut bytes = profile;
        // Once by the format, and once more by the program that wrote it.
        for _ in 0..2 {
            bytes = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
        }
        let (big_endian, long) = match bytes.get(..4)? {
            // With the magic number the wrong way round, too.
            b"II*\0" | b"II\0*" => (false, false),
            b"MM\0*" | b"MM*\0" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return None,
        };
        let reader = Self {
            bytes,
            big_endian,
            long,
        };
        let first = if long {
            reader.number(8, 8)?
        } else {
            reader.number(4, 4)?
        };
        Some((reader, first))
    }

    fn slice(&self, at: u64, length: u64) -> Option<&'a [u8]> {
        let (at, length) = (usize::try_from(at).ok()?, usize::try_from(length).ok()?);
        self.bytes.get(at..at.checked_add(length)?)
    }

    /// An unsigned number of up to 8 bytes.
    fn number(&self, at: u64, length: u64) -> Option<u64> {
        Some(number(self.slice(at, length)?, self.big_endian))
    }

    /// The values of the entry at a place; none where its type is not known or they lie outside.
    fn values(&self, entry: u64) -> Option<Values<'a>> {
        let kind = self.number(entry.checked_add(2)?, 2)?;
        let inside = if self.long { 8 } else { 4 };
        let count = self.number(entry.checked_add(4)?, inside)?;
        let length = count.checked_mul(size(kind)?)?;
        let place = entry.checked_add(4 + inside)?;
        let place = match length <= inside {
            true => place,
            false => self.number(place, inside)?,
        };
        Some(Values {
            kind,
            bytes: self.slice(place, length)?,
            big_endian: self.big_endian,
        })
    }
}

impl Values<'_> {
    /// The first as an orientation: 0 where it is none; `None` where there is no value.
    fn first(&self) -> Option<u8> {
        let length = size(self.kind)? as usize;
        let first = self.bytes.get(..length)?;
        let unsigned = number(first, self.big_endian);
        let value = match self.kind {
            // Bytes, text and anything are no number, even if they look like one.
            1 | 2 | 7 => 0.0,
            // Negative ones are no orientation, and far above any as unsigned ones.
            3 | 4 | 6 | 8 | 9 | 13 | 16 => unsigned as f64,
            5 | 10 => {
                let half = |at| number(&first[at..at + 4], self.big_endian) as f64;
                half(0) / half(4)
            }
            11 => f64::from(f32::from_bits(unsigned as u32)),
            _ => f64::from_bits(unsigned),
        };
        let known = (1..=8).find(|known| f64::from(*known) == value);
        Some(known.unwrap_or(0))
    }
}

/// The bytes of one value of a type.
fn size(kind: u64) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 => Some(8),
        _ => None,
    }
}

fn number(bytes: &[u8], big_endian: bool) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    match big_endian {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    }
}
