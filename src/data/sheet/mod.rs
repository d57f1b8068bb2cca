//! A contact sheet: pictures side by side as a PNG, each line with its name above it, each picture with its captions below.

mod writing;

use std::path::Path;

use image::{Rgb, RgbImage, imageops};

use self::writing::{LINE, write_text};
use crate::error::{Error, Result};

/// Space around each picture, in pixels.
const MARGIN: u32 = 4;

/// A picture of a sheet with what is written below it.
#[derive(Clone, Debug)]
pub struct Captioned {
    /// At most as large as the sheet's cells; a smaller one stands in the middle of its cell.
    pub picture: RgbImage,
    /// A line each; what doesn't fit is left out in the middle.
    pub caption: Vec<String>,
}

/// A sheet under way.
pub struct Sheet {
    width: u32,
    height: u32,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    pictures: Vec<Captioned>,
}

impl Line {
    /// Rows of captions below its pictures.
    fn captions(&self) -> u32 {
        let most = self.pictures.iter().map(|p| p.caption.len()).max();
        most.unwrap_or(0) as u32
    }

    /// Pixels of what is written above it.
    fn heading(&self) -> u32 {
        if self.name.is_empty() { 0 } else { LINE }
    }
}

impl From<RgbImage> for Captioned {
    fn from(picture: RgbImage) -> Self {
        let caption = Vec::new();
        Self { picture, caption }
    }
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

    /// Adds a line of pictures below its name; without one where that is empty.
    pub fn line(&mut self, name: impl Into<String>, pictures: Vec<Captioned>) {
        let name = name.into();
        self.lines.push(Line { name, pictures });
    }

    /// Writes the sheet.
    ///
    /// # Errors
    /// When a picture is larger than the cells, the sheet is too large to be an image, or it cannot be written.
    pub fn write(self, path: &Path) -> Result<()> {
        let columns = self.lines.iter().map(|l| l.pictures.len()).max();
        let columns = columns.unwrap_or(0) as u64;
        let margin = u64::from(MARGIN);
        let width = columns * (u64::from(self.width) + margin) + margin;
        let heights = self.lines.iter().map(|line| u64::from(self.of(line)));
        let height = heights.sum::<u64>() + margin;
        if width * height > super::MAX_PIXELS {
            return Err(
                Error::usage(format!("a sheet of {width} x {height} pixels is too large"))
                    .help("take fewer pictures"),
            );
        }
        let mut sheet = RgbImage::from_pixel(width as u32, height as u32, Rgb([255; 3]));
        let mut top = MARGIN;
        for line in &self.lines {
            self.draw(&mut sheet, line, top)?;
            top += self.of(line);
        }
        let cause = |e| Error::failed(format!("cannot write `{}`", path.display())).because(e);
        sheet
            .save_with_format(path, image::ImageFormat::Png)
            .map_err(cause)
    }

    /// The height of a line with the space below it.
    fn of(&self, line: &Line) -> u32 {
        line.heading() + self.height + line.captions() * LINE + MARGIN
    }

    fn draw(&self, sheet: &mut RgbImage, line: &Line, top: u32) -> Result<()> {
        let right = sheet.width() - MARGIN;
        write_text(sheet, &line.name, (MARGIN, top), right);
        let y = top + line.heading();
        for (column, Captioned { picture, caption }) in (0_u32..).zip(&line.pictures) {
            let x = MARGIN + column * (self.width + MARGIN);
            let (width, height) = picture.dimensions();
            if width > self.width || height > self.height {
                return Err(Error::failed("a picture is larger than the sheet's cells"));
            }
            let (left, above) = ((self.width - width) / 2, (self.height - height) / 2);
            imageops::replace(sheet, picture, i64::from(x + left), i64::from(y + above));
            for (row, text) in (0_u32..).zip(caption) {
                let at = (x, y + self.height + row * LINE);
                write_text(sheet, text, at, x + self.width);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, color: [u8; 3]) -> Captioned {
        RgbImage::from_pixel(width, height, Rgb(color)).into()
    }

    fn written(sheet: Sheet) -> RgbImage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        sheet.write(&path).unwrap();
        image::open(&path).unwrap().into_rgb8()
    }

    fn ink(sheet: &RgbImage, rows: std::ops::Range<u32>) -> usize {
        let dark = sheet.enumerate_pixels().filter(|(_, _, p)| p.0 == [0; 3]);
        dark.filter(|(_, y, _)| rows.contains(y)).count()
    }

    #[test]
    fn pictures_stand_in_their_lines_below_names_and_above_captions() {
        let mut sheet = Sheet::new(40, 20);
        let mut second = plain(40, 20, [1, 2, 3]);
        second.caption = vec!["냉면".to_owned(), "김치찌개 97%".to_owned()];
        sheet.line("김밥", vec![plain(40, 20, [9, 8, 7]), second]);
        sheet.line("", vec![plain(20, 10, [4, 5, 6])]);
        let sheet = written(sheet);
        let first = LINE + 20 + 2 * LINE + MARGIN;
        assert_eq!(sheet.dimensions(), (4 + 2 * 44, 4 + first + 24));
        assert_eq!(sheet.get_pixel(4, 4 + LINE).0, [9, 8, 7]);
        assert_eq!(sheet.get_pixel(48, 4 + LINE).0, [1, 2, 3]);
        // A smaller one stands in the middle.
        assert_eq!(sheet.get_pixel(14, 4 + first + 5).0, [4, 5, 6]);
        assert_eq!(sheet.get_pixel(13, 4 + first + 5).0, [255; 3]);
        assert!(ink(&sheet, 4..4 + LINE) > 20, "no name");
        let captions = 4 + LINE + 20;
        assert!(ink(&sheet, captions..captions + LINE) > 20, "no caption");
        assert!(ink(&sheet, captions + LINE..captions + 2 * LINE) > 20);
        assert_eq!(ink(&sheet, 4 + first..sheet.height()), 0);
    }

    #[test]
    fn a_larger_picture_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut sheet = Sheet::new(2, 2);
        sheet.line("", vec![plain(3, 2, [0; 3])]);
        assert!(sheet.write(&folder.path().join("sheet.png")).is_err());
    }
}
