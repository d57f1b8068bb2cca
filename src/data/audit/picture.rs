//! A small grey picture, looked at between its cells.

/// `S` x `S` cells in rows, as grey values; `S` is a power of two.
pub(super) type Picture<const S: usize> = [[f32; S]; S];

/// All black; on the heap, as a worker's stack is too small for several large ones.
pub(super) fn black<const S: usize>() -> Box<Picture<S>> {
    let rows = vec![[0.0; S]; S].into_boxed_slice();
    rows.try_into().expect("as many rows as cells in a row")
}

/// A place between four cells: the upper left one, and how far from it.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    row: u16,
    column: u16,
    u: f32,
    v: f32,
}

/// A point's place in cells, 0 being the middle of the first.
pub(super) fn cell<const S: usize>(at: f64) -> f64 {
    (at + 1.0) * (S as f64 / 2.0) - 0.5
}

/// The middle of a cell as a point.
pub(super) fn point<const S: usize>(cell: usize) -> f64 {
    (cell as f64 + 0.5) * (2.0 / S as f64) - 1.0
}

/// The bilinear value at a place in cells, with its slopes across and down; `None` outside of the picture.
#[inline(always)]
pub(super) fn sample<const S: usize>(picture: &Picture<S>, x: f64, y: f64) -> Option<[f32; 3]> {
    Spot::new::<S>(x, y).map(|spot| spot.look(picture))
}

impl Spot {
    /// At a place in cells; `None` outside of the picture.
    #[inline(always)]
    pub(super) fn new<const S: usize>(x: f64, y: f64) -> Option<Self> {
        let last = S as f64 - 1.0;
        // Up to half a cell beyond the outermost middles there still is picture.
        if !(-0.5..=last + 0.5).contains(&x) || !(-0.5..=last + 0.5).contains(&y) {
            return None;
        }
        let (x, y) = (x.clamp(0.0, last) as f32, y.clamp(0.0, last) as f32);
        let (i, j) = ((x as u32).min(S as u32 - 2), (y as u32).min(S as u32 - 2));
        Some(Self {
            row: j as u16,
            column: i as u16,
            u: x - i as f32,
            v: y - j as f32,
        })
    }

    /// The bilinear value there, with its slopes across and down.
    #[inline(always)]
    pub(super) fn look<const S: usize>(self, picture: &Picture<S>) -> [f32; 3] {
        const { assert!(S.is_power_of_two()) };
        let Self { row, column, u, v } = self;
        // The remainders change nothing: they spare a check of bounds.
        let at = |down: usize, right: usize| {
            picture[(usize::from(row) + down) % S][(usize::from(column) + right) % S]
        };
        let (a, b, c, d) = (at(0, 0), at(0, 1), at(1, 0), at(1, 1));
        let (top, bottom) = (a + u * (b - a), c + u * (d - c));
        [
            top + v * (bottom - top),
            (b - a) + v * ((d - c) - (b - a)),
            bottom - top,
        ]
    }
}
