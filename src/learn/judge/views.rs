//! Test-time augmentation: the views of a batch, and the mean over them.

use tch::{Device, Kind, Tensor};

use crate::{
    error::{Error, Result},
    learn::{
        feed::{at_test_resolution, centre, seen},
        picture::{Geometry, Size},
    },
    model::{Mode, Network},
    record::Transform,
    settings::Tta,
};

/// Images as evaluation sees them, in every view; the first is the plain one.
///
/// Pixels as for `evaluation_batch`; each view is f32 [n, 3, height', width'] on `device`. Crops and flips move whole pixels, so
/// a view is made of the very pixels that the plain one is made of; a transform with a test resolution resizes each crop to it.
///
/// # Errors
/// When a view does not exist under this transform, or libtorch refuses.
fn views(
    pixels: &[u8],
    n: usize,
    source: (usize, usize),
    transform: &Transform,
    tta: &[Tta],
    device: Device,
) -> Result<Vec<Tensor>> {
    let source = Size::new(source.0, source.1);
    let view = |geometry: &Geometry| {
        let normalize = &transform.normalize;
        seen(pixels, n, source, geometry, normalize, device)
    };
    let mut views = vec![view(&centre(source, transform))?];
    if tta.contains(&Tta::FiveCrop) {
        let side = corners_side(source, transform)?;
        let (bottom, right) = (source.height - side, source.width - side);
        for first in [[0, 0], [right, 0], [0, bottom], [right, bottom]] {
            let mut corner = Geometry::new(source);
            corner.crop(first, Size::new(side, side));
            views.push(view(&at_test_resolution(corner, transform))?);
        }
    }
    if tta.contains(&Tta::HorizontalFlip) {
        for i in 0..views.len() {
            let mirrored = views[i].f_flip([3_i64])?;
            views.push(mirrored);
        }
    }
    Ok(views)
}

/// The side of the corners.
fn corners_side(source: Size, transform: &Transform) -> Result<usize> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let sides = (length(source.width), length(source.height));
    let side = Tta::corners(transform.center_crop, sides);
    side.map(|side| side as usize)
        .map_err(|why| Error::usage(why).help(Tta::WITHOUT_CORNERS))
}

/// What a model says of images in every view, in evaluation mode and f32: row-major [n, classes] for each view. The rest is as for
/// `views`.
///
/// # Errors
/// As `views`.
pub fn logits_of_views(
    model: &Network,
    pixels: &[u8],
    n: usize,
    source: (usize, usize),
    transform: &Transform,
    tta: &[Tta],
    device: Device,
) -> Result<Vec<Vec<f32>>> {
    let views = views(pixels, n, source, transform, tta, device)?;
    let flat = |view: &Tensor| -> Result<Vec<f32>> {
        let logits = model.forward(view, Mode::Evaluation);
        let logits = logits.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?;
        Ok(Vec::<f32>::try_from(&logits.f_contiguous()?.f_view([-1])?)?)
    };
    views.iter().map(flat).collect()
}

/// The logarithms of mean probabilities, row-major as the logits given: one row-major [rows, classes] for each view or model.
///
/// The mean is taken over softmax probabilities, in f64 and through logarithms, so that a probability of e^-800 still counts. A
/// single row of logits comes back as its log-probabilities.
#[must_use]
pub fn log_mean_probabilities(logits: &[Vec<f32>], classes: usize) -> Vec<f64> {
    let classes = classes.max(1);
    let rows = logits.first().map_or(0, |one| one.len() / classes);
    let share = (logits.len() as f64).ln();
    let mut means = Vec::with_capacity(rows * classes);
    for row in 0..rows {
        let logs: Vec<Vec<f64>> = logits
            .iter()
            .map(|one| log_softmax(&one[row * classes..][..classes]))
            .collect();
        for class in 0..classes {
            let of_class: Vec<f64> = logs.iter().map(|log| log[class]).collect();
            means.push(log_sum_exp(&of_class) - share);
        }
    }
    means
}

/// The log-probabilities of one row of logits, in f64 (`torch.log_softmax`).
pub(super) fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let logits: Vec<f64> = logits.iter().map(|v| f64::from(*v)).collect();
    let sum = log_sum_exp(&logits);
    logits.iter().map(|v| v - sum).collect()
}

/// NaN where any value is: a model without a ranking must not hide behind the others.
fn log_sum_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|v| (v - largest).exp()).sum();
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{MeanStd, Pixels};

    /// `torch.log_softmax` of torch 2.11 in f64.
    #[test]
    fn logarithms_of_probabilities_equal_pytorchs_and_stay_finite_far_out() {
        let found = [[2.0, 1.0, 0.0], [-1000.0, 1000.0, 0.0]]
            .map(|row| log_softmax(&row))
            .concat();
        let expected = [
            -0.407_605_964_444_38,
            -1.407_605_964_444_38,
            -2.407_605_964_444_38,
            -2000.0,
            0.0,
            -1000.0,
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
    }

    fn transform(center_crop: Option<u32>) -> Transform {
        let resize = serde_json::json!({ "width": 5, "height": 4 });
        Transform {
            pixels: Pixels::new(serde_json::from_value(resize).unwrap()),
            center_crop,
            test_resolution: None,
            normalize: MeanStd::IDENTITY,
        }
    }

    /// One image of 5 x 4 whose red is the place of the pixel.
    fn reds(crop: Option<u32>, tta: &[Tta]) -> Result<Vec<Vec<i64>>> {
        let pixels: Vec<u8> = (0..20).flat_map(|i| [i, 0, 0]).collect();
        let found = views(&pixels, 1, (5, 4), &transform(crop), tta, Device::Cpu)?;
        let red = |view: &Tensor| {
            let red = (view.select(1, 0) * 255.0).round().reshape([-1]);
            Vec::<f64>::try_from(&red.to_kind(Kind::Double)).unwrap()
        };
        let whole = |view: &Tensor| red(view).into_iter().map(|v| v as i64).collect();
        Ok(found.iter().map(whole).collect())
    }

    #[test]
    fn a_flip_doubles_the_views_and_five_crops_are_the_centre_and_the_corners() {
        let plain = reds(Some(2), &[]).unwrap();
        // torchvision rounds the half pixel of (5 - 2) / 2 to the even 2.
        assert_eq!(plain, [[7, 8, 12, 13]]);
        let crops = [
            [7, 8, 12, 13],
            [0, 1, 5, 6],
            [3, 4, 8, 9],
            [10, 11, 15, 16],
            [13, 14, 18, 19],
        ];
        assert_eq!(reds(Some(2), &[Tta::FiveCrop]).unwrap(), crops);
        let ten = reds(Some(2), &[Tta::HorizontalFlip, Tta::FiveCrop]).unwrap();
        assert_eq!(ten.len(), 10);
        assert_eq!(
            (&ten[..5], &ten[5]),
            (&crops.map(Vec::from)[..], &vec![8, 7, 13, 12])
        );
        assert_eq!(reds(None, &[Tta::HorizontalFlip]).unwrap().len(), 2);
    }

    #[test]
    fn corners_are_resized_to_the_test_resolution_each_by_itself() {
        let pixels: Vec<u8> = (0..20).flat_map(|i| [7 * i, 0, 0]).collect();
        let at = |test_resolution| Transform {
            test_resolution,
            ..transform(Some(2))
        };
        let of = |test_resolution| {
            let transform = at(test_resolution);
            views(
                &pixels,
                1,
                (5, 4),
                &transform,
                &[Tta::FiveCrop],
                Device::Cpu,
            )
            .unwrap()
        };
        for (plain, resized) in of(None).iter().zip(of(Some(3))) {
            let expected = plain.upsample_bilinear2d([3, 3], false, None, None);
            assert!((resized - expected).abs().max().double_value(&[]) < 1e-5);
        }
    }

    #[test]
    fn corners_need_a_centre_crop_that_fits() {
        let told = reds(None, &[Tta::FiveCrop]).unwrap_err().to_string();
        assert!(told.contains("the model was trained without one"), "{told}");
        let told = reds(Some(5), &[Tta::FiveCrop]).unwrap_err().to_string();
        assert!(told.contains("centre crop of 5 pixels is larger"), "{told}");
    }

    #[test]
    fn the_mean_is_that_of_probabilities_and_not_of_logits() {
        // Softmax: (3/4, 1/4) and (1/8, 7/8).
        let logits = [vec![3_f32.ln(), 0.0], vec![0.0, 7_f32.ln()]];
        let means = log_mean_probabilities(&logits, 2);
        for (found, expected) in means.iter().zip([7.0 / 16.0, 9.0 / 16.0]) {
            assert!((found.exp() - expected).abs() < 1e-7, "{means:?}");
        }
        let far = log_mean_probabilities(&[vec![0.0, 900.0], vec![0.0, 800.0]], 2);
        assert!((far[0] - (-800.0 - 2_f64.ln())).abs() < 1e-9, "{far:?}");
        let none = log_mean_probabilities(&[vec![f32::NAN, 1.0], vec![0.0, 1.0]], 2);
        assert!(none.iter().all(|v| v.is_nan()), "{none:?}");
    }
}
