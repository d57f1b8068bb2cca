use image::{
    ImageEncoder, Rgb,
    codecs::jpeg::JpegEncoder,
    imageops::{self, FilterType},
};

use super::*;
use crate::data::sample::{self, SampleSettings};
use crate::settings::{Count, Fit, Quality, Resize};

fn side(n: u32) -> Count {
    Count::new(n).unwrap()
}

fn squash(width: u32, height: u32) -> Resize {
    Resize::squash(side(width), side(height))
}

fn exact(resize: Resize) -> Pixels {
    Pixels {
        quality: Quality::Exact,
        ..Pixels::new(resize)
    }
}

/// Smooth, and different in each corner.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        let wave = (12.0 * x + 7.0 * y * y).sin() * 20.0;
        Rgb([
            (30.0 + 200.0 * x + wave / 2.0) as u8,
            (40.0 + 180.0 * y) as u8,
            (128.0 + 60.0 * (x - y) + wave) as u8,
        ])
    })
}

/// An EXIF block with nothing but an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0]);
    block
}

fn jpeg(image: &RgbImage, orientation: Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    if let Some(orientation) = orientation {
        encoder.set_exif_metadata(exif(orientation)).unwrap();
    }
    encoder.encode_image(image).unwrap();
    bytes
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder
        .write_image(
            image,
            image.width(),
            image.height(),
            image::ExtendedColorType::Rgb8,
        )
        .unwrap();
    bytes
}

fn psnr(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
    let mean = one.iter().zip(other).map(square).sum::<f64>() / one.len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

fn row(bytes: &[u8], pixels: Pixels, crop: Option<Crop>) -> Row {
    Resampler::new(pixels).decode(bytes, crop).unwrap()
}

#[test]
fn shrinking_averages_what_it_covers() {
    // Columns of black and white: antialiasing gives even grey, point sampling would give black or white.
    let image = png(&RgbImage::from_fn(64, 64, |x, _| {
        Rgb([(x % 2 * 255) as u8; 3])
    }));
    for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
        let pixels = Pixels {
            filter,
            ..Pixels::new(squash(8, 4))
        };
        let row = row(&image, pixels, None).pixels;
        assert_eq!(row.len(), 8 * 4 * 3);
        assert!(
            row.iter().all(|v| (110..=145).contains(v)),
            "{filter:?} {row:?}"
        );
    }
}

#[test]
fn every_exif_orientation_comes_out_upright() {
    let upright = picture(96, 64);
    let expected = imageops::resize(&upright, 48, 40, FilterType::Triangle);
    for orientation in 1..=8 {
        let turn = Orientation::from_exif(orientation).unwrap();
        let back = match turn {
            Orientation::Rotate90 => Orientation::Rotate270,
            Orientation::Rotate270 => Orientation::Rotate90,
            other => other,
        };
        let mut stored = DynamicImage::ImageRgb8(upright.clone());
        stored.apply_orientation(back);
        let bytes = jpeg(&stored.into_rgb8(), Some(orientation));
        for quality in [Quality::Fast, Quality::Exact] {
            let pixels = Pixels {
                quality,
                ..Pixels::new(squash(48, 40))
            };
            let row = row(&bytes, pixels, None);
            assert_eq!((row.width, row.height), (96, 64), "{orientation}");
            assert_eq!(row.odd == ["turned by EXIF"], orientation > 1, "{row:?}");
            let ratio = psnr(&row.pixels, &expected);
            assert!(ratio > 35.0, "{orientation}, {quality:?}: {ratio} dB");
        }
        // A box is one in the upright photograph.
        let crop = Crop {
            x: 56,
            y: 8,
            width: 40,
            height: 24,
        };
        let part = imageops::crop_imm(&upright, 56, 8, 40, 24).to_image();
        let part = imageops::resize(&part, 20, 12, FilterType::Triangle);
        let found = row(&bytes, exact(squash(20, 12)), Some(crop));
        let ratio = psnr(&found.pixels, &part);
        assert!(ratio > 32.0, "{orientation}: {ratio} dB");
    }
}

#[test]
fn pad_stands_in_the_middle_of_black() {
    let white = png(&RgbImage::from_pixel(60, 30, Rgb([255; 3])));
    let resize = Resize::Sides {
        width: side(20),
        height: side(20),
        fit: Fit::Pad,
    };
    let row = row(&white, Pixels::new(resize), None).pixels;
    let lines: Vec<_> = row.chunks(60).map(|line| line[0]).collect();
    let expected: Vec<_> = (0..20_u32)
        .map(|y| if (5..15).contains(&y) { 255 } else { 0 })
        .collect();
    assert_eq!(lines, expected);
    assert!(row.chunks(60).all(|l| l.iter().all(|v| *v == l[0])));
}

#[test]
fn a_short_side_with_a_crop_is_the_same_as_resizing_first_and_cutting_then() {
    let image = png(&picture(90, 60));
    let all = row(&image, exact(squash(48, 32)), None).pixels;
    let resize = Resize::ShortSide {
        short_side: side(32),
        crop: side(24),
    };
    let cut = row(&image, exact(resize), None).pixels;
    for y in 0..24 {
        let from = ((y + 4) * 48 + 12) * 3;
        let (one, other) = (&cut[y * 72..][..72], &all[from..][..72]);
        let near = one.iter().zip(other).all(|(a, b)| a.abs_diff(*b) <= 1);
        assert!(near, "line {y}: {one:?} {other:?}");
    }
}

#[test]
fn a_crop_decodes_to_the_same_as_the_whole_cut_down() {
    let bytes = jpeg(&picture(640, 480), None);
    let crop = Crop {
        x: 301,
        y: 203,
        width: 200,
        height: 150,
    };
    let whole = super::super::decode(&bytes).unwrap();
    let part = imageops::crop_imm(&whole, 301, 203, 200, 150).to_image();
    let part = imageops::resize(&part, 50, 40, FilterType::Triangle);
    for quality in [Quality::Fast, Quality::Exact] {
        let pixels = Pixels {
            quality,
            ..Pixels::new(squash(50, 40))
        };
        let ratio = psnr(&row(&bytes, pixels, Some(crop)).pixels, &part);
        assert!(ratio > 40.0, "{quality:?}: {ratio} dB");
    }
}

#[cfg(feature = "libjpeg-turbo")]
#[test]
fn resized_as_components_a_photograph_is_what_it_is_resized_as_colours() {
    use crate::native::{SAMPLINGS, compressed};

    let crops = [None, Some((1, 2))];
    for (i, sampling) in SAMPLINGS.into_iter().enumerate() {
        for (width, height) in [
            (1, 1),
            (3, 2),
            (67, 45),
            (160, 131),
            (333, 250),
            (30, 600),
            (24, 4000),
        ] {
            let image = picture(width, height);
            let bytes = compressed(image.as_raw(), width, height, sampling, 95, 5);
            for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
                for (cut, to) in crops.into_iter().zip([(112, 91), (230, 40)]) {
                    let crop = cut.filter(|_| width > 10).map(|(x, y)| Crop {
                        x,
                        y,
                        width: width - x,
                        height: height - 2 * y,
                    });
                    let pixels = Pixels {
                        filter,
                        ..Pixels::new(squash(to.0, to.1))
                    };
                    let fast = row(&bytes, pixels, crop);
                    let exact = Pixels {
                        quality: Quality::Exact,
                        ..pixels
                    };
                    let ratio = psnr(&fast.pixels, &row(&bytes, exact, crop).pixels);
                    // Both round: nothing on the way is worth more than a step.
                    assert!(
                        ratio > 48.0,
                        "{i}: {width}x{height} to {to:?}, {filter:?}, {crop:?}: {ratio} dB"
                    );
                }
            }
        }
    }
}

#[test]
fn a_crop_outside_the_photograph_is_refused_with_its_size() {
    let crop = Crop {
        x: 40,
        y: 0,
        width: 5,
        height: 5,
    };
    let why = Resampler::new(Pixels::new(squash(8, 8)))
        .decode(&jpeg(&picture(40, 30), None), Some(crop))
        .unwrap_err();
    assert!(
        why.to_string()
            .contains("outside the photograph of 40 x 30")
    );
}

#[test]
fn fast_is_close_to_exact_on_generated_photographs() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SampleSettings {
        train_per_class: 2,
        test_per_class: 1,
        planted: 1,
        ..SampleSettings::default()
    };
    sample::write(folder.path(), &settings, &|_| {}).unwrap();
    let mut ratios = Vec::new();
    for file in walkdir::WalkDir::new(folder.path()).sort_by_file_name() {
        let file = file.unwrap();
        if file.path().extension().is_none_or(|e| e != "jpg") {
            continue;
        }
        let bytes = files::read(file.path()).unwrap();
        let fast = row(&bytes, Pixels::new(squash(64, 64)), None);
        let exact = row(&bytes, exact(squash(64, 64)), None);
        ratios.push(psnr(&fast.pixels, &exact.pixels).min(99.0));
    }
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let worst = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(ratios.len() > 10);
    // The real photographs that the rule was chosen by keep 47 dB at 224 x 224; a generated one, with its sharper edges, loses
    // more at this size.
    assert!(
        mean >= 50.0 && worst >= 42.0,
        "mean {mean}, worst {worst}: {ratios:?}"
    );
}
