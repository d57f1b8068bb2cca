//! The size of a row, and how a photograph comes to it.

use serde::{Deserialize, Serialize};

use super::{
    Count, Side,
    declare::{Setting, Shape, settings, words},
};

/// `resize = { width = 224, height = 224 }` or `resize = { short_side = 256, crop = 224 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Resize {
    /// Both sides are given; `fit` says what becomes of another aspect.
    Sides {
        /// Width in pixels.
        width: Count,
        /// Height in pixels.
        height: Count,
        /// What becomes of another aspect.
        fit: Fit,
    },
    /// The shorter side is brought to `short_side`, the aspect is kept, and the central square of `crop` is cut out
    /// (torchvision's `Resize(short_side)` and `CenterCrop(crop)`).
    ShortSide {
        /// The shorter side in pixels.
        short_side: Count,
        /// The side of the square, at most `short_side`; as large if not given.
        crop: Count,
    },
}

words! {
    /// How a photograph of another aspect is brought to a given width and height.
    #[derive(Default)]
    pub enum Fit {
        /// Stretched, as in the missions.
        #[default]
        Squash = "squash",
        /// The aspect is kept; what is left over at two sides is cut off.
        Crop = "crop",
        /// The aspect is kept; what is missing at two sides is black.
        Pad = "pad",
    }
}

impl Resize {
    /// Pixels of a row, and of an input that is made of it, at most: a training would take gigabytes for each image.
    pub const MOST_PIXELS: u64 = 2048 * 2048;

    /// The shorter side at most, before the crop.
    const LONGEST_SHORT_SIDE: u32 = 4096;

    /// Stretched to these sides.
    #[must_use]
    pub const fn squash(width: Count, height: Count) -> Self {
        Self::Sides {
            width,
            height,
            fit: Fit::Squash,
        }
    }

    /// Whether a row shows all of its photograph, and not the middle of it.
    #[must_use]
    pub const fn shows_all(&self) -> bool {
        match self {
            Self::Sides { fit, .. } => !matches!(fit, Fit::Crop),
            Self::ShortSide { .. } => false,
        }
    }

    /// The width of a row in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        match self {
            Self::Sides { width, .. } => width.get(),
            Self::ShortSide { crop, .. } => crop.get(),
        }
    }

    /// The height of a row in pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        match self {
            Self::Sides { height, .. } => height.get(),
            Self::ShortSide { crop, .. } => crop.get(),
        }
    }

    /// Whether an input of these sides has more pixels than any network is given, once its shorter side is `resolution`.
    #[must_use]
    pub fn is_beyond(width: u32, height: u32, resolution: Option<u32>) -> bool {
        let (short, long) = (width.min(height).max(1), width.max(height));
        let side = resolution.unwrap_or(short);
        let long = u64::from(side) * u64::from(long) / u64::from(short);
        u64::from(side).saturating_mul(long) > Self::MOST_PIXELS
    }

    /// Itself, unless it is beyond what a network is given.
    fn within_bounds(self) -> Result<Self, &'static str> {
        let beyond = match self {
            Self::ShortSide { short_side, .. } => short_side.get() > Self::LONGEST_SHORT_SIDE,
            Self::Sides { .. } => false,
        };
        if beyond {
            return Err(
                "invalid value: a longer one, expected a `short_side` of at most 4096 pixels; networks are given about 224",
            );
        }
        if Self::is_beyond(self.width(), self.height(), None) {
            return Err(
                "invalid value: more pixels, expected a size of at most 2048 x 2048 pixels in all; networks are given about 224 x 224",
            );
        }
        Ok(self)
    }
}

settings! {
    /// The size of a row: at most 2048 x 2048 pixels in all.
    #[example = "{ width = 224, height = 224 }"]
    #[derive(Clone, Copy)]
    struct Written {
        /// Width in pixels, beside `height`.
        #[key = if_asked]
        width: Option<Side>,
        /// Height in pixels, beside `width`.
        #[key = if_asked]
        height: Option<Side>,
        /// How a photograph of another aspect comes to `width` and `height`.
        #[unset = "\"squash\""]
        #[key = if_asked]
        fit: Option<Fit>,
        /// The shorter side in pixels, in place of `width` and `height`; the aspect is kept.
        #[key = if_asked]
        short_side: Option<Side>,
        /// The side of the square that is cut out of the middle then, at most `short_side`.
        #[unset = "`short_side`"]
        #[key = if_asked]
        crop: Option<Side>,
    }
}

impl Setting for Resize {
    type Written = Self;

    fn settle(written: Self) -> Self {
        written
    }

    fn shape() -> Shape {
        Written::shape()
    }

    fn accepts() -> String {
        "`{ width = 224, height = 224 }` or `{ short_side = 256, crop = 224 }`".to_owned()
    }
}

impl TryFrom<Written> for Resize {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written {
                width: Some(width),
                height: Some(height),
                fit,
                short_side: None,
                crop: None,
            } => Self::Sides {
                width: width.into(),
                height: height.into(),
                fit: fit.unwrap_or_default(),
            }
            .within_bounds(),
            Written {
                width: None,
                height: None,
                fit: None,
                short_side: Some(short_side),
                crop,
            } => match crop.unwrap_or(short_side) {
                crop if crop.get() > short_side.get() => Err(
                    "`crop` is larger than `short_side`; it is cut out of the resized photograph",
                ),
                crop => Self::ShortSide {
                    short_side: short_side.into(),
                    crop: crop.into(),
                }
                .within_bounds(),
            },
            Written {
                width: Some(_),
                height: None,
                short_side: None,
                ..
            } => Err("missing field `height`"),
            Written {
                width: None,
                height: Some(_),
                short_side: None,
                ..
            } => Err("missing field `width`"),
            _ => Err(
                "expected `{ width = 224, height = 224 }`, with `fit = \"squash\"`, `\"crop\"` or `\"pad\"`, or `{ short_side = 256, crop = 224 }`",
            ),
        }
    }
}

/// A side that is none too long, for it came from one.
fn side(count: Count) -> Side {
    Side::known(count.get())
}

impl From<Resize> for Written {
    fn from(resize: Resize) -> Self {
        let none = Self {
            width: None,
            height: None,
            fit: None,
            short_side: None,
            crop: None,
        };
        match resize {
            Resize::Sides { width, height, fit } => Self {
                width: Some(side(width)),
                height: Some(side(height)),
                fit: Some(fit),
                ..none
            },
            Resize::ShortSide { short_side, crop } => Self {
                short_side: Some(side(short_side)),
                crop: Some(side(crop)),
                ..none
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Resize, String> {
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn both_forms_are_read_and_written_with_their_defaults() {
        let squash = read(r#"{"width":3,"height":2}"#).unwrap();
        assert_eq!((squash.width(), squash.height()), (3, 2));
        assert_eq!(
            serde_json::to_string(&squash).unwrap(),
            r#"{"width":3,"height":2,"fit":"squash"}"#
        );
        let short = read(r#"{"short_side":5}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&short).unwrap(),
            r#"{"short_side":5,"crop":5}"#
        );
        for resize in [squash, short] {
            assert_eq!(read(&serde_json::to_string(&resize).unwrap()), Ok(resize));
        }
    }

    #[test]
    fn mixed_forms_and_a_crop_beyond_the_short_side_are_refused() {
        for bad in [
            r#"{"width":3}"#,
            r#"{"width":3,"height":2,"crop":2}"#,
            r#"{"short_side":3,"fit":"pad"}"#,
            r#"{"short_side":3,"crop":4}"#,
            "{}",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
