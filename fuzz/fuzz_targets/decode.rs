//! Any bytes, decoded and resized in every way: no panic, no hang, rows of the right length, and small memory.

#![no_main]

use kfood::{
    data::Resampler,
    record::Crop,
    settings::{Count, Fit, Pixels, Quality, Resize},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The last bytes choose a box, so that the file before them stays what it is.
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
        Resize::ShortSide {
            short_side: width,
            crop: height,
        },
    ];
    for (resize, quality) in resizes.into_iter().zip([Quality::Fast, Quality::Exact, Quality::Fast]) {
        let mut resampler = Resampler::new(Pixels {
            quality,
            ..Pixels::new(resize)
        });
        for crop in [None, Some(crop)] {
            if let Ok(row) = resampler.decode(bytes, crop) {
                assert_eq!(row.pixels.len() as u32, resize.width() * resize.height() * 3);
            }
        }
    }
});
