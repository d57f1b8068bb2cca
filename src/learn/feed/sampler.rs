//! From rows of u8 pixels to normalised tensors.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use crate::{
    data::{Pack, gather},
    error::Result,
    learn::picture::{Augmented, Geometry, Levels, Recipe, Size, render, resized, sample},
    native::{accelerated, cuda_device_memory},
    record::Transform,
    seed::{Seed, stream},
    settings::{Augment, MeanStd, ProgressiveResizing},
};

/// Images as the evaluation of a model sees them: the centre crop of its transform, and its normalisation.
///
/// `pixels` holds `n` images of u8 in height x width x 3, already resized as the transform says. The result is f32
/// [n, 3, height', width'] in channels_last order on `device`. Validation, evaluation and prediction all come to the same.
///
/// # Errors
/// When libtorch refuses.
///
/// # Panics
/// When `pixels` is shorter than `n` images.
pub(crate) fn evaluation_batch(
    pixels: &[u8],
    n: usize,
    height: usize,
    width: usize,
    transform: &Transform,
    device: Device,
) -> Result<Tensor> {
    let source = Size::new(width, height);
    let geometry = centre(source, transform);
    seen(pixels, n, source, &geometry, &transform.normalize, device)
}

/// `n` images through one geometry, normalised; otherwise as [`evaluation_batch`].
///
/// # Errors
/// When libtorch refuses.
///
/// # Panics
/// When `pixels` is shorter than `n` images.
pub(crate) fn seen(
    pixels: &[u8],
    n: usize,
    source: Size,
    geometry: &Geometry,
    normalize: &MeanStd,
    device: Device,
) -> Result<Tensor> {
    let length = 3 * source.width * source.height;
    let image = |i: usize| Ok(Cow::Borrowed(&pixels[i * length..][..length]));
    let levels = Levels::of(normalize);
    Ok(sample(image, source, &vec![geometry; n], |_| levels)?.f_to_device(device)?)
}

/// The geometry of evaluation.
pub(crate) fn centre(source: Size, transform: &Transform) -> Geometry {
    let result = transform
        .center_crop
        .map_or(source, |side| Size::new(side as usize, side as usize));
    let geometry = Geometry::of_center_crop(source, result);
    at_test_resolution(geometry, transform)
}

/// What is cropped, at the size at which a model judges.
pub(crate) fn at_test_resolution(mut geometry: Geometry, transform: &Transform) -> Geometry {
    if let Some(side) = transform.test_resolution {
        geometry.resize(geometry.result().with_short_side(side as usize));
    }
    geometry
}

/// What random draws of an epoch depend on.
pub(crate) struct Draw<'a> {
    pub(crate) augment: &'a [Augment],
    pub(crate) progressive_resizing: Option<ProgressiveResizing>,
    pub(crate) seed: Seed,
    /// From 1.
    pub(crate) epoch: u32,
}

impl Draw<'_> {
    /// What happens to image `sample` of the data set: from (seed, epoch, its place in the data set) alone, and from which
    /// repeat in the epoch it is.
    pub(crate) fn augmented(&self, source: Size, sample: usize, repeat: u32) -> Augmented {
        let position = [u64::from(self.epoch), sample as u64, u64::from(repeat)];
        let position = &position[..if repeat == 0 { 2 } else { 3 }];
        let mut rng = stream(self.seed, "augment", position);
        let resizing = self.progressive_resizing;
        let shown = |full| resizing.map_or(full, |resizing| resized(&resizing, self.epoch, full));
        Augmented::draw(self.augment, source, shown, &mut rng)
    }
}

/// The host's part of making images of a pack's rows; works ahead, on a thread of its own.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    pack: &'a Pack,
    levels: Levels,
    device: Device,
    /// Whether a kernel samples.
    kernel: bool,
    /// Whether the rows lie on the device.
    resident: bool,
}

/// Makes images of a pack's rows.
pub(crate) struct Sampler<'a> {
    pub(crate) host: Host<'a>,
    /// All rows of the pack, u8 [n, height, width, 3] on the device, where they fit.
    resident: Option<Tensor>,
}

/// Images half made: what the host can do without the device, ahead of time.
pub(crate) struct Prepared {
    rows: Vec<usize>,
    work: Work,
}

enum Work {
    /// The images on the host, finished.
    Images(Tensor),
    /// How the device makes them, and the rows' bytes where they do not lie there.
    Recipe {
        recipe: Recipe,
        bytes: Option<Tensor>,
    },
}

impl<'a> Sampler<'a> {
    /// Pixels of a pack for a device. On a GPU the whole pack is taken there if that leaves at least half of its memory free.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn new(pack: &'a Pack, normalize: &MeanStd, device: Device) -> Result<Self> {
        let kernel = device.is_cuda() && accelerated().is_none();
        let mut host = Host {
            pack,
            levels: Levels::of(normalize),
            device,
            kernel,
            resident: false,
        };
        let bytes = pack.len() as u64 * pack.row_bytes() as u64;
        let resident = if kernel && bytes < cuda_device_memory()?.0 / 2 {
            host.resident = true;
            Some(host.upload()?)
        } else {
            None
        };
        Ok(Self { host, resident })
    }

    /// The device's part: f32 [n, 3, height, width], normalised, in channels_last order.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn finish(&self, prepared: Prepared) -> Result<Tensor> {
        match prepared.work {
            Work::Images(images) => Ok(images.f_to_device(self.host.device)?),
            Work::Recipe { recipe, bytes } => {
                let bytes = bytes
                    .map(|b| b.f_to_device_(self.host.device, Kind::Uint8, true, false))
                    .transpose()?;
                let rows: Vec<i64> = match bytes {
                    Some(_) => (0..prepared.rows.len() as i64).collect(),
                    None => prepared.rows.iter().map(|row| *row as i64).collect(),
                };
                let rows = Tensor::f_from_slice(&rows)?.f_to_device(self.host.device)?;
                let Some(pixels) = bytes.as_ref().or(self.resident.as_ref()) else {
                    unreachable!("bytes are prepared where the pack is not resident");
                };
                recipe.render(pixels, &rows, self.host.levels)
            }
        }
    }
}

impl Host<'_> {
    /// The size of a row.
    pub(crate) fn source(self) -> Size {
        Size::new(self.pack.width(), self.pack.height())
    }

    /// The host's part, which needs no device: what was drawn for each of `rows`.
    ///
    /// # Errors
    /// When a row cannot be read or libtorch refuses.
    pub(crate) fn prepare(self, rows: &[usize], drawn: &[Augmented]) -> Result<Prepared> {
        let work = if self.kernel {
            Work::Recipe {
                recipe: Recipe::new(drawn, self.source(), self.device)?,
                bytes: if self.resident {
                    None
                } else {
                    Some(self.bytes(rows)?.f_pin_memory(self.device)?)
                },
            }
        } else {
            let image = |i: usize| self.pack.row(rows[i]);
            Work::Images(render(image, self.source(), drawn, self.levels)?)
        };
        Ok(Prepared {
            rows: rows.to_vec(),
            work,
        })
    }

    fn bytes(self, rows: &[usize]) -> Result<Tensor> {
        let mut pixels = vec![0; rows.len() * self.pack.row_bytes()];
        gather(self.pack, rows, &mut pixels)?;
        let Size { width, height } = self.source();
        let shape = [rows.len() as i64, height as i64, width as i64, 3];
        Ok(Tensor::f_from_data_size(&pixels, &shape, Kind::Uint8)?)
    }

    fn upload(self) -> Result<Tensor> {
        const AT_ONCE: usize = 64 << 20;
        let Size { width, height } = self.source();
        let shape = [self.pack.len() as i64, height as i64, width as i64, 3];
        let all = Tensor::f_empty(shape, (Kind::Uint8, self.device))?;
        let rows: Vec<usize> = (0..self.pack.len()).collect();
        for rows in rows.chunks((AT_ONCE / self.pack.row_bytes().max(1)).max(1)) {
            let first = rows.first().map_or(0, |row| *row as i64);
            let bytes = self.bytes(rows)?;
            all.f_narrow(0, first, rows.len() as i64)?.f_copy_(&bytes)?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests;
