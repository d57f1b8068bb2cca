//! Augmentations with fixed parameters, under the names and in the units of torchvision's v2 functionals.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Lists of functionals, one for each image of `x` in `input` (safetensors of whole numbers 0 to 255, [n, height, width, 3]); the
/// result goes to `y` of f32 [n, 3, height', width'] in `images.safetensors` in `out`, with values from 0 to 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Functionals {
    /// The images.
    #[serde(with = "super::path")]
    pub input: PathBuf,
    /// For each image what is done to it: all geometry in one sampling, then the colours.
    pub calls: Vec<Vec<Functional>>,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads of one tensor operation.
    pub threads: u32,
    /// Folder for the result.
    #[serde(with = "super::path")]
    pub out: PathBuf,
}

/// A call.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Functional {
    /// Counter-clockwise, in degrees.
    Rotate(f64),
    /// As torchvision's parameters of this name.
    Affine {
        /// Clockwise, in degrees.
        angle: f64,
        /// To the right and down, in pixels.
        translate: [f64; 2],
        /// Magnification.
        scale: f64,
        /// Along x and y, in degrees.
        shear: [f64; 2],
        /// (x, y) from the upper left corner; the middle of the image without.
        center: Option<[f64; 2]>,
    },
    /// Left and right swapped.
    HorizontalFlip,
    /// Top and bottom swapped.
    VerticalFlip,
    /// Height and width.
    CenterCrop([u32; 2]),
    /// A part, resized.
    ResizedCrop {
        /// First row.
        top: u32,
        /// First column.
        left: u32,
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
        /// Height and width of the result.
        size: [u32; 2],
    },
    /// By a factor.
    AdjustBrightness(f64),
    /// By a factor.
    AdjustContrast(f64),
    /// By a factor.
    AdjustSaturation(f64),
    /// By a share of the colour wheel.
    AdjustHue(f64),
    /// By a factor.
    AdjustSharpness(f64),
    /// To this number of bits.
    Posterize(f64),
    /// From this value on, 0 to 1.
    Solarize(f64),
    /// To the full range.
    Autocontrast,
    /// To an even histogram.
    Equalize,
    /// `1 - x`.
    Invert,
    /// In three channels.
    RgbToGrayscale,
    /// Blur.
    GaussianBlur {
        /// An odd number of pixels.
        kernel_size: u32,
        /// In pixels.
        sigma: f64,
    },
}
