//! Words in pictures, without any font of the machine.

use image::{Rgb, RgbImage};

use crate::text::{shortened, shown};

/// Pixels from one row of words to the next.
pub(super) const LINE: u32 = 18;
/// Pixels of a narrow character; a wide one, such as a syllable of Hangul, takes two.
const NARROW: u32 = 8;
/// What stands for a character that the font lacks.
const UNKNOWN: char = '\u{fffd}';

/// Writes a name in black, its top left at `at`, up to the column `right`; of a longer one the middle is left out.
pub(super) fn write_text(picture: &mut RgbImage, text: &str, at: (u32, u32), right: u32) {
    let columns = right.saturating_sub(at.0) / NARROW;
    let mut x = at.0;
    for c in shortened(&shown(text), columns as usize).chars() {
        let found = unifont::get_glyph(c).or_else(|| unifont::get_glyph(UNKNOWN));
        let Some(glyph) = found else { continue };
        let width = glyph.get_width() as u32;
        if x + width > right {
            break;
        }
        for (dx, dy) in (0..width).flat_map(|dx| (0..16).map(move |dy| (dx, dy))) {
            let (px, py) = (x + dx, at.1 + 1 + dy);
            let dark = glyph.get_pixel(dx as usize, dy as usize);
            if dark && px < picture.width() && py < picture.height() {
                picture.put_pixel(px, py, Rgb([0; 3]));
            }
        }
        x += width;
    }
}
