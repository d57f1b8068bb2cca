//! Bilinear samples of a picture at eight points at a time, where the processor has AVX2.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128, __m256, __m256i, _CMP_LT_OQ, _mm_add_ps, _mm_cvtsi32_si128, _mm_insert_epi32,
    _mm_mul_ps, _mm_set1_ps, _mm_storeu_ps, _mm_sub_ps, _mm256_add_epi32, _mm256_add_ps,
    _mm256_and_si256, _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps,
    _mm256_cmp_ps, _mm256_cmpgt_epi32, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32,
    _mm256_cvttps_epi32, _mm256_extractf128_ps, _mm256_loadu_ps, _mm256_movemask_ps, _mm256_mul_ps,
    _mm256_mullo_epi32, _mm256_set1_epi32, _mm256_set1_ps, _mm256_storeu_ps, _mm256_storeu_si256,
    _mm256_sub_ps,
};

/// Points at a time.
pub const POINTS: usize = 8;

/// A picture of height x width x 3 bytes.
#[derive(Clone, Copy)]
pub struct Bilinear<'a> {
    pixels: &'a [u8],
    /// Bytes from one row to the next.
    stride: i32,
    /// The last pixel of a row, and the last row.
    last: [i32; 2],
    /// The first byte from which on a sample would read beyond the end.
    end: i32,
}

impl<'a> Bilinear<'a> {
    /// For a picture; `None` where the processor has no such instructions, or the picture is smaller than 2 x 2 or has more than
    /// `i32::MAX` bytes.
    #[must_use]
    pub fn new(pixels: &'a [u8], width: usize, height: usize) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            let stride = i32::try_from(width.checked_mul(3)?).ok()?;
            let length = i32::try_from(pixels.len()).ok()?;
            let whole = i32::try_from(height).ok()?.checked_mul(stride)?;
            // Eight bytes are read from the left neighbour on, in its row and in the one below.
            let end = length.checked_sub(stride)?.checked_sub(7)?;
            return (width >= 2 && height >= 2 && whole == length && end > 0).then_some(Self {
                pixels,
                stride,
                last: [width as i32 - 1, height as i32 - 1],
                end,
            });
        }
        let _ = (pixels, width, height);
        None
    }

    /// Adds to `sums`, for each of the points (x, y) in pixels from the centre of the first one, what lies there: red, green, blue
    /// and a number without meaning. Says no, and adds nothing, unless all points lie between four pixels each, and not in the last
    /// few bytes. Products and sums are rounded one by one: `l + fx (r - l)` across, and so down.
    #[inline]
    pub fn add(self, x: &[f32; POINTS], y: &[f32; POINTS], sums: &mut [[f32; 4]; POINTS]) -> bool {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: there is none of these without AVX2.
        return unsafe { self.add_avx2(x, y, sums) };
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = (self.pixels, self.stride, self.last, self.end, x, y, sums);
            false
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[inline]
    fn add_avx2(self, x: &[f32; POINTS], y: &[f32; POINTS], sums: &mut [[f32; 4]; POINTS]) -> bool {
        // SAFETY: the arrays have eight numbers.
        let (x, y) = unsafe { (_mm256_loadu_ps(x.as_ptr()), _mm256_loadu_ps(y.as_ptr())) };
        let (left, fx) = split(x);
        let (top, fy) = split(y);
        let three = _mm256_set1_epi32(3);
        let at = _mm256_add_epi32(
            _mm256_mullo_epi32(top, _mm256_set1_epi32(self.stride)),
            _mm256_mullo_epi32(left, three),
        );
        let within = |value: __m256i, end: i32| {
            _mm256_and_si256(
                _mm256_cmpgt_epi32(value, _mm256_set1_epi32(-1)),
                _mm256_cmpgt_epi32(_mm256_set1_epi32(end), value),
            )
        };
        let inside = _mm256_and_si256(
            _mm256_and_si256(within(left, self.last[0]), within(top, self.last[1])),
            within(at, self.end),
        );
        if _mm256_movemask_ps(_mm256_castsi256_ps(inside)) != 0xff {
            return false;
        }
        let (mut places, mut across, mut down) = ([0_i32; POINTS], [0.0; POINTS], [0.0; POINTS]);
        // SAFETY: the arrays have eight numbers.
        unsafe {
            _mm256_storeu_si256(places.as_mut_ptr().cast(), at);
            _mm256_storeu_ps(across.as_mut_ptr(), fx);
            _mm256_storeu_ps(down.as_mut_ptr(), fy);
        }
        for (((place, fx), fy), sum) in places.iter().zip(across).zip(down).zip(sums) {
            // SAFETY: 0 <= place < end, from where eight bytes and eight bytes a row below are those of the picture.
            let (l, r) = unsafe {
                let upper = self.pixels.as_ptr().add(*place as usize);
                let lower = upper.add(self.stride as usize);
                (
                    both(upper.cast(), lower.cast()),
                    both(upper.add(3).cast(), lower.add(3).cast()),
                )
            };
            let mixed = _mm256_add_ps(l, _mm256_mul_ps(_mm256_set1_ps(fx), _mm256_sub_ps(r, l)));
            let upper = _mm256_castps256_ps128(mixed);
            let lower: __m128 = _mm256_extractf128_ps::<1>(mixed);
            let value = _mm_add_ps(upper, _mm_mul_ps(_mm_set1_ps(fy), _mm_sub_ps(lower, upper)));
            // SAFETY: the sum has four numbers.
            unsafe {
                let so_far = std::arch::x86_64::_mm_loadu_ps(sum.as_ptr());
                _mm_storeu_ps(sum.as_mut_ptr(), _mm_add_ps(so_far, value));
            }
        }
        true
    }
}

/// Whole numbers below, and how far above them.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn split(value: __m256) -> (__m256i, __m256) {
    let cut = _mm256_cvttps_epi32(value);
    let above = _mm256_cmp_ps::<_CMP_LT_OQ>(value, _mm256_cvtepi32_ps(cut));
    // All ones are -1.
    let whole = _mm256_add_epi32(cut, _mm256_castps_si256(above));
    (whole, _mm256_sub_ps(value, _mm256_cvtepi32_ps(whole)))
}

/// Four bytes of a row and four of the one below as floats.
///
/// # Safety
/// Both pointers have four bytes to read.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn both(upper: *const i32, lower: *const i32) -> __m256 {
    // SAFETY: as the caller says.
    let (upper, lower) = unsafe { (upper.read_unaligned(), lower.read_unaligned()) };
    let bytes = _mm_insert_epi32::<1>(_mm_cvtsi32_si128(upper), lower);
    _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))
}
