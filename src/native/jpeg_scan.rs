//! Plain and progressive JPEGs faster than libjpeg-turbo alone: `jpeg_scan.c` and `jpeg_progressive.c` decode the Huffman codes, the
//! library the rest.

use std::marker::PhantomData;

use super::{TurboHeader, TurboRegion};

/// One component of a JPEG at its own size.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct JpegPlane<'a> {
    rows: *const u8,
    stride: usize,
    width: u32,
    height: u32,
    /// A sample stands for so many of the picture's pixels from left to right.
    pub across: u32,
    /// From top to bottom.
    pub down: u32,
    smooth: u32,
    memory: PhantomData<&'a [u8]>,
}

impl JpegPlane<'_> {
    const NONE: Self = Self {
        rows: std::ptr::null(),
        stride: 0,
        width: 0,
        height: 0,
        across: 1,
        down: 1,
        smooth: 0,
        memory: PhantomData,
    };

    /// Of samples in rows of this width.
    #[cfg(test)]
    pub(super) fn of(samples: &[u8], width: usize) -> JpegPlane<'_> {
        JpegPlane {
            rows: samples.as_ptr(),
            stride: width,
            width: width as u32,
            height: (samples.len() / width) as u32,
            ..JpegPlane::NONE
        }
    }

    /// Samples in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width as usize
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height as usize
    }

    /// Whether libjpeg-turbo would not repeat a sample that stands for two pixels, but put each at a quarter of the way to the
    /// next one ("fancy upsampling").
    #[must_use]
    pub fn smooth(&self) -> bool {
        self.smooth != 0
    }

    /// The samples of row `y`.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn row(&self, y: usize) -> &[u8] {
        assert!(y < self.height(), "a plane has no row {y}");
        // SAFETY: `rows` has at least `height` rows of `stride` samples, `width` of which are the picture's; they live as long as
        // the borrow of the memory that they lie in.
        unsafe { std::slice::from_raw_parts(self.rows.add(y * self.stride), self.width()) }
    }
}

/// The components of a picture.
#[derive(Clone, Copy, Debug)]
pub enum JpegPlanes<'a> {
    /// One.
    Grey(JpegPlane<'a>),
    /// Luma, blue and red less luma.
    Colour([JpegPlane<'a>; 3]),
}

/// The memory of one decoder; none where it was not built, or memory is short.
pub(super) struct JpegScan {
    #[cfg(jpeg_scan)]
    memory: *mut std::ffi::c_void,
    /// In `memory`, from the last decoding on; lent out for as long as `self` is borrowed.
    planes: Option<JpegPlanes<'static>>,
}

impl JpegScan {
    pub(super) fn new() -> Self {
        Self {
            // SAFETY: no arguments; a null pointer is looked for where it is used.
            #[cfg(jpeg_scan)]
            memory: unsafe { kfood_jpeg_scan_new() },
            planes: None,
        }
    }

    /// As [`super::TurboJpeg::decode`]; false where this JPEG is odd or not whole, and libjpeg-turbo must be asked. What
    /// `out` holds is of no use then.
    #[cfg(jpeg_scan)]
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        header: &TurboHeader,
        shrink: u32,
        region: Option<TurboRegion>,
        out: &mut [u8],
    ) -> bool {
        let (width, height) = region.map_or_else(
            || {
                (
                    header.width.div_ceil(shrink),
                    header.height.div_ceil(shrink),
                )
            },
            |part| (part.width, part.height),
        );
        let part = region.map_or([0; 4], |part| [part.x, part.y, part.width, part.height]);
        let needed = width as usize * height as usize * 3;
        if self.memory.is_null() || needed == 0 || out.len() < needed {
            return false;
        }
        // SAFETY: the memory is this object's alone. Pointer and length are those of `bytes`, which is only read; `out` holds
        // `height` rows of `width` pixels, and nothing is written where the library finds another size.
        let done = unsafe {
            kfood_jpeg_scan_decode(
                self.memory,
                bytes.as_ptr(),
                bytes.len(),
                shrink,
                part.as_ptr(),
                out.as_mut_ptr(),
                width,
                height,
            )
        };
        done == 1
    }

    /// What the last [`JpegScan::decode_planes`] found.
    pub(super) fn planes(&self) -> Option<JpegPlanes<'_>> {
        self.planes
    }

    /// Decodes all of a picture at 1 / `shrink` of its size to the components that it is stored in: grey, or luma and two of colour
    /// (YCbCr as JFIF has it). False where this JPEG is odd or not whole, or has other components.
    #[cfg(jpeg_scan)]
    pub(super) fn decode_planes(&mut self, bytes: &[u8], shrink: u32) -> bool {
        self.planes = None;
        if self.memory.is_null() {
            return false;
        }
        let mut planes = [JpegPlane::NONE; 3];
        // SAFETY: the memory is this object's alone, and stays as it is until the next call. Pointer and length are those of
        // `bytes`, which is only read.
        let count = unsafe {
            kfood_jpeg_scan_planes(
                self.memory,
                bytes.as_ptr(),
                bytes.len(),
                shrink,
                planes.as_mut_ptr(),
            )
        };
        self.planes = match count {
            1 => Some(JpegPlanes::Grey(planes[0])),
            3 => Some(JpegPlanes::Colour(planes)),
            _ => None,
        };
        self.planes.is_some()
    }

    #[cfg(not(jpeg_scan))]
    pub(super) fn decode_planes(&mut self, _: &[u8], _: u32) -> bool {
        false
    }

    #[cfg(not(jpeg_scan))]
    pub(super) fn decode(
        &mut self,
        _: &[u8],
        _: &TurboHeader,
        _: u32,
        _: Option<TurboRegion>,
        _: &mut [u8],
    ) -> bool {
        false
    }
}

#[cfg(jpeg_scan)]
impl Drop for JpegScan {
    fn drop(&mut self) {
        // SAFETY: made by `kfood_jpeg_scan_new`, freed once; null is allowed.
        unsafe { kfood_jpeg_scan_free(self.memory) }
    }
}

#[cfg(jpeg_scan)]
unsafe extern "C" {
    fn kfood_jpeg_scan_new() -> *mut std::ffi::c_void;
    fn kfood_jpeg_scan_free(memory: *mut std::ffi::c_void);
    fn kfood_jpeg_scan_decode(
        memory: *mut std::ffi::c_void,
        bytes: *const u8,
        length: usize,
        shrink: u32,
        region: *const u32,
        out: *mut u8,
        width: u32,
        height: u32,
    ) -> i32;
    fn kfood_jpeg_scan_planes(
        memory: *mut std::ffi::c_void,
        bytes: *const u8,
        length: usize,
        shrink: u32,
        planes: *mut JpegPlane<'static>,
    ) -> i32;
}
