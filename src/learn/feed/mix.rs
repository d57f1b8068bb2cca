//! Mixing of the images of a batch with each other, on the device; what is drawn is drawn on the host.

use std::ops::Range;

use rand::RngExt;
use rand_distr::{Beta, Distribution};
use tch::Tensor;

use super::order::Shown;
use crate::{
    error::Result,
    seed::stream,
    settings::{Mix, MixRule, Training},
};

/// What becomes of a batch. The partner of an image is the one before it; the first one's is the last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Drawn {
    /// The share of the image itself.
    Mixup(f64),
    /// The part that is the partner's.
    Cutmix {
        rows: Range<i64>,
        columns: Range<i64>,
        /// The share of the image itself.
        own: f64,
    },
}

/// Draws for a batch of images of this height and width in epoch `epoch`; `None` leaves it as it is.
///
/// From (seed, epoch, first image of the batch) alone: no other batch of the epoch has that image in that repeat, and where in
/// the epoch the batch stands need not be known.
pub(crate) fn draw(
    training: &Training,
    epoch: u32,
    first: Shown,
    [height, width]: [i64; 2],
) -> Option<Drawn> {
    let mix = training
        .mix
        .as_ref()
        .filter(|mix| on(mix, training, epoch))?;
    let position = [u64::from(epoch), first.row as u64, u64::from(first.repeat)];
    let mut rng = stream(training.seed, "mix", &position);
    let chosen: f64 = rng.random();
    let probability = |rule: &Option<MixRule>| rule.map_or(0.0, |r| r.probability.get());
    let mixup = probability(&mix.mixup);
    if let Some(rule) = mix.mixup.filter(|_| chosen < mixup) {
        return Some(Drawn::Mixup(share(rule, &mut rng)));
    }
    let rule = mix
        .cutmix
        .filter(|r| chosen < mixup + r.probability.get())?;
    let half = 0.5 * (1.0 - share(rule, &mut rng)).sqrt();
    let mut side = |length: i64| {
        let (centre, half) = (rng.random_range(0..length), (half * length as f64) as i64);
        (centre - half).max(0)..(centre + half).min(length)
    };
    let (columns, rows) = (side(width), side(height));
    let area = (rows.end - rows.start) * (columns.end - columns.start);
    Some(Drawn::Cutmix {
        own: 1.0 - area as f64 / (width * height) as f64,
        rows,
        columns,
    })
}

fn on(mix: &Mix, training: &Training, epoch: u32) -> bool {
    epoch.saturating_add(mix.off_epochs) <= training.epochs.get()
}

fn share(rule: MixRule, rng: &mut impl rand::Rng) -> f64 {
    let alpha = rule.alpha.get();
    let share = Beta::new(alpha, alpha).map_or(f64::NAN, |beta| beta.sample(rng));
    // An alpha beyond what f64 can draw from: the limit at 0 leaves one image or the other.
    if share.is_nan() { 1.0 } else { share }
}

impl Drawn {
    /// Mixes images [n, 3, height, width] and targets [n, classes], both f32, as torchvision's `v2.MixUp` and `v2.CutMix`.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn apply(&self, images: Tensor, targets: &Tensor) -> Result<(Tensor, Tensor)> {
        match self {
            Self::Mixup(own) => Ok((weighted(&images, *own)?, weighted(targets, *own)?)),
            Self::Cutmix { rows, columns, own } => {
                let part = images
                    .f_narrow(2, rows.start, rows.end - rows.start)?
                    .f_narrow(3, columns.start, columns.end - columns.start)?;
                let mut to = part.shallow_clone();
                to.f_copy_(&rolled(&part)?)?;
                Ok((images, weighted(targets, *own)?))
            }
        }
    }
}

fn weighted(values: &Tensor, own: f64) -> Result<Tensor> {
    let mut mixed = rolled(values)?;
    let _ = mixed.f_mul_scalar_(1.0 - own)?;
    let _ = mixed.f_add_(&values.f_mul_scalar(own)?)?;
    Ok(mixed)
}

/// Each image in the place of the next. Not `roll`, which leaves channels_last on a GPU.
fn rolled(values: &Tensor) -> Result<Tensor> {
    let n = values.size().first().copied().unwrap_or(0);
    let (last, others) = (values.f_narrow(0, n - 1, 1)?, values.f_narrow(0, 0, n - 1)?);
    Ok(Tensor::f_cat(&[last, others], 0)?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tch::Kind;

    use super::*;

    fn training(mix: &Value) -> Training {
        Training::plain(&json!({ "epochs": 2, "mix": mix }))
    }

    fn drawn(mix: &Value, epoch: u32) -> Vec<Option<Drawn>> {
        let training = training(mix);
        let first = |row| Shown { row, repeat: 0 };
        (0..2000)
            .map(|row| draw(&training, epoch, first(row), [12, 20]))
            .collect()
    }

    fn images() -> Tensor {
        Tensor::arange(2 * 3 * 4 * 5, (Kind::Float, tch::Device::Cpu)).reshape([2, 3, 4, 5])
    }

    fn targets() -> Tensor {
        Tensor::from_slice(&[1.0_f32, 0.0, 0.0, 1.0]).reshape([2, 2])
    }

    #[test]
    fn mixup_is_a_weighted_mean_with_the_image_before() {
        let (mixed, shares) = Drawn::Mixup(0.75).apply(images(), &targets()).unwrap();
        // Values of the other image differ by 60.
        let expected = images() + Tensor::from_slice(&[15.0_f32, -15.0]).reshape([2, 1, 1, 1]);
        assert_eq!(mixed, expected);
        let expected = Tensor::from_slice(&[0.75_f32, 0.25, 0.25, 0.75]).reshape([2, 2]);
        assert_eq!(shares, expected);
    }

    #[test]
    fn cutmix_takes_a_box_from_the_image_before() {
        let cut = Drawn::Cutmix {
            rows: 1..3,
            columns: 2..5,
            own: 0.7,
        };
        let (mixed, shares) = cut.apply(images(), &targets()).unwrap();
        let changed = mixed - images();
        for (image, by) in [(0, 60.0), (1, -60.0)] {
            for (y, x) in (0..4).flat_map(|y| (0..5).map(move |x| (y, x))) {
                let inside = (1..3).contains(&y) && (2..5).contains(&x);
                let expected = if inside { by } else { 0.0 };
                assert_eq!(changed.double_value(&[image, 2, y, x]), expected, "{y} {x}");
            }
        }
        let expected = Tensor::from_slice(&[0.7_f32, 0.3, 0.3, 0.7]).reshape([2, 2]);
        assert!(shares.allclose(&expected, 1e-6, 1e-6, false));
    }

    #[test]
    fn each_way_comes_as_often_as_its_probability_says() {
        let mix = json!({ "mixup": { "probability": 0.3 }, "cutmix": { "probability": 0.2 } });
        let all = drawn(&mix, 1);
        let mixup = all
            .iter()
            .filter(|d| matches!(d, Some(Drawn::Mixup(_))))
            .count();
        let cutmix = all
            .iter()
            .filter(|d| matches!(d, Some(Drawn::Cutmix { .. })))
            .count();
        // Four standard deviations of 2000 draws.
        assert!(
            mixup.abs_diff(600) < 82 && cutmix.abs_diff(400) < 72,
            "{mixup} {cutmix}"
        );
        assert_eq!(all, drawn(&mix, 1));
        assert_ne!(all, drawn(&mix, 2));
    }

    #[test]
    fn the_last_epochs_are_not_mixed() {
        let mix = json!({ "mixup": { "probability": 1.0 }, "off_epochs": 1 });
        assert!(drawn(&mix, 1).iter().all(Option::is_some));
        assert!(drawn(&mix, 2).iter().all(Option::is_none));
    }

    #[test]
    fn shares_are_drawn_from_beta() {
        let mix = json!({ "mixup": { "alpha": 0.5, "probability": 1.0 } });
        let shares: Vec<f64> = drawn(&mix, 1)
            .into_iter()
            .map(|drawn| match drawn {
                Some(Drawn::Mixup(share)) => share,
                other => panic!("{other:?}"),
            })
            .collect();
        let n = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let variance = shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n;
        // Beta(a, a) has mean 1/2 and variance 1 / (4 (2a + 1)): 1/8.
        assert!(
            (mean - 0.5).abs() < 0.03 && (variance - 0.125).abs() < 0.01,
            "{mean} {variance}"
        );
    }

    #[test]
    fn a_box_stays_inside_and_its_share_is_what_it_covers() {
        for drawn in drawn(&json!({ "cutmix": { "probability": 1.0 } }), 1) {
            let Some(Drawn::Cutmix { rows, columns, own }) = drawn else {
                panic!("{drawn:?}");
            };
            assert!(rows.start >= 0 && rows.end <= 12 && columns.start >= 0 && columns.end <= 20);
            let area = (rows.end - rows.start) * (columns.end - columns.start);
            assert_eq!(own, 1.0 - area as f64 / 240.0);
            assert!(rows.start <= rows.end && columns.start <= columns.end);
        }
    }
}
