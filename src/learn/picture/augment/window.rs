//! The window of a random resized crop.

use rand_chacha::ChaCha8Rng;

use super::super::affine::Size;
use super::random::{below, uniform};
use crate::settings::RandomResizedCrop;

/// A crop in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Window {
    /// All of an image.
    pub(crate) fn whole(size: Size) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            width: size.width as f64,
            height: size.height as f64,
        }
    }

    /// torchvision's `RandomResizedCrop.get_params`: ten tries, then the largest central part within the ratios.
    pub(crate) fn draw(settings: &RandomResizedCrop, size: Size, rng: &mut ChaCha8Rng) -> Self {
        let (width, height) = (size.width as f64, size.height as f64);
        let scale = settings.scale.map(|s| s.get());
        let ratio = settings.ratio.map(|r| r.get());
        for _ in 0..10 {
            let area = width * height * uniform(rng, scale);
            let aspect = uniform(rng, ratio.map(f64::ln)).exp();
            let w = (area * aspect).sqrt().round_ties_even();
            let h = (area / aspect).sqrt().round_ties_even();
            if 0.0 < w && w <= width && 0.0 < h && h <= height {
                let top = below(rng, height - h + 1.0);
                let left = below(rng, width - w + 1.0);
                return Self {
                    left,
                    top,
                    width: w,
                    height: h,
                };
            }
        }
        let [low, high] = ratio;
        let (w, h) = if width / height < low {
            (width, (width / low).round_ties_even().min(height))
        } else if width / height > high {
            ((height * high).round_ties_even().min(width), height)
        } else {
            (width, height)
        };
        Self {
            left: ((width - w) / 2.0).floor(),
            top: ((height - h) / 2.0).floor(),
            width: w.max(1.0),
            height: h.max(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;

    fn settings(text: &str) -> RandomResizedCrop {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn crops_stay_inside_and_within_their_shares() {
        let settings = settings(r#"{"size": 8, "scale": [0.2, 0.5]}"#);
        for sample in 0..200 {
            let mut rng = stream(1, "augment", &[0, sample]);
            let w = Window::draw(&settings, Size::new(50, 40), &mut rng);
            assert!(
                w.left >= 0.0
                    && w.left + w.width <= 50.0
                    && w.top >= 0.0
                    && w.top + w.height <= 40.0
            );
            let share = w.width * w.height / 2000.0;
            assert!((0.17..0.53).contains(&share), "{share}");
        }
    }

    #[test]
    fn a_ratio_that_never_fits_falls_back_to_the_centre() {
        let settings = settings(r#"{"size": 8, "scale": [1.0, 1.0], "ratio": [4.0, 4.0]}"#);
        let w = Window::draw(&settings, Size::new(40, 40), &mut stream(1, "x", &[]));
        assert_eq!((w.left, w.top, w.width, w.height), (0.0, 15.0, 40.0, 10.0));
    }
}
