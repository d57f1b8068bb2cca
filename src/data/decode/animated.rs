//! Whether a file holds more than one frame; only the first is used.

use image::ImageFormat;

/// Looks at the structure alone; a broken file counts as one frame.
pub(super) fn is_animated(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Gif => second_gif_frame(bytes).is_some(),
        ImageFormat::Png => animation_chunk(bytes).is_some(),
        // `VP8X` follows the container's header; the flag for an animation is its second bit.
        ImageFormat::WebP => {
            bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
        }
        _ => false,
    }
}

/// Walks the blocks of a GIF to its second image descriptor.
fn second_gif_frame(bytes: &[u8]) -> Option<()> {
    let table = |flags: u8| match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut frames = 0;
    loop {
        match *bytes.get(at)? {
            // An extension: a label, then data.
            0x21 => at = after_blocks(bytes, at + 2)?,
            0x2c => {
                frames += 1;
                if frames == 2 {
                    return Some(());
                }
                // Place, size and flags, a table of colours, the code size, then data.
                at = after_blocks(bytes, at + 10 + table(*bytes.get(at + 9)?) + 1)?;
            }
            _ => return None,
        }
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
