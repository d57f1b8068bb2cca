//! How a decoded photograph becomes a row of the pack.

use serde::{Deserialize, Serialize};

use super::Count;

/// `resize = { width = 224, height = 224 }`: both sides as given, the aspect is not kept (as in the missions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// Width in pixels.
    pub width: Count,
    /// Height in pixels.
    pub height: Count,
}

/// The resampling filter, antialiased when shrinking as in Pillow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Triangle filter; torchvision's default.
    #[default]
    Bilinear,
    /// Catmull-Rom cubic.
    Bicubic,
    /// Windowed sinc of three lobes.
    Lanczos,
}
