//! libwebp's decoder of still pictures.

use std::ffi::{c_int, c_uchar};

use libwebp_sys as raw;

/// Decodes a still WebP of that size (width, height in pixels) into `out`, without gaps: red, green, blue, and `alpha` where asked for, which is
/// not multiplied in. False where the library refuses it, or it is of another size; `out` is then of no use.
#[must_use]
pub fn decode_webp(bytes: &[u8], size: (u32, u32), alpha: bool, out: &mut [u8]) -> bool {
    type Into =
        unsafe extern "C" fn(*const c_uchar, usize, *mut c_uchar, usize, c_int) -> *mut c_uchar;
    let (mut width, mut height): (c_int, c_int) = (0, 0);
    // SAFETY: pointer and length are those of one slice, which is only read; the sides are written to.
    let read =
        unsafe { raw::WebPGetInfo(bytes.as_ptr(), bytes.len(), &raw mut width, &raw mut height) }
            != 0;
    if !read || (u32::try_from(width), u32::try_from(height)) != (Ok(size.0), Ok(size.1)) {
        return false;
    }
    let (decode_into, samples): (Into, c_int) = match alpha {
        true => (raw::WebPDecodeRGBAInto, 4),
        false => (raw::WebPDecodeRGBInto, 3),
    };
    // A side has 14 bits, or 24 in an extended header: this fits.
    let stride = width * samples;
    let rows = usize::try_from(stride).unwrap_or(0) * usize::try_from(height).unwrap_or(0);
    if rows == 0 || out.len() < rows {
        return false;
    }
    // SAFETY: both pointers come with the lengths of their slices, within which the library stays; it keeps neither.
    let done = unsafe {
        decode_into(
            bytes.as_ptr(),
            bytes.len(),
            out.as_mut_ptr(),
            out.len(),
            stride,
        )
    };
    !done.is_null()
}

/// A lossy WebP of red, green, blue and alpha.
#[cfg(test)]
pub(crate) fn lossy_webp(rgba: &[u8], width: u32, height: u32) -> Vec<u8> {
    assert_eq!(rgba.len(), (width * height * 4) as usize);
    let (width, height) = (width as c_int, height as c_int);
    let mut written = std::ptr::null_mut();
    // SAFETY: the length of the pixels is asserted; what is written belongs to us, is copied and then freed.
    unsafe {
        let length = raw::WebPEncodeRGBA(
            rgba.as_ptr(),
            width,
            height,
            width * 4,
            80.0,
            &raw mut written,
        );
        assert!(length > 0);
        let bytes = std::slice::from_raw_parts(written, length).to_vec();
        raw::WebPFree(written.cast());
        bytes
    }
}
