//! Rows of a pack as JPEG: quality 95 without subsampling of colour.
//!
//! Chroma at full resolution (4:4:4), for a row is small already: halving its colour would blur edges that the resize has
//! just made sharp, to save about a quarter of the bytes.

use std::io::Cursor;

use image::{ColorType, ExtendedColorType, ImageDecoder, codecs::jpeg};

/// What keeps a row within about 40 dB of itself at a tenth to a sixth of its size.
const QUALITY: u8 = 95;

/// Encodes a row, u8 in height x width x (red, green, blue).
pub(super) fn encode(row: &[u8], width: usize, height: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(row.len() / 4);
    // The encoder of `image` takes every component at full resolution.
    jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(row, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// Decodes what [`encode`] made into a row of the same shape.
pub(super) fn decode(
    bytes: &[u8],
    width: usize,
    height: usize,
    row: &mut [u8],
) -> Result<(), String> {
    let decoder = jpeg::JpegDecoder::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let (found, expected) = (decoder.dimensions(), (width as u32, height as u32));
    if found != expected || decoder.color_type() != ColorType::Rgb8 {
        return Err(format!("it holds {} x {} pixels", found.0, found.1));
    }
    decoder.read_image(row).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_nearly_as_it_was_and_twice_the_same() {
        let (width, height) = (96, 64);
        let wave = |i: usize, period: f64| {
            let (x, y) = ((i / 3 % width) as f64, (i / 3 / width) as f64);
            128.0 + 100.0 * ((x + 0.7 * y) / period + (i % 3) as f64).sin()
        };
        let row: Vec<u8> = (0..width * height * 3)
            .map(|i| wave(i, 6.0) as u8)
            .collect();
        let bytes = encode(&row, width, height).unwrap();
        assert!(bytes.len() < row.len() / 2, "{}", bytes.len());
        assert_eq!(bytes, encode(&row, width, height).unwrap());
        let mut back = vec![0; row.len()];
        decode(&bytes, width, height, &mut back).unwrap();
        let squares = row.iter().zip(&back);
        let squares = squares.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        let psnr = 10.0 * (255.0_f64.powi(2) * row.len() as f64 / squares.sum::<f64>()).log10();
        assert!(psnr > 38.0, "{psnr} dB");
        assert!(decode(&bytes, height, width, &mut back).is_err());
    }
}
