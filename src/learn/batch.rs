//! From rows of u8 pixels to normalised tensors.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use super::{
    affine::Size,
    geometry::Geometry,
    sample::{Levels, numbers, sample},
};
use crate::{
    data::{Pack, gather},
    error::Result,
    native::{Sampling, accelerated, cuda_device_memory, sample_pixels},
    record::Transform,
    seed::{Seed, stream},
    settings::{Augment, MeanStd},
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
pub fn evaluation_batch(
    pixels: &[u8],
    n: usize,
    height: usize,
    width: usize,
    transform: &Transform,
    device: Device,
) -> Result<Tensor> {
    let source = Size::new(width, height);
    let geometry = vec![centre(source, transform); n];
    let length = 3 * width * height;
    let image = |i: usize| Ok(Cow::Borrowed(&pixels[i * length..][..length]));
    let levels = Levels::of(&transform.normalize);
    Ok(sample(image, source, &geometry, levels)?.f_to_device(device)?)
}

/// The geometry of evaluation.
pub(super) fn centre(source: Size, transform: &Transform) -> Geometry {
    let result = transform
        .center_crop
        .map_or(source, |side| Size::new(side as usize, side as usize));
    Geometry::of_center_crop(source, result)
}

/// What random draws of an epoch depend on.
pub(super) struct Draw<'a> {
    pub(super) augment: &'a [Augment],
    pub(super) seed: Seed,
    /// From 1.
    pub(super) epoch: u32,
}

impl Draw<'_> {
    /// What happens to image `sample` of the data set: from (seed, epoch, its place in the data set) alone, and from which
    /// repeat in the epoch it is.
    pub(super) fn geometry(&self, source: Size, sample: usize, repeat: u32) -> Geometry {
        let position = [u64::from(self.epoch), sample as u64, u64::from(repeat)];
        let position = &position[..if repeat == 0 { 2 } else { 3 }];
        let mut rng = stream(self.seed, "augment", position);
        Geometry::draw(self.augment, source, &mut rng)
    }
}

/// The host's part of making images of a pack's rows; works ahead, on a thread of its own.
#[derive(Clone, Copy)]
pub(super) struct Host<'a> {
    pack: &'a Pack,
    levels: Levels,
    device: Device,
    /// Whether a kernel samples.
    kernel: bool,
    /// Whether the rows lie on the device.
    resident: bool,
}

/// Makes images of a pack's rows.
pub(super) struct Sampler<'a> {
    pub(super) host: Host<'a>,
    /// All rows of the pack, u8 [n, height, width, 3] on the device, where they fit.
    resident: Option<Tensor>,
}

/// Images half made: what the host can do without the device, ahead of time.
pub(super) struct Prepared {
    rows: Vec<usize>,
    work: Work,
}

enum Work {
    /// The images on the host.
    Images(Tensor),
    /// The numbers by which a kernel samples, and the rows' bytes where they do not lie on the device.
    Numbers {
        numbers: Tensor,
        pieces: usize,
        result: Size,
        bytes: Option<Tensor>,
    },
}

impl<'a> Sampler<'a> {
    /// Pixels of a pack for a device. On a GPU the whole pack is taken there if that leaves at least half of its memory free.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn new(pack: &'a Pack, normalize: &MeanStd, device: Device) -> Result<Self> {
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
    pub(super) fn finish(&self, prepared: Prepared) -> Result<Tensor> {
        match prepared.work {
            Work::Images(images) => Ok(images.f_to_device(self.host.device)?),
            Work::Numbers {
                numbers,
                pieces,
                result,
                bytes,
            } => {
                let bytes = bytes
                    .map(|b| b.f_to_device_(self.host.device, Kind::Uint8, true, false))
                    .transpose()?;
                let rows: Vec<i64> = match bytes {
                    Some(_) => (0..prepared.rows.len() as i64).collect(),
                    None => prepared.rows.iter().map(|row| *row as i64).collect(),
                };
                let rows = Tensor::f_from_slice(&rows)?.f_to_device(self.host.device)?;
                let pixels = bytes.as_ref().or(self.resident.as_ref());
                let sampling = Sampling {
                    rows: &rows,
                    numbers: &numbers.f_to_device(self.host.device)?,
                    pieces,
                    height: result.height,
                    width: result.width,
                    scale: self.host.levels.scale,
                    shift: self.host.levels.shift,
                };
                match pixels {
                    Some(pixels) => sample_pixels(pixels, &sampling),
                    None => unreachable!("bytes are prepared where the pack is not resident"),
                }
            }
        }
    }
}

impl Host<'_> {
    /// The size of a row.
    pub(super) fn source(self) -> Size {
        Size::new(self.pack.width(), self.pack.height())
    }

    /// The host's part, which needs no device: `geometry` for each of `rows`.
    ///
    /// # Errors
    /// When a row cannot be read or libtorch refuses.
    pub(super) fn prepare(self, rows: &[usize], geometry: &[Geometry]) -> Result<Prepared> {
        let work = if self.kernel {
            let (values, pieces) = numbers(geometry);
            Work::Numbers {
                numbers: Tensor::f_from_slice(&values)?,
                pieces,
                result: geometry.first().map_or(self.source(), Geometry::result),
                bytes: if self.resident {
                    None
                } else {
                    Some(self.bytes(rows)?.f_pin_memory(self.device)?)
                },
            }
        } else {
            let image = |i: usize| self.pack.row(rows[i]);
            Work::Images(sample(image, self.source(), geometry, self.levels)?)
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
