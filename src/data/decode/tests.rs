use std::io::Cursor;

use image::{
    ExtendedColorType, GrayImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, Rgb, Rgba,
    RgbaImage,
    codecs::{gif::GifEncoder, jpeg::JpegEncoder, png::PngEncoder},
};

use super::*;
use crate::native::lossy_webp;

fn picture() -> RgbImage {
    RgbImage::from_fn(64, 48, |x, y| {
        Rgb([(x * 4) as u8, (y * 5) as u8, (x * y % 251) as u8])
    })
}

fn photo(quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(&picture(), 64, 48, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

fn written(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// What was seen of a file that is decoded whole.
fn seen(bytes: &[u8]) -> Picture {
    Decoder::new()
        .decode(bytes, |head| Want::all(head.width, head.height))
        .unwrap()
}

fn why(bytes: &[u8]) -> String {
    decode(bytes).unwrap_err().to_string()
}

#[test]
fn a_cut_jpeg_is_refused_and_a_missing_end_marker_is_not() {
    let whole = photo(90);
    assert!(decode(&whole).is_ok());
    assert!(decode(&whole[..whole.len() - 2]).is_ok());
    assert!(why(&whole[..whole.len() - 1]).starts_with("cut off"));
    for share in [5, 20, 50, 80, 90] {
        let mut cut = whole[..whole.len() * share / 100].to_vec();
        assert!(decode(&cut).is_err(), "{share} % without end marker");
        cut.extend([0xff, 0xd9]);
        assert!(decode(&cut).is_err(), "{share} % with an end marker");
    }
    let trailing = [whole.as_slice(), &[0x55; 3000]].concat();
    assert_eq!(decode(&trailing), decode(&whole));
}

#[test]
fn a_cut_jpeg_says_how_many_of_its_rows_there_are() {
    let image = RgbImage::from_fn(256, 400, |x, y| {
        Rgb([(x * 7 + y * 3) as u8, (x ^ y) as u8, (x * y) as u8])
    });
    let mut whole = Vec::new();
    JpegEncoder::new_with_quality(&mut whole, 90)
        .encode_image(&image)
        .unwrap();
    let text = why(&whole[..whole.len() * 6 / 10]);
    let percent: u32 = text
        .strip_prefix("cut off after ")
        .and_then(|rest| rest.strip_suffix("% of its rows"))
        .unwrap_or_else(|| panic!("{text}"))
        .parse()
        .unwrap();
    assert!((50..=65).contains(&percent), "{text}");
}

#[test]
fn reasons_are_in_plain_words() {
    assert_eq!(why(b""), "empty file");
    assert!(why(b"version https://git-lfs.github.com/spec/v1\n").contains("Git LFS"));
    assert!(why(b"<!DOCTYPE html><html>").contains("HTML page"));
    assert!(why(b"hello there").contains("not an image: starts with `hello there`"));
}

#[test]
fn transparency_lies_over_white() {
    let image = RgbaImage::from_pixel(1, 1, Rgba([255, 0, 0, 127]));
    let bytes = written(image, ImageFormat::Png);
    assert_eq!(decode(&bytes).unwrap().get_pixel(0, 0).0, [255, 128, 128]);
    assert_eq!(seen(&bytes).odd, ["transparent"]);
}

#[test]
fn lossless_formats_come_out_as_they_went_in() {
    for (format, name) in [
        (ImageFormat::Png, "PNG"),
        (ImageFormat::Bmp, "BMP"),
        (ImageFormat::Tiff, "TIFF"),
        (ImageFormat::WebP, "WebP"),
    ] {
        let bytes = written(picture(), format);
        assert_eq!(decode(&bytes).unwrap(), picture(), "{name}");
        let seen = seen(&bytes);
        assert_eq!((seen.format, seen.odd.len()), (name, 0));
    }
    assert_eq!(seen(&photo(90)).format, "JPEG");
}

#[test]
fn a_webp_comes_out_as_the_other_decoder_has_it_and_a_cut_one_is_refused_as_by_that() {
    let colourful = |alpha: u8| {
        RgbaImage::from_fn(90, 61, |x, y| {
            let alpha = alpha.saturating_add((x * 2) as u8);
            Rgba([(x * 7 + y) as u8, (x ^ y) as u8, (x * y) as u8, alpha])
        })
    };
    let lossy = |image: &RgbaImage| lossy_webp(image.as_raw(), 90, 61);
    for (bytes, alpha) in [
        (lossy(&colourful(255)), false),
        (lossy(&colourful(0)), true),
        (written(colourful(255), ImageFormat::WebP), true),
        (written(colourful(0), ImageFormat::WebP), true),
        (written(picture(), ImageFormat::WebP), false),
    ] {
        let other = |bytes: &[u8]| image::load_from_memory_with_format(bytes, ImageFormat::WebP);
        let expected = other(&bytes).unwrap();
        assert_eq!(expected.color().has_alpha(), alpha);
        let size = (expected.width(), expected.height());
        let color = expected.color();
        assert!(webp::decode(&bytes, size, color) == Some(expected));
        assert_eq!(webp::decode(&bytes, (1, 1), image::ColorType::Rgb8), None);
        if let Some(at) = bytes.windows(4).position(|name| name == b"ALPH") {
            let mut nameless = bytes.clone();
            nameless[at] = b'a';
            assert!(why(&nameless).starts_with("a broken WebP: "));
        }
        let near_the_end = bytes.len() - 12..bytes.len() - 1;
        for end in (12..bytes.len()).step_by(167).chain(near_the_end) {
            let cut = &bytes[..end];
            match other(cut) {
                Err(error) => {
                    let reason = unusable::by_decoder(ImageFormat::WebP, &error).to_string();
                    assert_eq!(why(cut), reason, "{end} of {}", bytes.len());
                }
                // Its last bytes may be of no use.
                Ok(image) => {
                    assert!(end > bytes.len() * 9 / 10, "{end} of {}", bytes.len());
                    let ours = webp::decode(cut, size, image.color());
                    assert!(ours.is_none_or(|ours| ours == image));
                }
            }
        }
    }
}

#[test]
fn what_is_odd_is_told() {
    let grey = GrayImage::from_pixel(20, 20, Luma([200]));
    let mut grey_jpeg = Vec::new();
    JpegEncoder::new(&mut grey_jpeg)
        .encode_image(&grey)
        .unwrap();
    assert_eq!(seen(&grey_jpeg).odd, ["grey"]);
    assert_eq!(seen(&written(grey, ImageFormat::Png)).odd, ["grey"]);

    let deep = ImageBuffer::<Rgb<u16>, _>::from_pixel(2, 2, Rgb([65535, 257 * 100, 0]));
    let deep = written(deep, ImageFormat::Png);
    assert_eq!(seen(&deep).odd, ["16 bit"]);
    assert_eq!(decode(&deep).unwrap().get_pixel(1, 1).0, [255, 100, 0]);

    let mut profiled = Vec::new();
    let mut encoder = PngEncoder::new(&mut profiled);
    encoder.set_icc_profile(vec![1; 200]).unwrap();
    encoder
        .write_image(&picture(), 64, 48, ExtendedColorType::Rgb8)
        .unwrap();
    assert_eq!(seen(&profiled).odd, ["has a colour profile"]);
    let mut profiled = Vec::new();
    let mut encoder = JpegEncoder::new(&mut profiled);
    encoder.set_icc_profile(vec![1; 200]).unwrap();
    encoder.encode_image(&picture()).unwrap();
    assert_eq!(seen(&profiled).odd, ["has a colour profile"]);
}

#[test]
fn an_animation_gives_its_first_frame() {
    let frame = |colour| image::Frame::new(RgbaImage::from_pixel(6, 5, Rgba(colour)));
    for (frames, odd) in [
        (vec![[255, 0, 0, 255]], vec![]),
        (vec![[255, 0, 0, 255], [0, 0, 255, 255]], vec!["animated"]),
    ] {
        let mut bytes = Vec::new();
        GifEncoder::new(&mut bytes)
            .encode_frames(frames.into_iter().map(frame))
            .unwrap();
        let seen = seen(&bytes);
        assert_eq!(
            (seen.format, &seen.odd),
            ("GIF", &odd.iter().map(ToString::to_string).collect())
        );
        assert_eq!(decode(&bytes).unwrap().get_pixel(3, 3).0, [255, 0, 0]);
    }
}

#[test]
fn a_size_over_the_limit_is_known_from_the_header() {
    // A JPEG and a PNG that claim 60,000 x 60,000.
    let mut bytes = photo(90);
    let frame = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    assert!(why(&bytes).contains("over the size limit of 200 megapixels"));
    let mut png = written(picture(), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let text = why(&png);
    assert!(
        text.contains("size limit") || text.contains("checksum"),
        "{text}"
    );
}

#[test]
fn a_jpeg_of_more_blocks_than_bits_is_cut_off_without_a_look_at_them() {
    let mut bytes = photo(90);
    let frame = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    assert!(why(&bytes).starts_with("cut off"), "{}", why(&bytes));
}

#[test]
fn a_frame_that_reaches_far_beyond_its_screen_is_over_the_limit() {
    let mut bytes = Vec::new();
    GifEncoder::new(&mut bytes)
        .encode_frame(image::Frame::new(RgbaImage::from_pixel(
            6,
            5,
            Rgba([255, 0, 0, 255]),
        )))
        .unwrap();
    let at = bytes.iter().position(|byte| *byte == 0x2c).unwrap();
    bytes[at + 3..at + 7].copy_from_slice(&[0, 0xff, 0xff, 0xff]);
    assert!(why(&bytes).contains("over the size limit of 200 megapixels"));
}

#[test]
fn a_buffer_is_reused_after_a_larger_picture() {
    let mut decoder = Decoder::new();
    let small = written(RgbImage::from_pixel(3, 2, Rgb([1, 2, 3])), ImageFormat::Png);
    let all = |head: &Head| Want::all(head.width, head.height);
    for bytes in [photo(90), small, photo(80)] {
        let picture = decoder.decode(&bytes, all).unwrap();
        let expected = decode(&bytes).unwrap();
        assert_eq!(decoder.pixels(), expected.as_raw().as_slice());
        assert_eq!(picture.width, expected.width());
    }
}

#[test]
fn a_broken_file_does_not_spoil_the_decoder_for_the_next() {
    let mut decoder = Decoder::new();
    let whole = photo(90);
    let all = |head: &Head| Want::all(head.width, head.height);
    let expected = decode(&whole).unwrap();
    for end in 0..whole.len() {
        let _ = decoder.decode(&whole[..end], all);
        if end % 25 == 0 {
            decoder.decode(&whole, all).unwrap();
            assert_eq!(decoder.pixels(), expected.as_raw().as_slice());
        }
    }
}
