//! libjpeg-turbo's decoder through its TurboJPEG interface, 3.0 or later.

use std::ffi::{CStr, c_int};

use turbojpeg_sys as raw;

use super::jpeg_scan::{JpegPlanes, JpegScan};

/// Scans of a progressive JPEG; encoders write about ten. More cost time without end at little size.
const MAX_SCANS: c_int = 200;
/// Working memory of one decoding beside the pixels, in mebibytes: the coefficients of a progressive JPEG.
const MAX_MEMORY: c_int = 1024;

/// What the library warns of while going on. A message that starts otherwise is an error, whatever its code says.
const WARNINGS: [&str; 6] = [
    "Corrupt JPEG data",
    "Premature end of JPEG file",
    "Invalid SOS parameters",
    "Inconsistent progression sequence",
    "Unknown Adobe color transform",
    "Warning: unknown JFIF revision",
];

/// A decoder with its working memory; used again from image to image.
pub struct TurboJpeg {
    handle: raw::tjhandle,
    /// Asked first.
    scan: JpegScan,
}

// SAFETY: a handle has no thread of its own; it may be used by any one thread at a time, which `&mut self` ensures.
unsafe impl Send for TurboJpeg {}

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurboHeader {
    /// Stored width in pixels.
    pub width: u32,
    /// Stored height.
    pub height: u32,
    /// Four components of ink, as CMYK or YCCK.
    pub cmyk: bool,
    /// The width of a coded block of samples in pixels at full size; none for odd sampling.
    pub block: Option<u32>,
    /// 2 to 8 bits a sample, and lossy: what this decodes.
    pub common: bool,
}

/// A part of the picture at its decoded size. `x` is a multiple of the block's width there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurboRegion {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl TurboJpeg {
    /// None where memory is short.
    #[must_use]
    pub fn new() -> Option<Self> {
        // SAFETY: no arguments that could be wrong; a null handle is looked for.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as c_int) };
        let mut this = (!handle.is_null()).then(|| Self {
            handle,
            scan: JpegScan::new(),
        })?;
        this.set(raw::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS);
        this.set(raw::TJPARAM_TJPARAM_MAXMEMORY, MAX_MEMORY);
        this.set(raw::TJPARAM_TJPARAM_SAVEMARKERS, 0);
        Some(this)
    }

    /// Reads the header; takes next to no memory.
    ///
    /// # Errors
    /// The library's message.
    pub fn header(&mut self, bytes: &[u8]) -> Result<TurboHeader, String> {
        // SAFETY: pointer and length are those of one slice, which is only read.
        let done =
            unsafe { raw::tj3DecompressHeader(self.handle, bytes.as_ptr(), bytes.len() as _) };
        if done != 0 {
            self.warning()?;
        }
        let colours = self.get(raw::TJPARAM_TJPARAM_COLORSPACE);
        let side = |value: c_int| u32::try_from(value).ok().filter(|side| *side > 0);
        let (width, height) = (
            side(self.get(raw::TJPARAM_TJPARAM_JPEGWIDTH)),
            side(self.get(raw::TJPARAM_TJPARAM_JPEGHEIGHT)),
        );
        let (Some(width), Some(height)) = (width, height) else {
            return Err("no image in it".to_owned());
        };
        let block = match self.get(raw::TJPARAM_TJPARAM_SUBSAMP) {
            raw::TJSAMP_TJSAMP_444 | raw::TJSAMP_TJSAMP_GRAY | raw::TJSAMP_TJSAMP_440 => Some(8),
            raw::TJSAMP_TJSAMP_422 | raw::TJSAMP_TJSAMP_420 => Some(16),
            raw::TJSAMP_TJSAMP_411 => Some(32),
            _ => None,
        };
        Ok(TurboHeader {
            width,
            height,
            cmyk: [raw::TJCS_TJCS_CMYK, raw::TJCS_TJCS_YCCK]
                .iter()
                .any(|inks| *inks as c_int == colours),
            block,
            common: self.get(raw::TJPARAM_TJPARAM_PRECISION) <= 8
                && self.get(raw::TJPARAM_TJPARAM_LOSSLESS) == 0,
        })
    }

    /// Decodes at 1 / `shrink` (1, 2, 4 or 8) of the size, sides rounded up, or a region of that, into `out` without gaps: red,
    /// green, blue, or the four inks as stored where the header says so. The warning, if there was one, is the first.
    ///
    /// # Errors
    /// The library's message; `out` is then of no use.
    pub fn decode(
        &mut self,
        bytes: &[u8],
        shrink: u32,
        region: Option<TurboRegion>,
        out: &mut [u8],
    ) -> Result<Option<String>, String> {
        // Every size below comes from these very bytes, so that the library cannot find another one.
        let header = self.header(bytes)?;
        if !header.cmyk && self.scan.decode(bytes, &header, shrink, region, out) {
            return Ok(None);
        }
        self.decode_alone(bytes, &header, shrink, region, out)
    }

    /// Decodes all of a picture at 1 / `shrink` of its size to the components that it is stored in, each at its own size; false where
    /// [`TurboJpeg::decode`] must be asked.
    pub fn decode_planes(&mut self, bytes: &[u8], shrink: u32) -> bool {
        self.scan.decode_planes(bytes, shrink)
    }

    /// The components that the last [`TurboJpeg::decode_planes`] found.
    #[must_use]
    pub fn planes(&self) -> Option<JpegPlanes<'_>> {
        self.scan.planes()
    }

    /// The same by libjpeg-turbo alone.
    fn decode_alone(
        &mut self,
        bytes: &[u8],
        header: &TurboHeader,
        shrink: u32,
        region: Option<TurboRegion>,
        out: &mut [u8],
    ) -> Result<Option<String>, String> {
        let factor = raw::tjscalingfactor {
            num: 1,
            denom: int(shrink)?,
        };
        // SAFETY: plain numbers; the library checks them.
        if unsafe { raw::tj3SetScalingFactor(self.handle, factor) } != 0 {
            return Err(self.message());
        }
        let whole = TurboRegion {
            x: 0,
            y: 0,
            width: header.width.div_ceil(shrink),
            height: header.height.div_ceil(shrink),
        };
        // All zeros mean no region.
        let (x, y, w, h) = match region {
            None => (0, 0, 0, 0),
            Some(r) => (int(r.x)?, int(r.y)?, int(r.width)?, int(r.height)?),
        };
        // SAFETY: plain numbers; the library checks them against the header and the factor.
        if unsafe { raw::tj3SetCroppingRegion(self.handle, raw::tjregion { x, y, w, h }) } != 0 {
            return Err(self.message());
        }
        let size = region.unwrap_or(whole);
        let (format, channels) = if header.cmyk {
            (raw::TJPF_TJPF_CMYK, 4)
        } else {
            (raw::TJPF_TJPF_RGB, 3)
        };
        let pitch = size.width as usize * channels;
        if size.width == 0 || size.height == 0 || out.len() < pitch * size.height as usize {
            return Err("the buffer is too small".to_owned());
        }
        // SAFETY: the library writes `size.height` rows of `pitch` bytes, which `out` holds: it sizes the picture from the
        // same bytes, factor and region as above. It reads no further than `bytes.len()`.
        let done = unsafe {
            raw::tj3Decompress8(
                self.handle,
                bytes.as_ptr(),
                bytes.len() as _,
                out.as_mut_ptr(),
                int(pitch as u32)?,
                format,
            )
        };
        match done {
            0 => Ok(None),
            _ => self.warning().map(Some),
        }
    }

    /// The message of a warning; an error where it was none.
    fn warning(&mut self) -> Result<String, String> {
        let message = self.message();
        // SAFETY: the handle is valid as long as `self` is.
        let code = unsafe { raw::tj3GetErrorCode(self.handle) };
        // An error after a warning keeps the warning's code.
        if code == raw::TJERR_TJERR_WARNING as c_int
            && WARNINGS.iter().any(|start| message.starts_with(start))
        {
            Ok(message)
        } else {
            Err(message)
        }
    }

    fn message(&mut self) -> String {
        // SAFETY: a string that ends with zero and belongs to the handle; it is copied at once.
        let text = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.handle)) };
        text.to_string_lossy().into_owned()
    }

    fn get(&mut self, what: raw::TJPARAM) -> c_int {
        // SAFETY: the handle is valid; an unknown parameter gives -1.
        unsafe { raw::tj3Get(self.handle, what as c_int) }
    }

    fn set(&mut self, what: raw::TJPARAM, value: c_int) {
        // SAFETY: the handle is valid; a value that is refused leaves the default.
        let _ = unsafe { raw::tj3Set(self.handle, what as c_int, value) };
    }
}

impl Drop for TurboJpeg {
    fn drop(&mut self) {
        // SAFETY: made by `tj3Init`, destroyed once.
        unsafe { raw::tj3Destroy(self.handle) }
    }
}

fn int(value: u32) -> Result<c_int, String> {
    c_int::try_from(value).map_err(|_| "too large".to_owned())
}

/// The samplings of colour that encoders write.
#[cfg(test)]
pub(crate) const SAMPLINGS: [raw::TJSAMP; 6] = [
    raw::TJSAMP_TJSAMP_444,
    raw::TJSAMP_TJSAMP_422,
    raw::TJSAMP_TJSAMP_420,
    raw::TJSAMP_TJSAMP_GRAY,
    raw::TJSAMP_TJSAMP_440,
    raw::TJSAMP_TJSAMP_411,
];

/// Red, green, blue as a JPEG of one of the [`SAMPLINGS`], with a restart marker after every so many blocks.
#[cfg(test)]
pub(crate) fn compressed(
    pixels: &[u8],
    width: u32,
    height: u32,
    sampling: raw::TJSAMP,
    quality: c_int,
    restart: c_int,
) -> Vec<u8> {
    let plain = [(raw::TJPARAM_TJPARAM_RESTARTBLOCKS, restart)];
    compressed_with(pixels, width, height, sampling, quality, &plain)
}

/// The same with any other parameters.
#[cfg(test)]
fn compressed_with(
    pixels: &[u8],
    width: u32,
    height: u32,
    sampling: raw::TJSAMP,
    quality: c_int,
    parameters: &[(raw::TJPARAM, c_int)],
) -> Vec<u8> {
    assert_eq!(pixels.len(), (width * height * 3) as usize);
    let mut out = std::ptr::null_mut();
    let mut length = 0;
    // SAFETY: `pixels` has the sides that are told; the library allocates `out`, which is copied and freed.
    unsafe {
        let handle = raw::tj3Init(raw::TJINIT_TJINIT_COMPRESS as c_int);
        let first = [
            (raw::TJPARAM_TJPARAM_QUALITY, quality),
            (raw::TJPARAM_TJPARAM_SUBSAMP, sampling as c_int),
        ];
        for (what, value) in first.iter().chain(parameters) {
            assert_eq!(raw::tj3Set(handle, *what as c_int, *value), 0);
        }
        let done = raw::tj3Compress8(
            handle,
            pixels.as_ptr(),
            width as c_int,
            0,
            height as c_int,
            raw::TJPF_TJPF_RGB,
            &raw mut out,
            &raw mut length,
        );
        assert_eq!(done, 0);
        let bytes = std::slice::from_raw_parts(out, length as usize).to_vec();
        raw::tj3Free(out.cast());
        raw::tj3Destroy(handle);
        bytes
    }
}

#[cfg(all(test, jpeg_scan))]
mod tests;
