//! Batches against torchvision's geometry.

use super::*;

fn augmented(text: &str, pixels: &[u8], size: Size) -> Tensor {
    let augment: Vec<Augment> = serde_json::from_str(text).unwrap();
    let draw = Draw {
        augment: &augment,
        progressive_resizing: None,
        seed: 1,
        epoch: 1,
    };
    sampled(pixels, size, &[draw.augmented(size, 0, 0).geometry])
}

fn picture(size: Size) -> Vec<u8> {
    (0..3 * size.width * size.height)
        .map(|i| (i * 37 % 256) as u8)
        .collect()
}

/// The pixels as they are, from 0 to 1.
fn plain(pixels: &[u8], size: Size) -> Tensor {
    let shape = [1, size.height as i64, size.width as i64, 3];
    let pixels = Tensor::from_data_size(pixels, &shape, Kind::Uint8);
    (pixels.to_kind(Kind::Float) / 255.0).permute([0, 3, 1, 2])
}

#[test]
fn flips_are_exact() {
    let size = Size::new(5, 4);
    let pixels = picture(size);
    let text = r#"[{"random_horizontal_flip": 1}, {"random_vertical_flip": 1}]"#;
    assert_eq!(
        augmented(text, &pixels, size),
        plain(&pixels, size).flip([2, 3])
    );
}

#[test]
fn a_centre_crop_is_the_centre() {
    let size = Size::new(6, 8);
    let pixels = picture(size);
    let cropped = augmented(r#"[{"center_crop": 4}]"#, &pixels, size);
    assert_eq!(
        cropped,
        plain(&pixels, size).narrow(2, 2, 4).narrow(3, 1, 4)
    );
}

#[test]
fn a_crop_of_everything_resizes_as_upsample_bilinear_does() {
    let size = Size::new(6, 6);
    let pixels = picture(size);
    let text = r#"[{"random_resized_crop": {"size": 9, "scale": [1, 1], "ratio": [1, 1]}}]"#;
    let wanted = plain(&pixels, size).upsample_bilinear2d([9, 9], false, None, None);
    let difference = (augmented(text, &pixels, size) - wanted).abs().max();
    assert!(f64::try_from(difference).unwrap() < 1e-5);
}

#[test]
fn a_flip_behind_a_turn_is_one_sampling_of_their_product() {
    let size = Size::new(9, 9);
    let pixels = picture(size);
    let turned = augmented(r#"[{"random_rotation": 30}]"#, &pixels, size);
    let both = augmented(
        r#"[{"random_rotation": 30}, {"random_horizontal_flip": 1}]"#,
        &pixels,
        size,
    );
    let difference = (turned.flip([3]) - both).abs().max();
    assert!(f64::try_from(difference).unwrap() < 1e-5);
}

#[test]
fn a_crop_behind_a_turn_is_the_crop_of_the_turned_image() {
    let size = Size::new(12, 12);
    let pixels = picture(size);
    let turned = augmented(r#"[{"random_rotation": 30}]"#, &pixels, size);
    let text = r#"[{"random_rotation": 30}, {"random_resized_crop": {"size": 12, "scale": [1, 1], "ratio": [1, 1]}}]"#;
    let difference = (turned - augmented(text, &pixels, size)).abs().max();
    assert!(f64::try_from(difference).unwrap() < 1e-5);
}

/// `picture` of 8 x 8, turned by torchvision 0.26 (as are the other constants):
/// `functional.rotate(x, 17.0, InterpolationMode.BILINEAR)` with `x` of u8 [3, 8, 8], written as height x width x 3.
#[rustfmt::skip]
const TURNED: [u8; 192] = [
    17, 16, 21, 86, 7, 23, 62, 88, 99, 181, 218, 12, 79, 116, 153, 75, 112, 149, 108, 145, 182, 19, 18, 23,
    108, 126, 163, 168, 56, 93, 152, 172, 72, 91, 128, 96, 115, 152, 189, 85, 122, 159, 188, 91, 128, 97, 19, 35,
    184, 72, 109, 153, 113, 103, 136, 173, 83, 114, 151, 176, 105, 142, 179, 81, 118, 155, 66, 86, 123, 88, 99, 125,
    197, 54, 91, 139, 176, 111, 128, 165, 117, 147, 184, 221, 65, 102, 139, 82, 119, 156, 96, 126, 163, 226, 20, 57,
    111, 136, 172, 180, 214, 66, 135, 172, 73, 81, 118, 128, 126, 163, 200, 69, 106, 143, 179, 81, 118, 140, 101, 138,
    152, 12, 39, 134, 104, 106, 129, 166, 74, 116, 153, 167, 87, 124, 161, 120, 109, 146, 184, 89, 126, 153, 183, 120,
    45, 46, 62, 134, 171, 101, 128, 165, 108, 120, 157, 194, 59, 96, 133, 118, 120, 157, 169, 99, 136, 201, 32, 66,
    24, 29, 6, 182, 219, 47, 112, 149, 86, 79, 116, 153, 143, 180, 217, 12, 38, 65, 42, 58, 74, 27, 4, 9,
];

/// The same of a `picture` 7 wide and 4 high.
#[rustfmt::skip]
const TURNED_WIDE: [u8; 84] = [
    12, 19, 26, 81, 34, 52, 118, 44, 72, 126, 163, 88, 134, 171, 53, 88, 125, 162, 113, 138, 164, 32, 69, 106,
    141, 118, 155, 201, 31, 68, 102, 139, 139, 185, 222, 29, 64, 101, 138, 169, 205, 241, 10, 46, 83, 117, 154, 191,
    226, 33, 70, 116, 116, 153, 187, 224, 54, 100, 137, 114, 149, 186, 223, 13, 38, 64, 93, 130, 167, 202, 84, 121,
    167, 92, 129, 125, 153, 80, 70, 88, 41, 22, 29, 36,
];

fn turned(size: Size, degrees: f64) -> Tensor {
    let geometry = [Geometry::of_rotation(size, degrees)];
    sampled(&picture(size), size, &geometry)
}

fn sampled(pixels: &[u8], size: Size, geometry: &[Geometry]) -> Tensor {
    let length = 3 * size.width * size.height;
    let image = |i: usize| Ok(Cow::Borrowed(&pixels[i * length..][..length]));
    sample(image, size, geometry, |_| Levels::of(&MeanStd::IDENTITY)).unwrap()
}

fn largest(difference: Tensor) -> f64 {
    f64::try_from(difference.abs().max()).unwrap()
}

/// What torchvision's rounding to whole u8 values may change.
const HALF_A_LEVEL: f64 = 0.501 / 255.0;

#[test]
fn a_turn_is_torchvisions() {
    for (size, golden) in [
        (Size::new(8, 8), TURNED.as_slice()),
        (Size::new(7, 4), &TURNED_WIDE),
    ] {
        let difference = largest(turned(size, 17.0) - plain(golden, size));
        assert!(difference <= HALF_A_LEVEL, "{size:?}: {difference}");
        // The other direction is far away, so the comparison tells.
        assert!(largest(turned(size, -17.0) - plain(golden, size)) > 0.3);
    }
}

#[test]
fn a_quarter_turn_is_counter_clockwise_and_about_the_centre() {
    for side in [8, 5] {
        let size = Size::new(side, side);
        let wanted = plain(&picture(size), size).rot90(1, [2, 3]);
        let difference = largest(turned(size, 90.0) - wanted);
        assert!(difference < 1e-5, "{side}: {difference}");
    }
}

#[test]
fn an_odd_centre_crop_behind_a_turn_is_torchvisions() {
    let size = Size::new(8, 8);
    let crop = Geometry::of_rotation(size, 17.0).and_center_crop(Size::new(5, 5));
    // torchvision's `center_crop(…, [5, 5])` of 8 x 8 begins at 2: Python rounds 1.5 up to 2.
    let wanted = plain(&TURNED, size).narrow(2, 2, 5).narrow(3, 2, 5);
    let difference = largest(sampled(&picture(size), size, &[crop]) - wanted);
    assert!(difference <= HALF_A_LEVEL, "{difference}");
}

#[test]
fn an_odd_centre_crop_begins_and_pads_where_torchvisions_does() {
    // Where `functional.center_crop(x, [side, side])` of a numbered image begins; before 0 and behind the end are zeros.
    for ((height, width), side, (top, left)) in [
        ((7, 10), 4, (2, 3)),
        ((5, 8), 4, (0, 2)),
        ((9, 6), 4, (2, 1)),
        ((3, 4), 6, (-1, -1)),
        ((7, 4), 8, (0, -2)),
        ((5, 9), 6, (0, 2)),
        ((6, 3), 4, (1, 0)),
    ] {
        let size = Size::new(width, height);
        let pixels = picture(size);
        let mut wanted = Vec::new();
        for (y, x) in (0..side as i64).flat_map(|y| (0..side as i64).map(move |x| (y, x))) {
            let inside = |at: i64, limit: usize| usize::try_from(at).ok().filter(|at| *at < limit);
            match (inside(y + top, height), inside(x + left, width)) {
                (Some(y), Some(x)) => wanted.extend(&pixels[3 * (y * width + x)..][..3]),
                _ => wanted.extend([0; 3]),
            }
        }
        let result = Size::new(side, side);
        let crop = Geometry::of_center_crop(size, result);
        let found = sampled(&pixels, size, &[crop]);
        assert_eq!(
            found,
            plain(&wanted, result),
            "{height} x {width} to {side}"
        );
    }
}

#[test]
fn normalisation_is_a_channel_at_a_time_and_comes_last() {
    let size = Size::new(1, 1);
    let by = MeanStd {
        mean: [0.0, 0.5, 1.0],
        std: [1.0, 0.5, 2.0],
    };
    let transform = Transform {
        pixels: crate::settings::Pixels::new(
            serde_json::from_str(r#"{"width": 1, "height": 1}"#).unwrap(),
        ),
        center_crop: Some(3),
        test_resolution: None,
        normalize: by,
    };
    let out = evaluation_batch(&[255, 255, 255], 1, 1, 1, &transform, Device::Cpu).unwrap();
    let at = |c, y, x| out.double_value(&[0, c, y, x]);
    assert_eq!(out.size(), [1, 3, 3, 3]);
    assert_eq!([at(0, 1, 1), at(1, 1, 1), at(2, 1, 1)], [1.0, 1.0, 0.0]);
    assert_eq!([at(0, 0, 0), at(1, 0, 0), at(2, 0, 0)], [0.0, -1.0, -0.5]);
    assert_eq!(size, Size::new(1, 1));
}

#[test]
fn a_crop_far_below_half_size_averages_what_it_covers() {
    // Columns of black and white: without averaging some pixels would be black and some white.
    let pixels: Vec<u8> = (0..64 * 64)
        .flat_map(|i| [(i % 2 * 255) as u8; 3])
        .collect();
    let text = r#"[{"random_resized_crop": {"size": 12, "scale": [1, 1], "ratio": [1, 1]}}]"#;
    let augment: Vec<Augment> = serde_json::from_str(text).unwrap();
    let mut rng = stream(1, "test", &[]);
    let geometry = [Augmented::draw(&augment, Size::new(64, 64), |full| full, &mut rng).geometry];
    assert_eq!(geometry[0].samples(), 5);
    let out = sampled(&pixels, Size::new(64, 64), &geometry);
    assert!(out.max().double_value(&[]) < 0.75 && out.min().double_value(&[]) > 0.25);
}

#[test]
fn an_image_is_sampled_the_same_alone_and_among_others() {
    let size = Size::new(40, 40);
    let pixels: Vec<u8> = (0..6 * 40 * 40 * 3)
        .map(|i: usize| (i * i % 253) as u8)
        .collect();
    let text = r#"[{"random_resized_crop": {"size": 10, "scale": [0.05, 1], "ratio": [1, 1]}}]"#;
    let augment: Vec<Augment> = serde_json::from_str(text).unwrap();
    let draw = |i: u64| {
        Augmented::draw(&augment, size, |full| full, &mut stream(7, "test", &[i])).geometry
    };
    let geometry: Vec<_> = (0..6).map(draw).collect();
    let samples: std::collections::BTreeSet<_> = geometry.iter().map(Geometry::samples).collect();
    assert!(samples.len() > 1, "windows of one kind: {samples:?}");
    let together = sampled(&pixels, size, &geometry);
    for (i, pixels) in pixels.chunks_exact(3 * 40 * 40).enumerate() {
        let alone = sampled(pixels, size, &geometry[i..=i]);
        assert_eq!(alone, together.narrow(0, i as i64, 1), "image {i}");
    }
}

/// Under a test resolution: an image of `source` behind its centre crop.
fn judged(pixels: &[u8], source: Size, crop: Option<u32>, resolution: u32) -> Tensor {
    let resize = serde_json::json!({ "width": source.width, "height": source.height });
    let transform = Transform {
        pixels: crate::settings::Pixels::new(serde_json::from_value(resize).unwrap()),
        center_crop: crop,
        test_resolution: Some(resolution),
        normalize: MeanStd::IDENTITY,
    };
    let Size { width, height } = source;
    evaluation_batch(pixels, 1, height, width, &transform, Device::Cpu).unwrap()
}

#[track_caller]
fn assert_near(found: &Tensor, expected: &Tensor) {
    assert_eq!(found.size(), expected.size());
    let difference = (found - expected).abs().max().double_value(&[]);
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn a_test_resolution_is_the_crop_resized_as_interpolate_does() {
    let size = Size::new(20, 20);
    let pixels = picture(size);
    let crop = plain(&pixels, size).narrow(2, 4, 12).narrow(3, 4, 12);
    for side in [7, 9, 17, 24] {
        let expected = crop.upsample_bilinear2d([side, side], false, None, None);
        assert_near(&judged(&pixels, size, Some(12), side as u32), &expected);
    }
    // Its own size is nothing done: the very bits.
    assert_eq!(judged(&pixels, size, Some(12), 12), crop);
}

#[test]
fn a_test_resolution_below_half_is_the_mean_of_a_finer_one() {
    let size = Size::new(40, 40);
    let pixels = picture(size);
    let finer = plain(&pixels, size).upsample_bilinear2d([36, 36], false, None, None);
    let expected = finer.avg_pool2d([4, 4], [4, 4], [0, 0], false, true, None);
    assert_near(&judged(&pixels, size, None, 9), &expected);
}

#[test]
fn a_test_resolution_keeps_the_aspect_and_rounds_the_longer_side_down() {
    let size = Size::new(25, 16);
    let pixels = picture(size);
    let expected = plain(&pixels, size).upsample_bilinear2d([20, 31], false, None, None);
    assert_near(&judged(&pixels, size, None, 20), &expected);
}

#[test]
fn an_epoch_of_smaller_images_shows_the_same_draws_smaller() {
    let size = Size::new(32, 32);
    let text = r#"[{"random_affine": {"degrees": 20, "translate": [0.2, 0.2], "scale": [0.8, 1.2]}},
        {"random_horizontal_flip": 0.5}, {"random_resized_crop": {"size": 24}}, {"random_rotation": 10}]"#;
    let augment: Vec<Augment> = serde_json::from_str(text).unwrap();
    let resizing = serde_json::from_str(r#"{"from": 12, "epochs": 2, "multiple_of": 4}"#).unwrap();
    let draw = |epoch, progressive_resizing| Draw {
        augment: &augment,
        progressive_resizing,
        seed: 3,
        epoch,
    };
    // A plane: bilinear sampling of it is exact, and the mean of four neighbours is the value between them.
    let pixels: Vec<u8> = (0..32 * 32)
        .flat_map(|i| [60 + 2 * (i % 32), 60 + 3 * (i / 32), 90].map(|v| v as u8))
        .collect();
    for sample in 0..8 {
        let full = draw(1, None).augmented(size, sample, 0).geometry;
        let small = draw(1, Some(resizing)).augmented(size, sample, 0).geometry;
        assert_eq!(
            (full.result(), small.result()),
            (Size::new(24, 24), Size::new(12, 12))
        );
        let expected =
            sampled(&pixels, size, &[full]).avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None);
        let found = sampled(&pixels, size, &[small]);
        // Blue is one value inside, and less where the outside is looked at: there the two differ.
        let inside = expected
            .select(1, 2)
            .gt(89.9 / 255.0)
            .logical_and(&found.select(1, 2).gt(89.9 / 255.0));
        assert!(inside.sum(Kind::Int64).int64_value(&[]) > 20);
        let difference = (found - expected).abs().amax([1], false) * inside;
        assert!(difference.max().double_value(&[]) < 1e-3, "image {sample}");
    }
    let third = draw(3, Some(resizing)).augmented(size, 0, 0);
    assert_eq!(third, draw(3, None).augmented(size, 0, 0));
}

#[test]
fn what_is_erased_lies_within_the_smaller_image() {
    let augment: Vec<Augment> = serde_json::from_str(r#"[{"random_erasing": {"p": 1}}]"#).unwrap();
    let resizing = serde_json::from_str(r#"{"from": 8, "epochs": 2}"#).unwrap();
    let draw = Draw {
        augment: &augment,
        progressive_resizing: Some(resizing),
        seed: 3,
        epoch: 1,
    };
    for sample in 0..32 {
        let drawn = draw.augmented(Size::new(32, 32), sample, 0);
        let image = Tensor::ones([1, 3, 8, 8], (Kind::Float, Device::Cpu));
        let erased = drawn.erased.unwrap();
        erased.erase(&image).unwrap();
        let left = image.sum(Kind::Float).double_value(&[]) / 192.0;
        assert!((0.6..0.99).contains(&left), "image {sample}: {left}");
    }
}
