//! Formats other than JPEG, and JPEG in Rust, through the image crate; the pixels of most WebPs through libwebp.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
};

use super::{
    Head, Picture,
    animated::{gif_extent, is_animated},
    bounds::{self, MAX_ALLOC},
    orientation::Turn,
    tiff,
    unusable::{self, format_name},
    webp,
};
use crate::record::Unusable;

/// All of it at its stored size, with its pixels: red, green, blue.
///
/// # Errors
/// When it is broken, cut off, too large, or of a kind that is not supported.
pub(super) fn decode(bytes: &[u8], format: ImageFormat) -> Result<(Picture, Vec<u8>), Unusable> {
    // Decoders of other people's making read hostile files here: a panic in one is one bad file, not a lost run.
    catch_unwind(AssertUnwindSafe(|| decode_checked(bytes, format)))
        .unwrap_or(Err(Unusable::DecoderGaveUp))
}

fn decode_checked(bytes: &[u8], format: ImageFormat) -> Result<(Picture, Vec<u8>), Unusable> {
    if format == ImageFormat::Tiff
        && let Some(special) = tiff::special(bytes)
    {
        return Ok(of_special_tiff(special?, bytes));
    }
    let fail = |e: ImageError| match (format, tiff::unread_colours(bytes)) {
        (ImageFormat::Tiff, Some(unread)) if matches!(e, ImageError::Unsupported(_)) => unread,
        _ => unusable::by_decoder(format, &e),
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(fail)?;
    let (width, height) = decoder.dimensions();
    let head = Head {
        width,
        height,
        turn: Turn::of(bytes, format),
    };
    head.check_size()?;
    if format == ImageFormat::Gif
        && let Some((width, height)) = gif_extent(bytes)
    {
        bounds::check_size(width, height)?;
    }
    bounds::check_memory(decoder.total_bytes())?;
    let mut odd = oddities(&mut decoder, bytes, format);
    let faster = match format {
        ImageFormat::WebP => webp::decode(bytes, (width, height), decoder.color_type()),
        _ => None,
    };
    let image = match faster {
        Some(image) => image,
        None => DynamicImage::from_decoder(decoder).map_err(fail)?,
    };
    let (rgb, transparent) = over_white(image);
    if transparent {
        odd.push("transparent".to_owned());
    }
    Ok((whole(head, format, odd), rgb))
}

/// A TIFF that the image crate does not read.
fn of_special_tiff(special: tiff::Special, bytes: &[u8]) -> (Picture, Vec<u8>) {
    let tiff::Special { image, kind } = special;
    let head = Head {
        width: image.width(),
        height: image.height(),
        turn: Turn::of(bytes, ImageFormat::Tiff),
    };
    let mut odd = vec![kind.to_owned()];
    if !image.color().has_color() {
        odd.push("grey".to_owned());
    }
    let picture = whole(head, ImageFormat::Tiff, odd);
    (picture, image.into_rgb8().into_raw())
}

/// What is unusual about a picture, before its pixels are known.
fn oddities(decoder: &mut impl ImageDecoder, bytes: &[u8], format: ImageFormat) -> Vec<String> {
    let stored = decoder.original_color_type();
    let cmyk = matches!(stored, ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16);
    let profile = matches!(decoder.icc_profile(), Ok(Some(profile)) if !profile.is_empty());
    let all = [
        (is_deep(decoder.color_type()), "16 bit"),
        (cmyk, "CMYK"),
        (!decoder.color_type().has_color(), "grey"),
        (is_animated(bytes, format), "animated"),
        (profile, "has a colour profile"),
    ];
    let odd = all.into_iter().filter(|(is, _)| *is);
    odd.map(|(_, what)| what.to_owned()).collect()
}

/// All of a picture at its stored size.
fn whole(head: Head, format: ImageFormat, odd: Vec<String>) -> Picture {
    Picture {
        head,
        width: head.width,
        height: head.height,
        shrink: 1,
        left: 0,
        top: 0,
        in_planes: false,
        format: format_name(format),
        odd,
    }
}

/// More than 8 bits a channel.
fn is_deep(colour: image::ColorType) -> bool {
    colour.bytes_per_pixel() > colour.channel_count()
}

/// 8 bits a channel, alpha composited over white as a photograph on paper; and whether anything shone through.
fn over_white(image: DynamicImage) -> (Vec<u8>, bool) {
    if !image.color().has_alpha() {
        return (image.into_rgb8().into_raw(), false);
    }
    let rgba = image.into_rgba8().into_raw();
    let transparent = rgba.chunks_exact(4).any(|pixel| pixel[3] != 255);
    let mut rgb = vec![0; rgba.len() / 4 * 3];
    for (to, from) in rgb.chunks_exact_mut(3).zip(rgba.chunks_exact(4)) {
        let alpha = u32::from(from[3]);
        for channel in 0..3 {
            let mixed = u32::from(from[channel]) * alpha + 255 * (255 - alpha);
            to[channel] = ((mixed + 127) / 255) as u8;
        }
    }
    (rgb, transparent)
}
