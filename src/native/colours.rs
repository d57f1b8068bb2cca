//! Luma and colour to red, green, blue.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_or_si128, _mm_shuffle_epi8, _mm_storeu_si128,
    _mm256_add_epi16, _mm256_adds_epi16, _mm256_castsi256_si128, _mm256_loadu_si256,
    _mm256_mulhrs_epi16, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi16,
    _mm256_srai_epi16, _mm256_sub_epi16,
};

use super::weighted::{VALUE_BITS, times};

/// No colour.
pub const GREY: i16 = 128 << VALUE_BITS;

/// Factors in units of 1 / 32768: 1.402 is taken as 1 + 0.402, and 1.772 as 2 - 0.228.
const RED_OF_RED: i16 = factor(0.402);
const GREEN_OF_BLUE: i16 = factor(0.344_136);
const GREEN_OF_RED: i16 = factor(0.714_136);
const BLUE_OF_BLUE: i16 = factor(0.228);

const fn factor(value: f64) -> i16 {
    (value * 32768.0 + 0.5) as i16
}

/// Pixels at a time.
#[cfg(target_arch = "x86_64")]
const BLOCK: usize = 16;

/// Makes `out`, red, green and blue, of luma and the two of colour (JFIF 1.02, after Rec. 601), all in units of 1 / 64 of a step.
///
/// # Panics
/// Where one of the lines has fewer pixels than `out`.
pub fn ycc_to_rgb(lines: [&[i16]; 3], out: &mut [u8]) {
    let out = out.as_chunks_mut::<3>().0;
    let lines = lines.map(|line| &line[..out.len()]);
    #[cfg(target_arch = "x86_64")]
    if out.len() >= BLOCK && std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has these instructions; all lines are as long as `out`, and that is long enough.
        unsafe { avx2(lines, out) };
        return;
    }
    plain(lines, out);
}

fn plain([luma, blue, red]: [&[i16]; 3], out: &mut [[u8; 3]]) {
    for (x, out) in out.iter_mut().enumerate() {
        let (luma, blue, red) = (
            luma[x],
            blue[x].wrapping_sub(GREY),
            red[x].wrapping_sub(GREY),
        );
        let r = red.wrapping_add(times(red, RED_OF_RED));
        let g = times(blue, GREEN_OF_BLUE).wrapping_add(times(red, GREEN_OF_RED));
        let b = blue
            .wrapping_add(blue)
            .wrapping_sub(times(blue, BLUE_OF_BLUE));
        *out = [r, 0_i16.wrapping_sub(g), b].map(|colour| {
            let value = luma
                .saturating_add(colour)
                .saturating_add(1 << (VALUE_BITS - 1));
            (value >> VALUE_BITS).clamp(0, 255) as u8
        });
    }
}

/// `lines` must be as long as `out`, and have a block at least.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2([luma, blue, red]: [&[i16]; 3], out: &mut [[u8; 3]]) {
    let all = |value: i16| _mm256_set1_epi16(value);
    let (grey, half) = (all(GREY), all(1 << (VALUE_BITS - 1)));
    let last = out.len() - BLOCK;
    for block in 0..out.len().div_ceil(BLOCK) {
        // The last one may begin within the one before.
        let x = (block * BLOCK).min(last);
        // SAFETY: a block from `x` on lies within the lines.
        let load = |line: &[i16]| unsafe { _mm256_loadu_si256(line.as_ptr().add(x).cast()) };
        let (blue, red) = (
            _mm256_sub_epi16(load(blue), grey),
            _mm256_sub_epi16(load(red), grey),
        );
        let luma = load(luma);
        let r = _mm256_add_epi16(red, _mm256_mulhrs_epi16(red, all(RED_OF_RED)));
        let g = _mm256_add_epi16(
            _mm256_mulhrs_epi16(blue, all(GREEN_OF_BLUE)),
            _mm256_mulhrs_epi16(red, all(GREEN_OF_RED)),
        );
        let g = _mm256_sub_epi16(all(0), g);
        let b = _mm256_add_epi16(blue, blue);
        let b = _mm256_sub_epi16(b, _mm256_mulhrs_epi16(blue, all(BLUE_OF_BLUE)));
        let bytes = |colour: __m256i| {
            let value = _mm256_adds_epi16(_mm256_adds_epi16(luma, colour), half);
            let value = _mm256_srai_epi16::<{ VALUE_BITS as i32 }>(value);
            let packed = _mm256_packus_epi16(value, value);
            _mm256_castsi256_si128(_mm256_permute4x64_epi64::<0b1000>(packed))
        };
        let colours = [bytes(r), bytes(g), bytes(b)];
        for (part, spread) in SPREAD.iter().enumerate() {
            let spread = |c: usize| {
                // SAFETY: sixteen bytes.
                let places = unsafe { _mm_loadu_si128(spread[c].as_ptr().cast()) };
                _mm_shuffle_epi8(colours[c], places)
            };
            let [r, g, b] = [spread(0), spread(1), spread(2)];
            let bytes = _mm_or_si128(_mm_or_si128(r, g), b);
            // SAFETY: sixteen pixels from `x` on are three times sixteen bytes.
            unsafe { _mm_storeu_si128(out.as_mut_ptr().add(x).cast::<__m128i>().add(part), bytes) };
        }
    }
}

/// For each third of 48 bytes and each colour: which of its 16 bytes go where, or none.
#[cfg(target_arch = "x86_64")]
const SPREAD: [[[u8; 16]; 3]; 3] = {
    let mut spread = [[[0x80; 16]; 3]; 3];
    let mut at = 0;
    while at < 48 {
        spread[at / 16][at % 3][at % 16] = (at / 3) as u8;
        at += 1;
    }
    spread
};

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::seed::stream;

    #[test]
    fn colours_are_those_of_the_formula_with_and_without_wide_vectors() {
        let mut rng = stream(1, "colours", &[]);
        for n in [1, 15, 16, 17, 224, 250] {
            let lines: [Vec<i16>; 3] =
                std::array::from_fn(|_| (0..n).map(|_| rng.random_range(0..=255 * 64)).collect());
            let lines = [0, 1, 2].map(|i| lines[i].as_slice());
            let (mut fast, mut slow) = (vec![0; 3 * n], vec![[1; 3]; n]);
            ycc_to_rgb(lines, &mut fast);
            plain(lines, &mut slow);
            assert_eq!(fast, slow.as_flattened());
            for x in 0..n {
                let [luma, blue, red] = lines.map(|line| f64::from(line[x]) / 64.0);
                let (blue, red) = (blue - 128.0, red - 128.0);
                let colours = [
                    luma + 1.402 * red,
                    luma - 0.344_136 * blue - 0.714_136 * red,
                    luma + 1.772 * blue,
                ];
                for (value, exact) in slow[x].iter().zip(colours) {
                    let far = (f64::from(*value) - exact.clamp(0.0, 255.0)).abs();
                    assert!(far < 0.54, "{value} for {exact}");
                }
            }
        }
    }
}
