//! The job `Browse`: a sheet of what a training sees, so that a person sees it too.

use image::RgbImage;
use tch::{Device, Kind, Tensor};

use crate::{
    data::{Captioned, Sheet},
    error::{Error, Result},
    files,
    learn::{
        feed::{Inputs, Loader, Shown},
        fit::{center_crop, kept_normalization, normalization},
    },
    native::make_deterministic,
    record::{Browse, Browsed, Transform},
    settings::MeanStd,
    stop::Stop,
};

/// A picture: its bytes in height x width x 3, its width and its height.
type Picture = (Vec<u8>, usize, usize);

/// Writes `sheet.png` and `browsed.json` to the `out` of the training. Each line of the sheet is one photograph of the training part, with its number and class above it: first as it lies
/// in the pack, then as each epoch sees it. The pictures come from the batches of a training, with normalisation taken back.
///
/// # Errors
/// When a stop was requested, an input cannot be used, the sheet is too large, or libtorch or the disk refuses.
pub fn browse(job: &Browse, device: Device, stop: &Stop) -> Result<()> {
    make_deterministic()?;
    let (fit, training) = (&job.fit, &job.fit.training);
    let inputs = Inputs::open(&fit.data, None)?;
    // What is erased to 0 has the colour of the mean.
    let normalize = match &job.source {
        Some(file) => kept_normalization(file, &inputs)?,
        None => normalization(&training.normalize, &inputs)?,
    };
    let transform = Transform {
        pixels: fit.pixels,
        center_crop: center_crop(&training.augment)?,
        test_resolution: None,
        normalize,
    };
    let loader = Loader::new(training, &inputs, &transform, device)?;
    let n = (job.images as usize).min(inputs.train.len());
    let rows: Vec<usize> = (0..n)
        .map(|i| inputs.train[i * inputs.train.len() / n])
        .collect();
    let mut lines: Vec<Vec<Picture>> = Vec::new();
    for row in &rows {
        let original = inputs.pack.row(*row)?.into_owned();
        lines.push(vec![(original, inputs.pack.width(), inputs.pack.height())]);
    }
    let epochs: Vec<u32> = (0..job.epochs)
        .map(|i| job.epoch.saturating_add(i))
        .collect();
    for epoch in &epochs {
        stop.check()?;
        let shown = |row: &usize| Shown {
            row: *row,
            repeat: 0,
        };
        let batch = [rows.iter().map(shown).collect()];
        loader.training(&batch, *epoch, |batch| {
            let seen = pictures(&batch.images, &transform.normalize)?;
            for (line, picture) in lines.iter_mut().zip(seen) {
                line.push(picture);
            }
            Ok(())
        })?;
    }
    let all = || lines.iter().flatten();
    let width = all().map(|p| p.1).max().unwrap_or(1);
    let height = all().map(|p| p.2).max().unwrap_or(1);
    let mut sheet = Sheet::new(width as u32, height as u32);
    for ((number, row), line) in (1..).zip(&rows).zip(lines) {
        let class = &inputs.classes[inputs.class(*row) as usize];
        let pictures = line.into_iter().map(captioned).collect::<Result<_>>()?;
        sheet.line(format!("{number} {class}"), pictures);
    }
    files::create_folder(&fit.out)?;
    sheet.write(&fit.out.join(Browse::SHEET))?;
    files::write_json(&fit.out.join(Browsed::FILE), &Browsed { rows, epochs })
}

/// f32 [n, 3, height, width], normalised, as pictures.
fn pictures(images: &Tensor, normalize: &MeanStd) -> Result<Vec<Picture>> {
    let (_, _, height, width) = images.size4()?;
    let channels = |values: [f64; 3]| -> Result<Tensor> {
        let values = Tensor::f_from_slice(&values)?.f_to_kind(Kind::Float)?;
        Ok(values
            .f_reshape([1, 3, 1, 1])?
            .f_to_device(images.device())?)
    };
    let seen = images
        .f_mul(&channels(normalize.std)?)?
        .f_add(&channels(normalize.mean)?)?;
    let bytes = seen.f_mul_scalar(255.0)?.f_round()?.f_clamp(0.0, 255.0)?;
    let bytes = bytes
        .f_permute([0, 2, 3, 1])?
        .f_to_kind(Kind::Uint8)?
        .f_contiguous()?;
    let bytes = Vec::<u8>::try_from(bytes.f_to_device(Device::Cpu)?.f_reshape([-1])?)?;
    let (width, height) = (width as usize, height as usize);
    let one = |picture: &[u8]| (picture.to_vec(), width, height);
    Ok(bytes.chunks_exact(3 * width * height).map(one).collect())
}

fn captioned((bytes, width, height): Picture) -> Result<Captioned> {
    let picture = RgbImage::from_raw(width as u32, height as u32, bytes);
    let picture = picture.ok_or_else(|| Error::failed("a picture has not the size it says"))?;
    Ok(picture.into())
}
