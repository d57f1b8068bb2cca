//! The job `Attend`: images as a model sees them, with what speaks for a class lit up.

use std::fs;

use tch::{Device, Kind, Tensor};

use super::inputs::EvaluationInputs;
use crate::{
    data::{Thumbnails, gather},
    error::{Error, Result},
    event::Tell,
    files,
    learn::feed::evaluation_batch,
    model::Network,
    native::make_deterministic,
    record::{Attend, Attention, Transform},
    settings::MeanStd,
    stop::Stop,
};

/// How bright what says nothing is left, in gray.
const DIM: f64 = 0.35;

/// Writes what [`Attend`] says.
///
/// # Errors
/// When a stop was requested, the model is an ensemble or cannot be used, or libtorch or the disk refuses.
pub fn attend(job: &Attend, device: Device, tell: Tell<'_>, stop: &Stop) -> Result<()> {
    make_deterministic()?;
    let inputs = EvaluationInputs::open(&job.evaluate, tell)?;
    let [member] = inputs.members.as_slice() else {
        return Err(Error::usage(
            "an ensemble has no one place where it finds its evidence",
        ));
    };
    let mut model = Network::from_state(&member.model.state, member.model.arch, device)?;
    model.to_channels_last();
    let (pack, transform) = (&inputs.pack, &member.transform);
    files::create_folder(&job.evaluate.out)?;
    let mut found = Attention {
        height: 0,
        width: 0,
        maps: Vec::new(),
    };
    for images in job.images.chunks(job.evaluate.batch_size.max(1) as usize) {
        stop.check()?;
        let rows: Vec<usize> = images.iter().map(|(row, _)| *row).collect();
        let classes: Vec<i64> = images.iter().map(|(_, class)| *class as i64).collect();
        let mut pixels = vec![0; rows.len() * pack.row_bytes()];
        gather(pack, &rows, &mut pixels)?;
        let size = (pack.width(), pack.height());
        let seen = attention(&model, &pixels, size, transform, &classes, device)?;
        (found.height, found.width) = seen.size;
        let (width, height) = seen.sides;
        for (picture, map) in seen.pictures.iter().zip(seen.maps) {
            let path = job.evaluate.out.join(format!("{}.jpg", found.maps.len()));
            let jpeg = Thumbnails::of_row(picture, width, height)?;
            fs::write(&path, jpeg).map_err(|e| Error::io("write", &path, e))?;
            found.maps.push(map);
        }
    }
    files::write_json(&job.evaluate.out.join(Attention::FILE), &found)
}

/// What speaks for a class of each image of a batch.
pub struct Seen {
    /// Height and width of a map.
    size: (usize, usize),
    /// Row by row, at least 0.
    maps: Vec<Vec<f32>>,
    /// Each image as the model sees it, lit up where the evidence lies: u8, height x width x (red, green, blue).
    pub pictures: Vec<Vec<u8>>,
    /// Their width and height.
    pub sides: (usize, usize),
}

/// Looks at a batch of rows of `source` (width, height), u8 as in a pack, under a transform, for a class of each.
///
/// # Errors
/// When libtorch refuses.
pub fn attention(
    model: &Network,
    pixels: &[u8],
    source: (usize, usize),
    transform: &Transform,
    classes: &[i64],
    device: Device,
) -> Result<Seen> {
    let (width, height) = source;
    let seen = evaluation_batch(pixels, classes.len(), height, width, transform, device)?;
    let maps = tch::with_grad(|| model.attention(&seen, classes))?;
    let maps = maps.f_to_device(Device::Cpu)?;
    let (_, height, width) = maps.size3()?;
    let size = (height as usize, width as usize);
    let flat = Vec::<f32>::try_from(&maps.f_contiguous()?.f_view([-1])?)?;
    let (_, _, height, width) = seen.size4()?;
    let maps_of = flat.chunks_exact((size.0 * size.1).max(1));
    Ok(Seen {
        size,
        maps: maps_of.map(<[f32]>::to_vec).collect(),
        pictures: lit(&seen, &maps, &transform.normalize)?,
        sides: (width as usize, height as usize),
    })
}

/// The pictures of a batch, u8 height x width x (red, green, blue) each, normalisation taken back: in colour where the evidence lies, dim
/// and gray where there is least of it.
fn lit(seen: &Tensor, maps: &Tensor, normalize: &MeanStd) -> Result<Vec<Vec<u8>>> {
    let (n, _, height, width) = seen.size4()?;
    let channels = |values: [f64; 3]| -> Result<Tensor> {
        let values = Tensor::f_from_slice(&values)?.f_to_kind(Kind::Float)?;
        Ok(values.f_reshape([1, 3, 1, 1])?)
    };
    let seen = seen.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?;
    let seen = seen
        .f_mul(&channels(normalize.std)?)?
        .f_add(&channels(normalize.mean)?)?;
    let least = maps.f_amin([1_i64, 2].as_slice(), true)?;
    let above = maps.f_sub(&least)?;
    let most = above.f_amax([1_i64, 2].as_slice(), true)?;
    let share = above.f_div(&most.f_clamp_min(1e-12)?)?.f_unsqueeze(1)?;
    let share = share.f_upsample_bilinear2d([height, width], false, None, None)?;
    let gray = seen.f_mean_dim([1_i64].as_slice(), true, Kind::Float)?;
    let dim = gray.f_mul_scalar(DIM)?;
    let lit = seen.f_sub(&dim)?.f_mul(&share)?.f_add(&dim)?;
    let bytes = lit.f_mul_scalar(255.0)?.f_round()?.f_clamp(0.0, 255.0)?;
    let bytes = bytes.f_permute([0, 2, 3, 1])?.f_to_kind(Kind::Uint8)?;
    let bytes = Vec::<u8>::try_from(bytes.f_contiguous()?.f_view([-1])?)?;
    let one = bytes.len() / n.max(1) as usize;
    Ok(bytes.chunks_exact(one.max(1)).map(<[u8]>::to_vec).collect())
}
