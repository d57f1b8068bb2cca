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

/// One bilinear sampling for all augmentations together, black outside. Images that shrink below half size take several
/// samples a pixel, or they would alias; each image as many as its own shrinking asks for.
fn sample(images: &Tensor, geometry: &[Geometry]) -> Result<Tensor> {
    let finer: Vec<i64> = geometry.iter().map(Geometry::samples).collect();
    let first = finer.first().copied().unwrap_or(1);
    if finer.iter().all(|f| *f == first) {
        return sample_finer(images, geometry, first);
    }
    let mut kinds = finer.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let (mut order, mut sampled) = (Vec::new(), Vec::new());
    for kind in kinds {
        let of_kind: Vec<usize> = (0..finer.len()).filter(|i| finer[*i] == kind).collect();
        let geometry: Vec<_> = of_kind.iter().map(|i| geometry[*i].clone()).collect();
        let rows = indices(&of_kind, images.device())?;
        sampled.push(sample_finer(
            &images.f_index_select(0, &rows)?,
            &geometry,
            kind,
        )?);
        order.extend(of_kind);
    }
    let mut back = vec![0; order.len()];
    for (place, image) in order.into_iter().enumerate() {
        back[image] = place;
    }
    let all = Tensor::f_cat(&sampled, 0)?;
    channels_last(&all.f_index_select(0, &indices(&back, images.device())?)?)
}

fn indices(rows: &[usize], device: Device) -> Result<Tensor> {
    let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
    Ok(Tensor::f_from_slice(&rows)?.f_to_device(device)?)
}

/// As [`sample`], with `finer` x `finer` samples a pixel, averaged.
fn sample_finer(images: &Tensor, geometry: &[Geometry], finer: i64) -> Result<Tensor> {
    let n = geometry.len() as i64;
    let device = images.device();
    let last = |g: &Geometry| g.later.last().map_or(g.first, |(_, piece)| *piece);
    let size = geometry.first().map_or(Size::new(1, 1), Geometry::result);
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
mod tests;
