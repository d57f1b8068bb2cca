//! Which part of an upright photograph goes where in a row, and the same in the photograph as it is stored.

use image::metadata::Orientation;

use super::decode::{Area, turns_sides};
use crate::{
    record::Crop,
    settings::{Fit, Resize},
};

/// `from`, brought to `width` x `height`, stands at (`left`, `top`) of the row; the rest is black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fitting {
    /// In pixels of the upright photograph.
    pub(super) from: Area,
    /// Width in the row.
    pub(super) width: u32,
    /// Height in the row.
    pub(super) height: u32,
    /// Left edge in the row.
    pub(super) left: u32,
    /// Upper edge in the row.
    pub(super) top: u32,
}

impl Fitting {
    /// For a photograph of these upright sides, or a box in it, clipped to it; none where the box lies outside.
    pub(super) fn new(resize: Resize, sides: (u32, u32), crop: Option<Crop>) -> Option<Self> {
        let whole = Crop {
            x: 0,
            y: 0,
            width: sides.0,
            height: sides.1,
        };
        let crop = crop.unwrap_or(whole);
        let width = crop.width.min(sides.0.checked_sub(crop.x)?);
        let height = crop.height.min(sides.1.checked_sub(crop.y)?);
        if width == 0 || height == 0 {
            return None;
        }
        let from = Area {
            x: f64::from(crop.x),
            y: f64::from(crop.y),
            width: f64::from(width),
            height: f64::from(height),
        };
        let (to_width, to_height) = (resize.width(), resize.height());
        let full = Self {
            from,
            width: to_width,
            height: to_height,
            left: 0,
            top: 0,
        };
        Some(match resize {
            Resize::Sides { fit, .. } => match fit {
                Fit::Squash => full,
                Fit::Crop => full.cut(),
                Fit::Pad => full.padded(),
            },
            Resize::ShortSide { short_side, crop } => {
                full.middle_of((width, height), short_side.get(), crop.get())
            }
        })
    }

    /// The largest part in the middle that has the sides' ratio.
    fn cut(self) -> Self {
        let (from, to_width, to_height) = (self.from, self.width, self.height);
        let scale = (from.width / f64::from(to_width)).min(from.height / f64::from(to_height));
        let (width, height) = (f64::from(to_width) * scale, f64::from(to_height) * scale);
        let (x, y) = ((from.width - width) / 2.0, (from.height - height) / 2.0);
        Self {
            from: inside(from, x, y, width, height),
            ..self
        }
    }

    /// All of it, as large as it fits, in the middle.
    fn padded(self) -> Self {
        let (from, to_width, to_height) = (self.from, self.width, self.height);
        let scale = (f64::from(to_width) / from.width).min(f64::from(to_height) / from.height);
        let side = |from: f64, to: u32| ((from * scale).round() as u32).clamp(1, to);
        let (width, height) = (side(from.width, to_width), side(from.height, to_height));
        Self {
            from,
            width,
            height,
            left: (to_width - width) / 2,
            top: (to_height - height) / 2,
        }
    }

    /// The shorter of two sides brought to `short_side`, and a square of side `crop` in the middle of that: the box in the resized
    /// photograph, then in the original. The resize sees past its edges, as if all had been resized first.
    fn middle_of(self, (width, height): (u32, u32), short_side: u32, crop: u32) -> Self {
        // Rounded down, as torchvision does.
        let long = |long: u32, short: u32| {
            (u64::from(long) * u64::from(short_side) / u64::from(short)) as u32
        };
        let (w, h) = if width <= height {
            (short_side, long(height, width))
        } else {
            (long(width, height), short_side)
        };
        // torchvision's `center_crop` rounds half a pixel to the even one.
        let start = |side: u32| (f64::from(side - crop) / 2.0).round_ties_even();
        let from = self.from;
        let (across, down) = (from.width / f64::from(w), from.height / f64::from(h));
        let side = f64::from(crop);
        let (x, y) = (start(w) * across, start(h) * down);
        Self {
            from: inside(from, x, y, side * across, side * down),
            ..self
        }
    }

    /// The same for the photograph as it is stored, which is turned by `orientation` after the resize: where `from` lies,
    /// and width and height before turning. `sides` are the upright ones.
    pub(super) fn stored(&self, orientation: Orientation, sides: (u32, u32)) -> (Area, u32, u32) {
        let Area {
            x,
            y,
            width,
            height,
        } = self.from;
        let (right, below) = (
            f64::from(sides.0) - x - width,
            f64::from(sides.1) - y - height,
        );
        let (x, y) = match orientation {
            Orientation::NoTransforms => (x, y),
            Orientation::FlipHorizontal => (right, y),
            Orientation::Rotate180 => (right, below),
            Orientation::FlipVertical => (x, below),
            Orientation::Rotate90FlipH => (y, x),
            Orientation::Rotate90 => (y, right),
            Orientation::Rotate270FlipH => (below, right),
            Orientation::Rotate270 => (below, x),
        };
        if turns_sides(orientation) {
            let from = Area {
                x,
                y,
                width: height,
                height: width,
            };
            (from, self.height, self.width)
        } else {
            let from = Area {
                x,
                y,
                width,
                height,
            };
            (from, self.width, self.height)
        }
    }
}

/// A part of `area`, by its place in it.
fn inside(area: Area, x: f64, y: f64, width: f64, height: f64) -> Area {
    Area {
        x: area.x + x,
        y: area.y + y,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Count;

    fn sides(width: u32, height: u32, fit: Fit) -> Resize {
        Resize::Sides {
            width: Count::new(width).unwrap(),
            height: Count::new(height).unwrap(),
            fit,
        }
    }

    fn short(short_side: u32, crop: u32) -> Resize {
        Resize::ShortSide {
            short_side: Count::new(short_side).unwrap(),
            crop: Count::new(crop).unwrap(),
        }
    }

    fn area(x: f64, y: f64, width: f64, height: f64) -> Area {
        Area {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn crop_cuts_and_pad_leaves_two_sides() {
        let cut = Fitting::new(sides(100, 50, Fit::Crop), (400, 400), None).unwrap();
        assert_eq!(cut.from, area(0.0, 100.0, 400.0, 200.0));
        let pad = Fitting::new(sides(100, 50, Fit::Pad), (400, 400), None).unwrap();
        assert_eq!((pad.width, pad.height, pad.left, pad.top), (50, 50, 25, 0));
        let thin = Fitting::new(sides(10, 10, Fit::Pad), (1000, 1), None).unwrap();
        assert_eq!((thin.width, thin.height, thin.top), (10, 1, 4));
    }

    #[test]
    fn the_short_side_is_brought_to_size_and_the_middle_cut_out() {
        let fitting = Fitting::new(short(256, 224), (1024, 512), None).unwrap();
        assert_eq!(fitting.from, area(288.0, 32.0, 448.0, 448.0));
        assert_eq!((fitting.width, fitting.height), (224, 224));
    }

    #[test]
    fn a_box_is_clipped_and_one_outside_is_none() {
        let crop = |x, y| Crop {
            x,
            y,
            width: 50,
            height: 50,
        };
        let fitting = Fitting::new(sides(8, 8, Fit::Squash), (100, 80), Some(crop(70, 10)));
        assert_eq!(fitting.unwrap().from, area(70.0, 10.0, 30.0, 50.0));
        assert_eq!(
            Fitting::new(sides(8, 8, Fit::Squash), (100, 80), Some(crop(100, 10))),
            None
        );
    }
}
