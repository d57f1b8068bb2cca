//! What the geometric augmentations do to one image, drawn and composed: torchvision's semantics as matrices.

use rand_chacha::{ChaCha8Rng, rand_core::Rng};

use super::affine::{Affine, Shift, Size};
use crate::settings::{Augment, RandomResizedCrop};

/// All geometric augmentations of one image: one matrix, and one more behind each clip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Geometry {
    /// From the source up to the first clip, or to the result.
    pub(super) first: Piece,
    /// What follows each clip.
    pub(super) later: Vec<(Clip, Piece)>,
}

/// A matrix with the size of what it reads and of what it makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) affine: Affine,
    pub(super) source: Size,
    pub(super) result: Size,
}

/// Coordinates stay between the centres of the outermost pixels of a crop: (x, y) in pixels from the centre of the image that
/// is cropped. This repeats the crop's edge as torchvision's resize does, instead of looking beyond it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clip {
    pub(super) low: [f64; 2],
    pub(super) high: [f64; 2],
}

impl Geometry {
    /// Draws for one image; `rng` is the stream of that image in that epoch.
    pub(super) fn draw(augment: &[Augment], source: Size, rng: &mut ChaCha8Rng) -> Self {
        let mut geometry = Self {
            first: Piece {
                affine: Affine::IDENTITY,
                source,
                result: source,
            },
            later: Vec::new(),
        };
        for item in augment {
            match item {
                Augment::RandomRotation(degrees) => {
                    let degrees = uniform(rng, -degrees.get(), degrees.get());
                    geometry.push(rotation(degrees), None);
                }
                Augment::CenterCrop(side) => {
                    let side = side.get() as usize;
                    geometry.center_crop(Size::new(side, side));
                }
                Augment::RandomHorizontalFlip(p) => {
                    if unit(rng) < p.get() {
                        geometry.push(scale(-1.0, 1.0), None);
                    }
                }
                Augment::RandomVerticalFlip(p) => {
                    if unit(rng) < p.get() {
                        geometry.push(scale(1.0, -1.0), None);
                    }
                }
                Augment::RandomResizedCrop(settings) => {
                    let window = Window::draw(settings, geometry.result(), rng);
                    let side = settings.size.get() as usize;
                    geometry.resized_crop(window, Size::new(side, side));
                }
            }
        }
        geometry
    }

    /// The central part of this size alone.
    pub(super) fn of_center_crop(source: Size, result: Size) -> Self {
        let first = Piece {
            affine: Affine::IDENTITY,
            source,
            result: source,
        };
        let mut geometry = Self {
            first,
            later: Vec::new(),
        };
        geometry.center_crop(result);
        geometry
    }

    /// The shift of whole pixels that this is, if it is one.
    pub(super) fn shift(&self, source: Size) -> Option<Shift> {
        let shift = self.first.affine.shift(source, self.result())?;
        self.later.is_empty().then_some(shift)
    }

    /// The size of the result.
    pub(super) fn result(&self) -> Size {
        self.later
            .last()
            .map_or(self.first, |(_, piece)| *piece)
            .result
    }

    /// Samples along each side of a pixel of the result: one, and more where the image shrinks below half size.
    pub(super) fn samples(&self) -> i64 {
        let later = self.later.iter().map(|(_, piece)| &piece.affine);
        let whole = later.fold(self.first.affine, |whole, next| whole.then(next));
        let [[a, b], [c, d]] = whole.linear;
        // Source pixels from one pixel of the result to its neighbours.
        let step = a.hypot(c).max(b.hypot(d));
        if step > 2.0 { step as i64 } else { 1 }
    }

    fn push(&mut self, affine: Affine, result: Option<Size>) {
        let piece = match self.later.last_mut() {
            Some((_, piece)) => piece,
            None => &mut self.first,
        };
        piece.affine = piece.affine.then(&affine);
        piece.result = result.unwrap_or(piece.result);
    }

    /// torchvision's `center_crop`: black where the image is smaller than the crop.
    fn center_crop(&mut self, to: Size) {
        let from = self.result();
        let offset = |from: usize, to: usize| {
            let (f, t) = (from as f64, to as f64);
            let first = if to > from {
                // Padding is split with the larger half behind.
                -(((to - from) / 2) as f64)
            } else {
                ((f - t) / 2.0).round_ties_even()
            };
            first + t / 2.0 - f / 2.0
        };
        let offset = [offset(from.width, to.width), offset(from.height, to.height)];
        let affine = Affine {
            offset,
            ..Affine::IDENTITY
        };
        self.push(affine, Some(to));
    }

    fn resized_crop(&mut self, window: Window, to: Size) {
        let from = self.result();
        let centre = [
            window.left + window.width / 2.0 - from.width as f64 / 2.0,
            window.top + window.height / 2.0 - from.height as f64 / 2.0,
        ];
        let half = [window.width / 2.0 - 0.5, window.height / 2.0 - 0.5];
        let clip = Clip {
            low: [centre[0] - half[0], centre[1] - half[1]],
            high: [centre[0] + half[0], centre[1] + half[1]],
        };
        let mut affine = scale(
            window.width / to.width as f64,
            window.height / to.height as f64,
        );
        affine.offset = centre;
        let piece = Piece {
            affine,
            source: from,
            result: to,
        };
        self.later.push((clip, piece));
    }
}

/// Counter-clockwise by this angle, as torchvision's `rotate`.
fn rotation(degrees: f64) -> Affine {
    let (sin, cos) = degrees.to_radians().sin_cos();
    Affine {
        linear: [[cos, -sin], [sin, cos]],
        offset: [0.0; 2],
    }
}

const fn scale(x: f64, y: f64) -> Affine {
    Affine {
        linear: [[x, 0.0], [0.0, y]],
        offset: [0.0; 2],
    }
}

/// A crop in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Window {
    /// torchvision's `RandomResizedCrop.get_params`: ten tries, then the largest central part within the ratios.
    fn draw(settings: &RandomResizedCrop, size: Size, rng: &mut ChaCha8Rng) -> Self {
        let (width, height) = (size.width as f64, size.height as f64);
        let scale = settings.scale.map(|s| s.get());
        let ratio = settings.ratio.map(|r| r.get());
        for _ in 0..10 {
            let area = width * height * uniform(rng, scale[0], scale[1]);
            let aspect = uniform(rng, ratio[0].ln(), ratio[1].ln()).exp();
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
        let (low, high) = (ratio[0].min(ratio[1]), ratio[0].max(ratio[1]));
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

/// From 0 to below 1, with 53 bits.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(rng)
}

/// A whole number from 0 to below `n`.
fn below(rng: &mut ChaCha8Rng, n: f64) -> f64 {
    (unit(rng) * n).floor()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{seed::stream, settings::Count};

    impl Geometry {
        /// A turn by this very angle, which [`Geometry::draw`] would draw.
        pub(in crate::learn) fn of_rotation(source: Size, degrees: f64) -> Self {
            let mut geometry = Self::of_center_crop(source, source);
            geometry.push(rotation(degrees), None);
            geometry
        }

        /// The same with a centre crop behind it.
        pub(in crate::learn) fn and_center_crop(mut self, to: Size) -> Self {
            self.center_crop(to);
            self
        }
    }

    fn parse(text: &str) -> Vec<Augment> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn crops_stay_inside_and_within_their_shares() {
        let augment = parse(r#"[{"random_resized_crop": {"size": 8, "scale": [0.2, 0.5]}}]"#);
        let Augment::RandomResizedCrop(settings) = augment[0] else {
            panic!("another augmentation");
        };
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
        let augment = parse(
            r#"[{"random_resized_crop": {"size": 8, "scale": [1.0, 1.0], "ratio": [4.0, 4.0]}}]"#,
        );
        let Augment::RandomResizedCrop(settings) = augment[0] else {
            panic!("another augmentation");
        };
        let w = Window::draw(&settings, Size::new(40, 40), &mut stream(1, "x", &[]));
        assert_eq!((w.left, w.top, w.width, w.height), (0.0, 15.0, 40.0, 10.0));
    }

    #[test]
    fn a_centre_crop_rounds_as_torchvision_does() {
        // Python rounds 0.5 to 0 and 1.5 to 2.
        for (from, to, first) in [(5, 4, 0), (7, 4, 2), (8, 4, 2), (4, 7, -1)] {
            let crop = Geometry::of_center_crop(Size::new(from, from), Size::new(to, to));
            let shift = crop
                .first
                .affine
                .shift(crop.first.source, crop.first.result);
            assert_eq!(shift.unwrap().origin, [first, first], "{from} -> {to}");
        }
    }

    #[test]
    fn draws_of_an_image_do_not_depend_on_its_neighbours() {
        let augment = parse(
            r#"[{"random_rotation": 15}, {"center_crop": 20}, {"random_horizontal_flip": 0.5}]"#,
        );
        let draw = |sample| {
            Geometry::draw(
                &augment,
                Size::new(24, 24),
                &mut stream(7, "augment", &[3, sample]),
            )
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        assert_eq!(draw(5).result(), Size::new(20, 20));
        assert!(Count::new(20).is_some());
    }
}
