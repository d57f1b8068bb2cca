//! Any bytes, decoded and resized in one of all ways: no panic, no hang, rows of the right length, and small memory.

use std::cell::RefCell;

use kfood::{
    data::Resampler,
    record::Crop,
    settings::{Count, Filter, Fit, Pixels, Quality, Resize},
};

/// Every way to resize, at both qualities. Used again from input to input, as from image to image: that is faster, and what one
/// leaves behind is part of what the next one meets.
fn ways() -> Vec<(Resize, Resampler)> {
    let (width, height) = (
        Count::new(24).expect("not zero"),
        Count::new(16).expect("not zero"),
    );
    let resizes = [
        Resize::squash(width, height),
        Resize::Sides {
            width,
            height,
            fit: Fit::Pad,
        },
        Resize::Sides {
            width,
            height,
            fit: Fit::Crop,
        },
        Resize::ShortSide {
            short_side: width,
            crop: height,
        },
    ];
    let filters = [
        Filter::Bilinear,
        Filter::Lanczos,
        Filter::Bicubic,
        Filter::Bilinear,
    ];
    let pixels = resizes
        .into_iter()
        .zip(filters)
        .flat_map(|(resize, filter)| {
            [Quality::Fast, Quality::Exact].map(|quality| Pixels {
                resize,
                filter,
                quality,
            })
        });
    pixels
        .map(|pixels| (pixels.resize, Resampler::new(pixels)))
        .collect()
}

thread_local! {
    static WAYS: RefCell<Vec<(Resize, Resampler)>> = RefCell::new(ways());
}

/// Decodes and resizes.
pub fn decode(bytes: &[u8]) {
    // The last bytes choose a way and a box, so that the file before them stays what it is.
    let at = |from_end: usize| {
        let index = bytes.len().checked_sub(from_end);
        index.map_or(1, |index| u32::from(bytes[index]))
    };
    let crop = Crop {
        x: at(1),
        y: at(2),
        width: at(3).max(1),
        height: at(4).max(1),
    };
    WAYS.with_borrow_mut(|ways| {
        let way = at(5) as usize % ways.len();
        let (resize, resampler) = &mut ways[way];
        let crop = (at(5) >= 128).then_some(crop);
        if let Ok(row) = resampler.decode(bytes, crop) {
            assert_eq!(
                row.pixels.len() as u32,
                resize.width() * resize.height() * 3
            );
        }
    });
}
