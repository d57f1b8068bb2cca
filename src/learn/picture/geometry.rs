//! What the geometric augmentations do to one image, composed: torchvision's semantics as matrices.

use super::{
    affine::{Affine, Shift, Size},
    augment::Window,
};

/// All geometric augmentations of one image: one matrix, and one more behind each clip.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Geometry {
    /// From the source up to the first clip, or to the result.
    pub(crate) first: Piece,
    /// What follows each clip.
    pub(crate) later: Vec<(Clip, Piece)>,
}

/// A matrix with the size of what it reads and of what it makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) affine: Affine,
    pub(crate) source: Size,
    pub(crate) result: Size,
}

/// Coordinates stay between the centres of the outermost pixels of a crop: (x, y) in pixels from the centre of the image that
/// is cropped. This repeats the crop's edge as torchvision's resize does, instead of looking beyond it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clip {
    pub(crate) low: [f64; 2],
    pub(crate) high: [f64; 2],
}

impl Clip {
    /// Holds nothing back.
    const NONE: Self = Self {
        low: [f64::NEG_INFINITY; 2],
        high: [f64::INFINITY; 2],
    };
}

impl Geometry {
    /// An image as it is.
    pub(crate) const fn new(source: Size) -> Self {
        Self {
            first: Piece {
                affine: Affine::IDENTITY,
                source,
                result: source,
            },
            later: Vec::new(),
        }
    }

    /// The central part of this size alone.
    pub(crate) fn of_center_crop(source: Size, result: Size) -> Self {
        let mut geometry = Self::new(source);
        geometry.center_crop(result);
        geometry
    }

    /// The shift of whole pixels that this is, if it is one.
    pub(crate) fn shift(&self, source: Size) -> Option<Shift> {
        let shift = self.first.affine.shift(source, self.result())?;
        self.later.is_empty().then_some(shift)
    }

    /// The size of the result.
    pub(crate) fn result(&self) -> Size {
        self.later
            .last()
            .map_or(self.first, |(_, piece)| *piece)
            .result
    }

    /// Samples along each side of a pixel of the result: one, and more where the image shrinks below half size.
    pub(crate) fn samples(&self) -> i64 {
        let later = self.later.iter().map(|(_, piece)| &piece.affine);
        let whole = later.fold(self.first.affine, |whole, next| whole.then(next));
        let [[a, b], [c, d]] = whole.linear;
        // Source pixels from one pixel of the result to its neighbours.
        let step = a.hypot(c).max(b.hypot(d));
        if step > 2.0 { step as i64 } else { 1 }
    }

    /// Counter-clockwise about the centre, as torchvision's `rotate`.
    pub(crate) fn rotate(&mut self, degrees: f64) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        self.warp(&Affine {
            linear: [[cos, -sin], [sin, cos]],
            offset: [0.0; 2],
        });
    }

    /// torchvision's `affine`.
    pub(crate) fn affine(&mut self, map: &Map) {
        self.warp(&map.inverse());
    }

    /// Left and right swapped.
    pub(crate) fn horizontal_flip(&mut self) {
        self.push(&scale(-1.0, 1.0), None);
    }

    /// Top and bottom swapped.
    pub(crate) fn vertical_flip(&mut self) {
        self.push(&scale(1.0, -1.0), None);
    }

    /// A map that may look beyond what is cropped in front of it: it finds there what the photograph shows, and black outside of
    /// that. (torchvision, which samples once for the crop and again for the map, finds black outside of the crop.)
    fn warp(&mut self, affine: &Affine) {
        if *affine == Affine::IDENTITY {
            return;
        }
        if let Some((clip, _)) = self.later.last_mut() {
            *clip = Clip::NONE;
        }
        self.push(affine, None);
    }

    fn push(&mut self, affine: &Affine, result: Option<Size>) {
        let piece = match self.later.last_mut() {
            Some((_, piece)) => piece,
            None => &mut self.first,
        };
        piece.affine = piece.affine.then(affine);
        piece.result = result.unwrap_or(piece.result);
    }

    /// torchvision's `center_crop`: black where the image is smaller than the crop.
    pub(crate) fn center_crop(&mut self, to: Size) {
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
        self.push(&affine, Some(to));
    }

    /// Resized as a whole: torchvision's `resize` without antialias, but that several samples are taken where it shrinks below half.
    pub(crate) fn resize(&mut self, to: Size) {
        let from = self.result();
        if to != from {
            self.resized_crop(Window::whole(from), to);
        }
    }

    /// Made smaller as a whole, where nothing beyond the edges is looked at: a change of the one sampling that there is anyway.
    pub(crate) fn shrink(&mut self, to: Size) {
        let from = self.result();
        let ratio = |from: usize, to: usize| from as f64 / to as f64;
        let affine = scale(ratio(from.width, to.width), ratio(from.height, to.height));
        self.push(&affine, Some(to));
    }

    /// A part of whole pixels, whose first is `first` as (x, y).
    pub(crate) fn crop(&mut self, first: [usize; 2], to: Size) {
        let from = self.result();
        let offset = |first: usize, from: usize, to: usize| {
            first as f64 + to as f64 / 2.0 - from as f64 / 2.0
        };
        let affine = Affine {
            offset: [
                offset(first[0], from.width, to.width),
                offset(first[1], from.height, to.height),
            ],
            ..Affine::IDENTITY
        };
        self.push(&affine, Some(to));
    }

    /// A part, resized: torchvision's `resized_crop`.
    pub(crate) fn resized_crop(&mut self, window: Window, to: Size) {
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

const fn scale(x: f64, y: f64) -> Affine {
    Affine {
        linear: [[x, 0.0], [0.0, y]],
        offset: [0.0; 2],
    }
}

/// The parameters of torchvision's `affine`: shear first, then rotation and scale about a centre, then a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Map {
    /// Clockwise, in degrees.
    pub(crate) angle: f64,
    /// To the right and down, in pixels.
    pub(crate) translate: [f64; 2],
    /// Magnification.
    pub(crate) scale: f64,
    /// Along x and along y, in degrees.
    pub(crate) shear: [f64; 2],
    /// (x, y) from the centre of the image.
    pub(crate) centre: [f64; 2],
}

impl Default for Map {
    fn default() -> Self {
        Self {
            angle: 0.0,
            translate: [0.0; 2],
            scale: 1.0,
            shear: [0.0; 2],
            centre: [0.0; 2],
        }
    }
}

impl Map {
    /// From the result to the source, torchvision's `_get_inverse_affine_matrix`.
    fn inverse(&self) -> Affine {
        let rotation = self.angle.to_radians();
        let [sx, sy] = self.shear.map(f64::to_radians);
        let a = (rotation - sy).cos() / sy.cos();
        let b = -(rotation - sy).cos() * sx.tan() / sy.cos() - rotation.sin();
        let c = (rotation - sy).sin() / sy.cos();
        let d = -(rotation - sy).sin() * sx.tan() / sy.cos() + rotation.cos();
        let linear = [[d, -b], [-c, a]].map(|row| row.map(|v| v / self.scale));
        let moved: [f64; 2] = std::array::from_fn(|i| self.centre[i] + self.translate[i]);
        let offset = std::array::from_fn(|i| {
            self.centre[i] - linear[i][0] * moved[0] - linear[i][1] * moved[1]
        });
        Affine { linear, offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Geometry {
        /// A turn by this very angle.
        pub(crate) fn of_rotation(source: Size, degrees: f64) -> Self {
            let mut geometry = Self::new(source);
            geometry.rotate(degrees);
            geometry
        }

        /// The same with a centre crop behind it.
        pub(crate) fn and_center_crop(mut self, to: Size) -> Self {
            self.center_crop(to);
            self
        }
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
    fn a_shift_by_whole_pixels_needs_no_interpolation() {
        let size = Size::new(9, 7);
        let mut geometry = Geometry::new(size);
        geometry.affine(&Map {
            translate: [2.0, -3.0],
            ..Map::default()
        });
        assert_eq!(geometry.shift(size).unwrap().origin, [-2, 3]);
    }

    #[test]
    fn a_turn_behind_a_crop_looks_beyond_the_crop_and_a_flip_does_not() {
        let size = Size::new(40, 40);
        let window = Window {
            left: 10.0,
            top: 10.0,
            width: 20.0,
            height: 20.0,
        };
        let mut geometry = Geometry::new(size);
        geometry.resized_crop(window, Size::new(16, 16));
        geometry.horizontal_flip();
        assert_eq!(geometry.later[0].0.low, [-9.5; 2]);
        geometry.rotate(30.0);
        assert_eq!(geometry.later[0].0, Clip::NONE);
        assert_eq!(geometry.result(), Size::new(16, 16));
    }
}
