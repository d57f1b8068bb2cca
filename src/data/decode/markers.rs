//! What the segments of a JPEG before its pixels say: the frame, what turns it upright, a colour profile.

use super::orientation::{Profiles, Turn};

/// The segments up to the first scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Markers {
    /// Stored width and height; none where no frame is found, and 0 is what some files claim.
    pub(super) size: Option<(u32, u32)>,
    /// Samples a pixel: 1 grey, 3 colour, 4 inks.
    pub(super) components: u8,
    /// Coded in several passes; all coefficients are held in memory.
    pub(super) progressive: bool,
    /// What of its frame decoders of photographs mostly do not know.
    pub(super) rare: Option<&'static str>,
    /// What turns the stored picture upright.
    pub(super) turn: Turn,
    /// Has an ICC profile.
    pub(super) profile: bool,
}

impl Markers {
    /// Walks the segments; broken ones are passed over.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut found = Self {
            size: None,
            components: 0,
            progressive: false,
            rare: None,
            turn: Turn::NONE,
            profile: false,
        };
        let mut profiles = Profiles::default();
        for (marker, body) in (Segments { bytes, at: 2 }) {
            match (marker, body) {
                (0xe1, body) => profiles.app1(body),
                (0xe2, body) => found.profile |= body.starts_with(b"ICC_PROFILE\0"),
                // Frames, but not the tables (C4, CC) and the extension (C8) that stand between them.
                (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, body) => {
                    if let [bits, h0, h1, w0, w1, components, ..] = *body {
                        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
                        found.size = Some((side(w0, w1), side(h0, h1)));
                        found.components = components;
                        found.progressive = matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
                        found.rare = match marker {
                            0xc3 | 0xc7 | 0xcb | 0xcf => Some("coded without loss"),
                            0xc5 | 0xc6 | 0xcd | 0xce => Some("coded in levels"),
                            _ => (bits != 8).then_some("with other samples than of 8 bits"),
                        };
                    }
                }
                _ => {}
            }
        }
        found.turn = profiles.turn();
        found
    }
}

/// Markers with their segments, up to the first scan or the end.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.at += self
                .bytes
                .get(self.at..)?
                .iter()
                .position(|byte| *byte == 0xff)?;
            match *self.bytes.get(self.at + 1)? {
                // A fill byte: the next one may start a marker.
                0xff => self.at += 1,
                // No marker, and markers without a segment.
                0x00 | 0x01 | 0xd0..=0xd8 => self.at += 2,
                0xd9 | 0xda => return None,
                marker => {
                    let start = self.at + 2;
                    let length = self.bytes.get(start..start + 2)?;
                    let length = usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
                    self.at = start + length;
                    let end = self.at.min(self.bytes.len());
                    return Some((marker, &self.bytes[start + 2..end]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::metadata::Orientation;

    use super::*;

    #[test]
    fn the_frame_the_orientation_and_the_profile_are_found_past_broken_segments() {
        let mut bytes = vec![0xff, 0xd8, 9, 9];
        bytes.extend([0xff, 0xe1, 0, 9]);
        bytes.extend(b"Exif\0\0?");
        let exif = [
            0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0,
        ];
        bytes.extend([0xff, 0xff, 0xe1, 0, 8 + exif.len() as u8]);
        bytes.extend(b"Exif\0\0");
        bytes.extend(exif);
        bytes.extend([0xff, 0xe2, 0, 15]);
        bytes.extend(b"ICC_PROFILE\0.");
        bytes.extend([0xff, 0xc2, 0, 8, 8, 1, 2, 3, 4, 3]);
        bytes.extend([0xff, 0xda]);
        let found = Markers::of(&bytes);
        assert_eq!(found.size, Some((3 * 256 + 4, 256 + 2)));
        assert_eq!((found.components, found.progressive), (3, true));
        assert_eq!(found.turn.orientation, Orientation::Rotate90);
        assert!(found.profile);
        for end in 0..bytes.len() {
            let _ = Markers::of(&bytes[..end]);
        }
    }
}
