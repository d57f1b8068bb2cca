//! From rows of u8 pixels to normalised tensors: geometry, scaling, normalisation.

use tch::{Device, Kind, Tensor};

use super::{
    affine::{Affine, Size},
    geometry::{Geometry, Piece},
};
use crate::{
    error::Result,
    record::Transform,
    seed::{Seed, stream},
    settings::{Augment, MeanStd},
};

/// Images as the evaluation of a model sees them: the centre crop of its transform, and its normalisation.
///
/// `pixels` holds `n` images of u8 in height x width x 3, already resized as the transform says. The result is f32
/// [n, 3, height', width'] in channels_last order on `device`. Validation, evaluation and prediction all use this one function.
///
/// # Errors
/// When `pixels` has another length or libtorch refuses.
pub fn evaluation_batch(
    pixels: &[u8],
    n: usize,
    height: usize,
    width: usize,
    transform: &Transform,
    device: Device,
) -> Result<Tensor> {
    let source = Size::new(width, height);
    let result = transform
        .center_crop
        .map_or(source, |side| Size::new(side as usize, side as usize));
    let geometry = vec![Geometry::of_center_crop(source, result); n];
    apply(pixels, source, &geometry, &transform.normalize, device)
}

/// Images as an epoch of training sees them: every augmentation, drawn for each image from (seed, epoch, its place in the
/// data set), and the normalisation. Shapes as in [`evaluation_batch`].
///
/// # Errors
/// As [`evaluation_batch`].
pub(super) fn training_batch(
    pixels: &[u8],
    samples: &[usize],
    source: Size,
    draw: &Draw<'_>,
    normalize: &MeanStd,
    device: Device,
) -> Result<Tensor> {
    let geometry: Vec<_> = samples
        .iter()
        .map(|sample| {
            let position = [u64::from(draw.epoch), *sample as u64];
            let mut rng = stream(draw.seed, "augment", &position);
            Geometry::draw(draw.augment, source, &mut rng)
        })
        .collect();
    apply(pixels, source, &geometry, normalize, device)
}

/// What random draws of an epoch depend on.
pub(super) struct Draw<'a> {
    pub(super) augment: &'a [Augment],
    pub(super) seed: Seed,
    /// From 1.
    pub(super) epoch: u32,
}

fn apply(
    pixels: &[u8],
    source: Size,
    geometry: &[Geometry],
    normalize: &MeanStd,
    device: Device,
) -> Result<Tensor> {
    let images = match whole_pixels(pixels, source, geometry) {
        Some((moved, size)) => scaled(&moved, geometry.len(), size, device)?,
        None => sample(&scaled(pixels, geometry.len(), source, device)?, geometry)?,
    };
    normalized(images, normalize)
}

/// Moves pixels without interpolation where every image allows it: exact, and cheaper than sampling.
fn whole_pixels<'a>(
    pixels: &'a [u8],
    source: Size,
    geometry: &[Geometry],
) -> Option<(std::borrow::Cow<'a, [u8]>, Size)> {
    let result = geometry.first()?.result();
    if geometry
        .iter()
        .all(|g| g.later.is_empty() && g.first.affine == Affine::IDENTITY && g.result() == source)
    {
        return Some((pixels.into(), source));
    }
    let shifts: Option<Vec<_>> = geometry
        .iter()
        .map(|g| {
            g.first
                .affine
                .shift(source, result)
                .filter(|_| g.later.is_empty())
        })
        .collect();
    let (from, to) = (
        3 * source.width * source.height,
        3 * result.width * result.height,
    );
    let mut moved = vec![0; geometry.len() * to];
    let images = pixels.chunks_exact(from).zip(moved.chunks_exact_mut(to));
    for ((pixels, out), shift) in images.zip(shifts?) {
        shift.apply(pixels, source, result, out);
    }
    Some((moved.into(), result))
}

/// u8 [n, height, width, 3] to f32 from 0 to 1, seen as [n, 3, height, width]: channels_last without a copy.
fn scaled(pixels: &[u8], n: usize, size: Size, device: Device) -> Result<Tensor> {
    let shape = [n as i64, size.height as i64, size.width as i64, 3];
    let pixels = Tensor::f_from_data_size(pixels, &shape, Kind::Uint8)?.f_to_device(device)?;
    Ok(pixels
        .f_to_kind(Kind::Float)?
        .f_div_scalar_(255.0)?
        .f_permute([0, 3, 1, 2])?)
}

/// One bilinear sampling for all augmentations together, black outside.
fn sample(images: &Tensor, geometry: &[Geometry]) -> Result<Tensor> {
    let n = geometry.len() as i64;
    let device = images.device();
    let last = |g: &Geometry| g.later.last().map_or(g.first, |(_, piece)| *piece);
    let size = geometry.first().map_or(Size::new(1, 1), Geometry::result);
    // Where a crop may shrink below half size, several samples a pixel are taken and averaged, or it would alias.
    let shrinks =
        |p: &Piece| (p.source.width / p.result.width).max(p.source.height / p.result.height);
    let finer = geometry.first().map_or(1, |g| {
        let most = g.later.iter().map(|(_, piece)| shrinks(piece)).max();
        most.unwrap_or(1).max(1)
    }) as i64;
    let shape = [n, 3, finer * size.height as i64, finer * size.width as i64];
    let mut grid = Tensor::f_affine_grid_generator(
        &matrices(geometry.iter().map(last), device)?,
        shape,
        false,
    )?;
    let clips = geometry.first().map_or(0, |g| g.later.len());
    for i in (0..clips).rev() {
        let before = |g: &Geometry| if i == 0 { g.first } else { g.later[i - 1].1 };
        grid = clipped(&grid, geometry, i)?;
        if geometry
            .iter()
            .any(|g| before(g).affine != Affine::IDENTITY || before(g).source != before(g).result)
        {
            let theta = matrices(geometry.iter().map(before), device)?;
            let points = grid.f_view([n, -1, 2])?;
            grid = points
                .f_bmm(&theta.f_narrow(2, 0, 2)?.f_transpose(1, 2)?)?
                .f_add(&theta.f_narrow(2, 2, 1)?.f_transpose(1, 2)?)?
                .f_view(grid.size().as_slice())?;
        }
    }
    // 0, 0: bilinear, zeros outside.
    let mut sampled = images.f_grid_sampler_2d(&grid, 0, 0, false)?;
    if finer > 1 {
        let side = [finer, finer];
        sampled = sampled.f_avg_pool2d(side, side, [0, 0], false, true, None::<i64>)?;
    }
    channels_last(&sampled)
}

fn clipped(grid: &Tensor, geometry: &[Geometry], i: usize) -> Result<Tensor> {
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for g in geometry {
        let (clip, piece) = &g.later[i];
        let sides = [piece.source.width as f64, piece.source.height as f64];
        let share = |(edge, side): (f64, f64)| (2.0 * edge / side) as f32;
        low.extend(clip.low.into_iter().zip(sides).map(share));
        high.extend(clip.high.into_iter().zip(sides).map(share));
    }
    let shape = [geometry.len() as i64, 1, 1, 2];
    let tensor = |values: &[f32]| -> Result<Tensor> {
        Ok(Tensor::f_from_slice(values)?
            .f_view(shape)?
            .f_to_device(grid.device())?)
    };
    Ok(grid.f_clamp_tensor(Some(tensor(&low)?), Some(tensor(&high)?))?)
}

fn matrices(pieces: impl Iterator<Item = Piece>, device: Device) -> Result<Tensor> {
    let six: Vec<f32> = pieces
        .flat_map(|p| p.affine.normalized(p.source, p.result))
        .collect();
    Ok(Tensor::f_from_slice(&six)?
        .f_view([-1, 2, 3])?
        .f_to_device(device)?)
}

fn normalized(mut images: Tensor, by: &MeanStd) -> Result<Tensor> {
    if *by == MeanStd::IDENTITY {
        return Ok(images);
    }
    let channel = |values: [f64; 3]| -> Result<Tensor> {
        let values = values.map(|v| v as f32);
        Ok(Tensor::f_from_slice(&values)?
            .f_view([1, 3, 1, 1])?
            .f_to_device(images.device())?)
    };
    let (mean, std) = (channel(by.mean)?, channel(by.std)?);
    Ok(images.f_sub_(&mean)?.f_div_(&std)?)
}

/// The same values in the memory order that convolutions are fastest with.
fn channels_last(images: &Tensor) -> Result<Tensor> {
    Ok(images
        .f_permute([0, 2, 3, 1])?
        .f_contiguous()?
        .f_permute([0, 3, 1, 2])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn augmented(text: &str, pixels: &[u8], size: Size) -> Tensor {
        let augment: Vec<Augment> = serde_json::from_str(text).unwrap();
        let draw = Draw {
            augment: &augment,
            seed: 1,
            epoch: 1,
        };
        training_batch(pixels, &[0], size, &draw, &MeanStd::IDENTITY, Device::Cpu).unwrap()
    }

    fn picture(size: Size) -> Vec<u8> {
        (0..3 * size.width * size.height)
            .map(|i| (i * 37 % 256) as u8)
            .collect()
    }

    fn plain(pixels: &[u8], size: Size) -> Tensor {
        scaled(pixels, 1, size, Device::Cpu).unwrap()
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
        apply(pixels, size, geometry, &MeanStd::IDENTITY, Device::Cpu).unwrap()
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
                let inside =
                    |at: i64, limit: usize| usize::try_from(at).ok().filter(|at| *at < limit);
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
            normalize: by,
        };
        let out = evaluation_batch(&[255, 255, 255], 1, 1, 1, &transform, Device::Cpu).unwrap();
        let at = |c, y, x| out.double_value(&[0, c, y, x]);
        assert_eq!(out.size(), [1, 3, 3, 3]);
        assert_eq!([at(0, 1, 1), at(1, 1, 1), at(2, 1, 1)], [1.0, 1.0, 0.0]);
        assert_eq!([at(0, 0, 0), at(1, 0, 0), at(2, 0, 0)], [0.0, -1.0, -0.5]);
        assert_eq!(size, Size::new(1, 1));
    }
}
