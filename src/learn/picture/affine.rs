//! 2x3 matrices that say for a pixel of the result where it lies in the source.

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
}

impl Size {
    pub(crate) const fn new(width: usize, height: usize) -> Self {
        Self { width, height }
    }

    /// The shorter side.
    pub(crate) fn short_side(self) -> usize {
        self.width.min(self.height)
    }

    /// With a shorter side of this length and the same aspect; the longer side is rounded down (torchvision's `Resize`).
    pub(crate) fn with_short_side(self, side: usize) -> Self {
        let short = self.short_side().max(1);
        Self {
            width: side * self.width / short,
            height: side * self.height / short,
        }
    }

    const fn sides(self) -> [f64; 2] {
        [self.width as f64, self.height as f64]
    }
}

/// `source = linear * result + offset`, both as (x, y) in pixels from the centre of their image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    /// Rows of the linear part.
    pub(crate) linear: [[f64; 2]; 2],
    /// In pixels of the source.
    pub(crate) offset: [f64; 2],
}

/// A matrix that moves whole pixels: no interpolation is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    /// Left and right swapped, top and bottom swapped.
    pub(crate) flipped: [bool; 2],
    /// The source of the pixel (0, 0) as (x, y).
    pub(crate) origin: [i64; 2],
}

impl Affine {
    /// The source itself.
    pub(crate) const IDENTITY: Self = Self {
        linear: [[1.0, 0.0], [0.0, 1.0]],
        offset: [0.0; 2],
    };

    /// What `self` followed by `next` does: the source of a result of `next`.
    pub(crate) fn then(&self, next: &Self) -> Self {
        let row = |r: [f64; 2], v: [f64; 2]| r[0] * v[0] + r[1] * v[1];
        let column = |j: usize| [next.linear[0][j], next.linear[1][j]];
        let linear = self.linear.map(|r| [row(r, column(0)), row(r, column(1))]);
        let offset = std::array::from_fn(|i| row(self.linear[i], next.offset) + self.offset[i]);
        Self { linear, offset }
    }

    /// The shift that this is, if it moves whole pixels.
    pub(crate) fn shift(&self, source: Size, result: Size) -> Option<Shift> {
        if self.linear[0][1] != 0.0 || self.linear[1][0] != 0.0 {
            return None;
        }
        let (from, to) = (source.sides(), result.sides());
        let mut shift = Shift {
            flipped: [false; 2],
            origin: [0; 2],
        };
        for i in 0..2 {
            let scale = self.linear[i][i];
            // The centre of the first pixel of the result lies half a pixel inside.
            let first = scale * (0.5 - to[i] / 2.0) + self.offset[i] + from[i] / 2.0 - 0.5;
            if scale.abs() != 1.0 || first.fract() != 0.0 {
                return None;
            }
            shift.flipped[i] = scale < 0.0;
            shift.origin[i] = first as i64;
        }
        Some(shift)
    }
}

impl Shift {
    /// Where pixel `i` of an axis (0 is x) comes from; `None` outside.
    pub(crate) fn place(&self, axis: usize, i: usize, limit: usize) -> Option<usize> {
        let i = i64::try_from(i).ok()?;
        let step = if self.flipped[axis] { -i } else { i };
        let at = usize::try_from(self.origin[axis] + step).ok()?;
        (at < limit).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLIP: Affine = Affine {
        linear: [[-1.0, 0.0], [0.0, 1.0]],
        offset: [0.0; 2],
    };

    #[test]
    fn one_after_the_other_is_the_product() {
        let move_right = Affine {
            linear: [[1.0, 0.0], [0.0, 1.0]],
            offset: [3.0, 0.0],
        };
        // The second step's result first goes 3 to the right, then is mirrored in the first step's source.
        assert_eq!(FLIP.then(&move_right).offset, [-3.0, 0.0]);
        assert_eq!(FLIP.then(&FLIP), Affine::IDENTITY);
    }

    #[test]
    fn a_flip_moves_whole_pixels_and_a_turn_does_not() {
        let size = Size::new(2, 1);
        let shift = FLIP.shift(size, size).unwrap();
        assert_eq!([0, 1].map(|x| shift.place(0, x, 2)), [Some(1), Some(0)]);
        assert_eq!(
            [shift.place(0, 2, 2), shift.place(1, 0, 1)],
            [None, Some(0)]
        );

        let turn = Affine {
            linear: [[0.6, -0.8], [0.8, 0.6]],
            offset: [0.0; 2],
        };
        assert_eq!(turn.shift(size, size), None);
    }
}
