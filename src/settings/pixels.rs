//! How a photograph becomes the pixels that a model sees: everything that a pack, a checkpoint and a prediction share.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Resize, declare::words};

/// From a decoded photograph to a row: u8, height x width x (red, green, blue).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pixels {
    /// The size of a row.
    pub resize: Resize,
    /// The filter of the resize.
    pub filter: Filter,
    /// How exactly it is decoded.
    pub quality: Quality,
}

impl Pixels {
    /// With the default filter and quality.
    #[must_use]
    pub fn new(resize: Resize) -> Self {
        Self {
            resize,
            filter: Filter::default(),
            quality: Quality::default(),
        }
    }
}

/// "224 x 224 pixels (squash, bilinear, fast)", in the words of a pipeline file.
impl fmt::Display for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = (self.resize.width(), self.resize.height());
        write!(f, "{width} x {height} pixels (")?;
        match self.resize {
            Resize::Sides { fit, .. } => f.write_str(fit.name())?,
            Resize::ShortSide { short_side, .. } => write!(f, "short side {}", short_side.get())?,
        }
        let (filter, quality) = (self.filter.name(), self.quality.name());
        write!(f, ", {filter}, {quality})")
    }
}

words! {
    /// The resampling filter, antialiased when shrinking as in Pillow.
    #[derive(Default)]
    pub enum Filter {
        /// Triangle filter; torchvision's default.
        #[default]
        Bilinear = "bilinear",
        /// Catmull-Rom cubic.
        Bicubic = "bicubic",
        /// Windowed sinc of three lobes.
        Lanczos = "lanczos",
    }
}

impl Filter {
    /// How far it reaches from its middle, in pixels of the result.
    #[must_use]
    pub fn reach(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }
}

words! {
    /// How exactly a JPEG is decoded before it is resized.
    #[derive(Default)]
    pub enum Quality {
        /// Decoded at 1/2, 1/4 or 1/8 of its size where the resize shrinks it at least as far anyway, and resized before luma and
        /// colour become red, green and blue. Of small photographs little is left to choose from: 40 of 168x168 are 52.3 dB from [`Quality::Exact`] at a
        /// side of 64 and 51.3 at 224 in the mean, the worst 41.3 and 45.2. Of inks (CMYK) nothing is scaled.
        #[default]
        Fast = "fast",
        /// Decoded in full: within rounding of Pillow's antialiased resize.
        Exact = "exact",
    }
}

words! {
    /// What becomes of files that cannot be decoded.
    #[derive(Default)]
    pub enum Unreadable {
        /// The stage fails and lists them.
        #[default]
        Fail = "fail",
        /// They belong to no part; recorded and reported.
        Drop = "drop",
    }
}

words! {
    /// How rows are stored in a pack.
    #[derive(Default)]
    pub enum Storage {
        /// u8 pixels, memory-mapped: nothing is decoded while training.
        #[default]
        Raw = "raw",
        /// Each row encoded again as a JPEG of quality 95, about a tenth of the size.
        Jpeg = "jpeg",
    }
}
