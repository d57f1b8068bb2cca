//! What was seen of a photograph, in little memory: most are plain.

use crate::record::Photograph;

/// See [`Photograph`].
#[derive(Clone, Debug)]
pub(super) enum Glance {
    Plain {
        width: u32,
        height: u32,
        brightness: f32,
        format: &'static str,
    },
    /// One with oddities, or that was dropped.
    Other(Box<Photograph>),
}

/// As [`Photograph::format`] has them.
const FORMATS: [&str; 7] = ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "PNM"];

impl Glance {
    pub(super) fn of(photograph: Photograph) -> Self {
        let format = FORMATS.iter().find(|format| **format == photograph.format);
        match format {
            Some(format) if photograph.odd.is_empty() && photograph.dropped.is_none() => {
                Self::Plain {
                    width: photograph.width,
                    height: photograph.height,
                    brightness: photograph.brightness,
                    format,
                }
            }
            _ => Self::Other(Box::new(photograph)),
        }
    }

    pub(super) fn photograph(self) -> Photograph {
        match self {
            Self::Plain {
                width,
                height,
                brightness,
                format,
            } => Photograph {
                width,
                height,
                format: format.to_owned(),
                brightness,
                odd: Vec::new(),
                dropped: None,
            },
            Self::Other(photograph) => *photograph,
        }
    }
}
