//! A contact sheet: rows of a pack side by side as a PNG, each line with a number before it.

use std::path::Path;

use image::{Rgb, RgbImage, imageops};

use crate::error::{Error, Result};

/// Space around each picture, in pixels.
const MARGIN: u32 = 4;
/// Width of the column of numbers.
const NUMBERS: u32 = 30;
/// The digits in 3 x 5 dots, a row of three bits each from the top.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];
/// Pixels of one dot.
const DOT: u32 = 2;

/// A sheet under way.
pub struct Sheet {
    width: u32,
    height: u32,
    lines: Vec<(usize, Vec<Vec<u8>>)>,
}

impl Sheet {
    /// For pictures of this size in pixels.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            lines: Vec::new(),
        }
    }

    /// Adds a line of pictures, each u8 in height x width x (red, green, blue), behind a number.
    pub fn line(&mut self, number: usize, pictures: Vec<Vec<u8>>) {
        self.lines.push((number, pictures));
    }

    /// Writes the sheet.
    ///
    /// # Errors
    /// When a picture has another size, the sheet is too large to be an image, or it cannot be written.
    pub fn write(self, path: &Path) -> Result<()> {
        let columns = self.lines.iter().map(|l| l.1.len()).max().unwrap_or(0) as u64;
        let side = |n: u64, one: u32| n.saturating_mul(u64::from(one + MARGIN)) + u64::from(MARGIN);
        let width = side(columns, self.width) + u64::from(NUMBERS);
        let height = side(self.lines.len() as u64, self.height);
        if width * height > super::MAX_PIXELS {
            return Err(
                Error::usage(format!("a sheet of {width} x {height} pixels is too large"))
                    .help("take fewer pictures of each class"),
            );
        }
        let mut sheet = RgbImage::from_pixel(width as u32, height as u32, Rgb([255; 3]));
        for (row, (number, pictures)) in (0_u32..).zip(self.lines) {
            let y = MARGIN + row * (self.height + MARGIN);
            draw(&mut sheet, number, y + self.height / 2);
            for (column, picture) in (0_u32..).zip(pictures) {
                let x = NUMBERS + MARGIN + column * (self.width + MARGIN);
                let picture = RgbImage::from_raw(self.width, self.height, picture);
                let picture = picture.ok_or_else(|| {
                    Error::failed("a picture of the sheet has not the size of the others")
                })?;
                imageops::replace(&mut sheet, &picture, i64::from(x), i64::from(y));
            }
        }
        let cause = |e| Error::failed(format!("cannot write `{}`", path.display())).because(e);
        sheet
            .save_with_format(path, image::ImageFormat::Png)
            .map_err(cause)
    }
}

/// A number, its middle at this height, at the left edge.
fn draw(sheet: &mut RgbImage, number: usize, middle: u32) {
    let top = middle.saturating_sub(5 * DOT / 2);
    for (place, digit) in (0_u32..).zip(number.to_string().bytes()) {
        let dots = DIGITS[usize::from(digit - b'0')];
        for (y, line) in (0_u32..).zip(dots) {
            for x in 0..3 {
                if line >> (2 - x) & 1 == 0 {
                    continue;
                }
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let at = (MARGIN + (place * 4 + x) * DOT + dx, top + y * DOT + dy);
                    if at.0 < NUMBERS && at.1 < sheet.height() {
                        sheet.put_pixel(at.0, at.1, Rgb([0; 3]));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        let mut sheet = Sheet::new(2, 20);
        sheet.line(7, vec![[9, 8, 7].repeat(40), [1, 2, 3].repeat(40)]);
        sheet.line(12, vec![[4, 5, 6].repeat(40)]);
        sheet.write(&path).unwrap();
        let sheet = image::open(&path).unwrap().into_rgb8();
        assert_eq!(sheet.dimensions(), (30 + 4 + 2 * 6, 4 + 2 * 24));
        assert_eq!(sheet.get_pixel(34, 4).0, [9, 8, 7]);
        assert_eq!(sheet.get_pixel(41, 23).0, [1, 2, 3]);
        assert_eq!(sheet.get_pixel(34, 28).0, [4, 5, 6]);
        assert!(
            sheet
                .enumerate_pixels()
                .any(|(x, _, p)| x < 30 && p.0 == [0; 3])
        );
    }

    #[test]
    fn a_picture_of_another_size_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut sheet = Sheet::new(2, 2);
        sheet.line(0, vec![vec![0; 3]]);
        assert!(sheet.write(&folder.path().join("sheet.png")).is_err());
    }
}
