//! JPEG through libjpeg-turbo, and through a decoder in Rust where that one refuses a file or was not built in.

use image::ImageFormat;

use super::{Head, Picture, Want, bounds, complete, markers::Markers, others, unusable};
#[cfg(feature = "libjpeg-turbo")]
use super::{
    at_least,
    unusable::{brief, format_name},
};
use crate::record::Unusable;
#[cfg(feature = "libjpeg-turbo")]
use crate::{
    native::{JpegPlanes, TurboHeader, TurboJpeg, TurboRegion},
    record::Fault,
    settings::Quality,
};

/// The decoder of JPEGs, for people.
#[cfg(feature = "libjpeg-turbo")]
pub const JPEG_DECODER: &str = "libjpeg-turbo";
/// The decoder of JPEGs, for people.
#[cfg(not(feature = "libjpeg-turbo"))]
pub const JPEG_DECODER: &str = "zune-jpeg (in Rust, about half as fast as libjpeg-turbo, which was not built in: it needs cmake and nasm)";

/// Whether plain and progressive JPEGs are resized before their components become colours, with [`Quality::Fast`]: not with a system's libjpeg-turbo.
///
/// [`Quality::Fast`]: crate::settings::Quality::Fast
pub const JPEG_BY_COMPONENTS: bool = cfg!(jpeg_scan);

/// A decoder of JPEGs; keeps its memory from one to the next.
pub(super) struct Jpeg {
    /// None until the first JPEG, and where memory is short.
    #[cfg(feature = "libjpeg-turbo")]
    turbo: Option<TurboJpeg>,
    /// The inks of a CMYK picture, and the other picture when two are compared.
    #[cfg(feature = "libjpeg-turbo")]
    second: Vec<u8>,
}

/// From this share of the picture on, all of it is decoded to components and no region to colours: at 57% of 512x384 that takes 10%
/// less time, at 32% 3% more.
#[cfg(feature = "libjpeg-turbo")]
const BY_COMPONENTS_FROM: f64 = 0.4;

impl Jpeg {
    pub(super) fn new() -> Self {
        Self {
            #[cfg(feature = "libjpeg-turbo")]
            turbo: None,
            #[cfg(feature = "libjpeg-turbo")]
            second: Vec::new(),
        }
    }

    /// The components of the last picture, where it was decoded to those.
    #[cfg(feature = "libjpeg-turbo")]
    pub(super) fn planes(&self) -> Option<JpegPlanes<'_>> {
        self.turbo.as_ref().and_then(TurboJpeg::planes)
    }

    /// Decodes into `pixels`, which grows where it must, or to components.
    ///
    /// # Errors
    /// When neither decoder can use it, it is too large, or it is cut off.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        want: &impl Fn(&Head) -> Want,
        pixels: &mut Vec<u8>,
    ) -> Result<Picture, Unusable> {
        let markers = Markers::of(bytes);
        if let Some(size) = markers.size {
            bounds::check_jpeg(size, markers.components, markers.progressive, bytes.len())?;
        }
        #[cfg(feature = "libjpeg-turbo")]
        match self.by_turbo(bytes, &markers, want, pixels) {
            Ok(picture) => return Ok(picture),
            Err(Refused::ForGood(why)) => {
                self.turbo = None;
                return Err(why);
            }
            // The library stays in the middle of a header that it could not read; a new decoder costs next to nothing.
            Err(Refused::ByThisDecoder) => self.turbo = None,
        }
        #[cfg(not(feature = "libjpeg-turbo"))]
        let _ = want; // This decoder gives everything at full size.
        in_rust(bytes, &markers, pixels).map_err(|why| {
            let jpeg = "JPEG".to_owned();
            match markers.rare {
                Some(what) => Unusable::Unsupported(jpeg, what.to_owned()),
                None if bytes[2..].starts_with(&[0xff, 0xd8]) => {
                    Unusable::Broken(jpeg, Fault::Decoder("it begins twice".to_owned()))
                }
                None => why,
            }
        })
    }
}

/// What is unusual about a JPEG.
fn oddities(markers: &Markers) -> Vec<String> {
    let notes = [
        (markers.components == 1, "grey"),
        (markers.components == 4, "CMYK"),
        (markers.profile, "has a colour profile"),
    ];
    notes
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, note)| note.to_owned())
        .collect()
}

/// All of it at full size; a decoder that fills what is missing without a word.
fn in_rust(bytes: &[u8], markers: &Markers, pixels: &mut Vec<u8>) -> Result<Picture, Unusable> {
    let (picture, rgb) = others::decode(bytes, ImageFormat::Jpeg)?;
    if complete::ends_early(bytes, markers.progressive) {
        return Err(Unusable::CutOff(None));
    }
    if !complete::surely_complete(bytes, &rgb, picture.width as usize) {
        let again = others::decode(&complete::lengthened(bytes), ImageFormat::Jpeg);
        let again = again.map(|(_, rgb)| rgb).unwrap_or_default();
        if let Some(share) = complete::share_alike(&rgb, &again, 3 * picture.width as usize) {
            return Err(unusable::cut_off(share));
        }
    }
    *pixels = rgb;
    Ok(Picture {
        head: Head {
            turn: markers.turn,
            ..picture.head
        },
        odd: oddities(markers),
        ..picture
    })
}

#[cfg(feature = "libjpeg-turbo")]
enum Refused {
    /// Another decoder may do better.
    ByThisDecoder,
    ForGood(Unusable),
}

#[cfg(feature = "libjpeg-turbo")]
impl From<Unusable> for Refused {
    fn from(why: Unusable) -> Self {
        Self::ForGood(why)
    }
}

#[cfg(feature = "libjpeg-turbo")]
impl Jpeg {
    fn by_turbo(
        &mut self,
        bytes: &[u8],
        markers: &Markers,
        want: &impl Fn(&Head) -> Want,
        pixels: &mut Vec<u8>,
    ) -> Result<Picture, Refused> {
        let Self { turbo, second } = self;
        let turbo = match turbo {
            Some(turbo) => turbo,
            none => none.insert(TurboJpeg::new().ok_or(Refused::ByThisDecoder)?),
        };
        let header = turbo.header(bytes).map_err(|_| Refused::ByThisDecoder)?;
        let head = Head {
            width: header.width,
            height: header.height,
            turn: markers.turn,
        };
        head.check_size()?;
        if !header.common {
            return Err(Refused::ByThisDecoder);
        }
        let wanted = want(&head);
        // Inks multiply, which the scaling of each alone does not: such files are few, and decoded in full.
        let shrink = if header.cmyk { 1 } else { wanted.shrink() };
        let picture = |size: (u32, u32), region: Option<TurboRegion>, in_planes| Picture {
            head,
            width: size.0,
            height: size.1,
            shrink,
            left: region.map_or(0, |r| r.x),
            top: region.map_or(0, |r| r.y),
            in_planes,
            format: format_name(ImageFormat::Jpeg),
            odd: oddities(markers),
        };
        let part = region(&wanted, &header, shrink);
        if worth_components(&wanted, &header, shrink, part) && turbo.decode_planes(bytes, shrink) {
            let whole = decoded_size(&header, shrink, None);
            return Ok(picture(whole, None, true));
        }
        let into = if header.cmyk {
            &mut *second
        } else {
            &mut *pixels
        };
        let decoded = decode_part(turbo, bytes, (&header, shrink), part, into)?;
        if decoded.warned {
            let length = decoded.length(&header);
            refuse_cut_off(turbo, bytes, markers, shrink, &decoded, &into[..length])?;
        }
        let Decoded { size, part, .. } = decoded;
        if header.cmyk {
            let inks = &second[..decoded.length(&header)];
            let rgb = at_least(pixels, size.0 as usize * size.1 as usize * 3);
            inks_to_rgb(inks, rgb);
        }
        Ok(picture(size, part, false))
    }
}

/// What libjpeg-turbo has decoded to colours or inks.
#[cfg(feature = "libjpeg-turbo")]
struct Decoded {
    size: (u32, u32),
    /// All of the picture, where none.
    part: Option<TurboRegion>,
    /// Whether the library warned of the data.
    warned: bool,
}

#[cfg(feature = "libjpeg-turbo")]
impl Decoded {
    /// In bytes.
    fn length(&self, header: &TurboHeader) -> usize {
        let (width, height) = self.size;
        width as usize * height as usize * if header.cmyk { 4 } else { 3 }
    }
}

/// Decodes a part, or everything where the part cannot be decoded alone, into memory that grows where it must.
#[cfg(feature = "libjpeg-turbo")]
fn decode_part(
    turbo: &mut TurboJpeg,
    bytes: &[u8],
    (header, shrink): (&TurboHeader, u32),
    part: Option<TurboRegion>,
    into: &mut Vec<u8>,
) -> Result<Decoded, Refused> {
    let mut decode = |part: Option<TurboRegion>| -> Result<Decoded, String> {
        let mut decoded = Decoded {
            size: decoded_size(header, shrink, part),
            part,
            warned: false,
        };
        let room = at_least(into, decoded.length(header));
        let warning = turbo.decode(bytes, shrink, part, room)?;
        decoded.warned = warning.is_some();
        Ok(decoded)
    };
    let mut done = decode(part);
    if done.is_err() && part.is_some() {
        done = decode(None);
    }
    done.map_err(|message| {
        if message.contains("Progressive JPEG image has more than") {
            let fault = Fault::Decoder(brief(&message));
            return Refused::ForGood(Unusable::Broken("JPEG".to_owned(), fault));
        }
        Refused::ByThisDecoder
    })
}

/// Whether data that were warned of end before the picture does: whatever was warned of first, that may be so as well.
#[cfg(feature = "libjpeg-turbo")]
fn refuse_cut_off(
    turbo: &mut TurboJpeg,
    bytes: &[u8],
    markers: &Markers,
    shrink: u32,
    decoded: &Decoded,
    picture: &[u8],
) -> Result<(), Unusable> {
    if complete::ends_early(bytes, markers.progressive) {
        return Err(Unusable::CutOff(None));
    }
    let longer = complete::lengthened(bytes);
    let mut again = vec![0; picture.len()];
    let done = turbo.decode(&longer, shrink, decoded.part, &mut again);
    let row = picture.len() / decoded.size.1 as usize;
    match complete::share_alike(picture, &again, row) {
        None if done.is_ok() => Ok(()),
        share => Err(unusable::cut_off(share.unwrap_or(0.0))),
    }
}

/// Whether the picture is decoded to components, all of it.
#[cfg(feature = "libjpeg-turbo")]
fn worth_components(
    wanted: &Want,
    header: &TurboHeader,
    shrink: u32,
    part: Option<TurboRegion>,
) -> bool {
    let whole = decoded_size(header, shrink, None);
    let large = part.is_none_or(|part| share(part, whole) >= BY_COMPONENTS_FROM);
    large && wanted.quality == Quality::Fast && wanted.sums_few(shrink)
}

/// How much of the decoded picture a part is.
#[cfg(feature = "libjpeg-turbo")]
fn share(part: TurboRegion, whole: (u32, u32)) -> f64 {
    let area = |width: u32, height: u32| f64::from(width) * f64::from(height);
    area(part.width, part.height) / area(whole.0, whole.1)
}

#[cfg(feature = "libjpeg-turbo")]
fn decoded_size(header: &TurboHeader, shrink: u32, region: Option<TurboRegion>) -> (u32, u32) {
    match region {
        Some(region) => (region.width, region.height),
        None => (
            header.width.div_ceil(shrink),
            header.height.div_ceil(shrink),
        ),
    }
}

/// The part that is worth decoding alone; none where it is nearly everything.
#[cfg(feature = "libjpeg-turbo")]
fn region(wanted: &Want, header: &TurboHeader, shrink: u32) -> Option<TurboRegion> {
    let (width, height) = decoded_size(header, shrink, None);
    let block = header.block?.div_ceil(shrink);
    let [left, top, right, bottom] = wanted.region(shrink, width, height, block);
    let (w, h) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    let worth = u64::from(w) * u64::from(h) * 10 < u64::from(width) * u64::from(height) * 9;
    (worth && w > 0 && h > 0).then_some(TurboRegion {
        x: left,
        y: top,
        width: w,
        height: h,
    })
}

/// Inks as Adobe's programs store them and everyone takes them, 255 for none, over white paper; without a colour profile.
#[cfg(feature = "libjpeg-turbo")]
fn inks_to_rgb(inks: &[u8], rgb: &mut [u8]) {
    for (from, to) in inks.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
        let key = u32::from(from[3]);
        for channel in 0..3 {
            to[channel] = ((u32::from(from[channel]) * key + 127) / 255) as u8;
        }
    }
}
