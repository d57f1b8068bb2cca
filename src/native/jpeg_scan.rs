//! Plain JPEGs faster than libjpeg-turbo alone: `jpeg_scan.c` decodes the Huffman codes, the library the rest.

use super::{TurboHeader, TurboRegion};

/// The memory of one decoder; none where it was not built, or memory is short.
pub(super) struct JpegScan {
    #[cfg(jpeg_scan)]
    memory: *mut std::ffi::c_void,
}

impl JpegScan {
    pub(super) fn new() -> Self {
        Self {
            // SAFETY: no arguments; a null pointer is looked for where it is used.
            #[cfg(jpeg_scan)]
            memory: unsafe { kfood_jpeg_scan_new() },
        }
    }

    /// As [`super::TurboJpeg::decode`]; false where this JPEG is not plain or not whole, and libjpeg-turbo must be asked. What
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
}
