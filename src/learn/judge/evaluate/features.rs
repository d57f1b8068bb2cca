//! Look-alikes by what the model's head sees: confirms those that the audit of pixels found, and finds further ones.

use tch::{Device, Kind, Tensor};

use super::super::progress::Progress;
use super::{Judge, inputs::EvaluationInputs, write::Judged};
use crate::{
    data::gather,
    error::Result,
    learn::feed::evaluation_batch,
    model::Mode,
    record::{ByFeatures, FeatureLeak, FeatureLeaks, Part},
};

/// Rows of one block of cosines: 512 x 8192 of them take 16 MB.
const QUERIES: i64 = 512;
const KEYS: i64 = 8192;

impl Judge<'_> {
    /// The unit vectors [rows, features] of some images, in half precision on the CPU: 2,048 features of 33,593 images take 138 MB.
    fn directions(&self, rows: &[usize], what: &str) -> Result<Tensor> {
        let _guard = tch::no_grad_guard();
        let pack = &self.inputs.pack;
        let mut progress = Progress::new(self.tell, format!("features of {what}"), rows.len());
        let mut blocks = Vec::new();
        let mut done = 0;
        for rows in rows.chunks(self.job.batch_size.max(1) as usize) {
            self.stop.check()?;
            let mut pixels = vec![0; rows.len() * pack.row_bytes()];
            gather(pack, rows, &mut pixels)?;
            let (height, width) = (pack.height(), pack.width());
            let mut units = Vec::new();
            for (model, transform) in self.models {
                let images =
                    evaluation_batch(&pixels, rows.len(), height, width, transform, self.device)?;
                let features = model
                    .features(&images, Mode::Evaluation)
                    .f_to_kind(Kind::Float)?;
                let length = features.f_norm_scalaropt_dim(2.0, [1_i64], true)?;
                units.push(features.f_div(&length.f_clamp_min(1e-12)?)?);
            }
            // Side by side and shortened again: the cosine of two images is then the mean over the models.
            let unit = match units.as_slice() {
                [one] => one.shallow_clone(),
                several => {
                    Tensor::f_cat(several, 1)?.f_div_scalar((several.len() as f64).sqrt())?
                }
            };
            blocks.push(unit.f_to_kind(Kind::Half)?.f_to_device(Device::Cpu)?);
            done += rows.len() as u64;
            progress.at(done);
        }
        Ok(Tensor::f_cat(&blocks, 0)?)
    }

    /// Holds the evaluated parts, but for train, against the training part: at most one pair for each of their images.
    pub(super) fn feature_leaks(&self, judged: &[Judged<'_>], least: f64) -> Result<FeatureLeaks> {
        let inputs = self.inputs;
        let mut found = FeatureLeaks {
            cosine: least,
            parts: Vec::new(),
            pairs: Vec::new(),
        };
        if inputs.train.is_empty() {
            return Ok(found);
        }
        let keys = self.directions(&inputs.train, "train")?;
        for part in judged.iter().filter(|p| p.members.part != Part::Train) {
            let queries = self.directions(&part.members.rows, part.members.part.name())?;
            let best = nearest(&queries, &keys)?;
            let pairs = pairs(inputs, part, &queries, &keys, &best, least)?;
            found.parts.push(summary(part, &pairs, least));
            found.pairs.extend(pairs.into_iter().flatten());
        }
        Ok(found)
    }
}

/// For each query the nearest key and their cosine.
fn nearest(queries: &Tensor, keys: &Tensor) -> Result<Vec<(usize, f64)>> {
    let (n, m) = (queries.size()[0], keys.size()[0]);
    let mut best = vec![(0, f64::NEG_INFINITY); n as usize];
    for k in (0..m).step_by(KEYS as usize) {
        let block = keys
            .f_narrow(0, k, KEYS.min(m - k))?
            .f_to_kind(Kind::Float)?
            .f_tr()?;
        for q in (0..n).step_by(QUERIES as usize) {
            let some = queries.f_narrow(0, q, QUERIES.min(n - q))?;
            let cosines = some.f_to_kind(Kind::Float)?.f_matmul(&block)?;
            let (values, places) = cosines.f_max_dim(1, false)?;
            let values = Vec::<f32>::try_from(&values)?;
            let places = Vec::<i64>::try_from(&places)?;
            for (i, (value, place)) in values.into_iter().zip(places).enumerate() {
                let best = &mut best[q as usize + i];
                if f64::from(value) > best.1 {
                    *best = ((k + place) as usize, f64::from(value));
                }
            }
        }
    }
    Ok(best)
}

/// For each image of a part its pair: the one that the audit knows, else the nearest if it is near enough.
fn pairs(
    inputs: &EvaluationInputs,
    part: &Judged<'_>,
    queries: &Tensor,
    keys: &Tensor,
    best: &[(usize, f64)],
    least: f64,
) -> Result<Vec<Option<FeatureLeak>>> {
    let mut pairs = Vec::with_capacity(best.len());
    for (i, (row, (nearest, cosine))) in part.members.rows.iter().zip(best).enumerate() {
        let known = inputs.leaking.as_ref().and_then(|l| l.like_train(*row));
        let place = |like: u32| inputs.train.binary_search(&(like as usize)).ok();
        let known = known.and_then(|(like, likeness)| Some((place(like)?, likeness)));
        let (key, cosine) = match known {
            Some((key, _)) => {
                let one = queries.f_get(i as i64)?.f_to_kind(Kind::Float)?;
                let other = keys.f_get(key as i64)?.f_to_kind(Kind::Float)?;
                (key, f64::try_from(one.f_dot(&other)?)?)
            }
            None => (*nearest, *cosine),
        };
        let wanted = known.is_some() || cosine >= least;
        pairs.push(wanted.then(|| FeatureLeak {
            part: part.members.part,
            path: inputs.paths[*row].clone(),
            like: inputs.paths[inputs.train[key]].clone(),
            known: known.map(|(_, likeness)| likeness),
            // Four digits: more would differ between machines.
            cosine: (cosine * 1e4).round() / 1e4,
        }));
    }
    Ok(pairs)
}

fn summary(part: &Judged<'_>, pairs: &[Option<FeatureLeak>], least: f64) -> ByFeatures {
    let known = |pair: &&FeatureLeak| pair.known.is_some();
    let (mut clean, mut right) = (0_u64, 0_u64);
    for (pair, score) in pairs.iter().zip(&part.scores) {
        if pair.is_none() {
            clean += 1;
            right += u64::from(score.correct);
        }
    }
    let found = || pairs.iter().flatten();
    ByFeatures {
        part: part.members.part,
        confirmed: found().filter(known).filter(|p| p.cosine >= least).count() as u64,
        further: found().filter(|pair| !known(pair)).count() as u64,
        top1_without: (clean > 0).then(|| right as f64 / clean as f64),
    }
}
