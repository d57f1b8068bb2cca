//! Frames: whether a file holds more than one, of which only the first is used, and how far that one reaches.

use image::ImageFormat;

/// Looks at the structure alone; a broken file counts as one frame.
pub(super) fn is_animated(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Gif => GifFrames::of(bytes).is_some_and(|mut frames| frames.nth(1).is_some()),
        ImageFormat::Png => animation_chunk(bytes).is_some(),
        // `VP8X` follows the container's header; the flag for an animation is its second bit.
        ImageFormat::WebP => {
            bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
        }
        _ => false,
    }
}

/// The sides in pixels of what a GIF's first frame reaches to, which may be more than its screen.
pub(super) fn gif_extent(bytes: &[u8]) -> Option<(u32, u32)> {
    let frame = GifFrames::of(bytes)?.next()?;
    let side = |place: usize| {
        let number = |at: usize| u32::from(u16::from_le_bytes([frame[at], frame[at + 1]]));
        number(place) + number(place + 4)
    };
    Some((side(1), side(3)))
}

/// The image descriptors of a GIF, up to where its blocks make no sense.
struct GifFrames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> GifFrames<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let at = 13 + color_table(*bytes.get(10)?);
        Some(Self { bytes, at })
    }
}

impl<'a> Iterator for GifFrames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let Self { bytes, at } = self;
        // An extension: a label, then data.
        while *bytes.get(*at)? == 0x21 {
            *at = after_blocks(bytes, *at + 2)?;
        }
        // A comma, place, size and flags; then a table of colours, the code size, and data.
        let frame = bytes.get(*at..*at + 10).filter(|frame| frame[0] == 0x2c)?;
        *at = after_blocks(bytes, *at + 11 + color_table(frame[9])).unwrap_or(bytes.len());
        Some(frame)
    }
}

/// The length in bytes of the table of colours that flags tell of.
fn color_table(flags: u8) -> usize {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}

/// Past sub-blocks, each with its length before it, up to one of length 0.
fn after_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// Walks the chunks of a PNG to `acTL`, which stands before the pixels.
fn animation_chunk(bytes: &[u8]) -> Option<()> {
    let mut at = 8_usize;
    loop {
        let head = bytes.get(at..at.checked_add(8)?)?;
        match &head[4..] {
            b"acTL" => return Some(()),
            b"IDAT" | b"IEND" => return None,
            _ => {}
        }
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        at = at.checked_add(length)?.checked_add(12)?;
    }
}
