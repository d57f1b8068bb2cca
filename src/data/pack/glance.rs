//! What was seen of the photographs of a pack under way, in little memory: most are plain.

use std::collections::BTreeMap;

use crate::{
    error::Result,
    record::{ImageColumns, Photograph, PhotographColumns},
};

use super::dropped::misnamed;

/// By the places of their images: 16 bytes each, and more for those with oddities, or that were dropped.
pub(super) struct Glances {
    plain: Vec<Plain>,
    others: BTreeMap<u32, Photograph>,
}

#[derive(Clone, Copy)]
struct Plain {
    width: u32,
    height: u32,
    brightness: f32,
    format: Format,
}

/// What a place has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// No photograph yet.
    Open,
    /// A plain one, of a format of [`FORMATS`].
    Plain(u8),
    /// One of the others.
    Other,
}

/// As [`Photograph::format`] has them.
const FORMATS: [&str; 7] = ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "PNM"];

impl Glances {
    /// Of so many images, of none of which anything was seen.
    pub(super) fn new(count: usize) -> Self {
        let open = Plain {
            width: 0,
            height: 0,
            brightness: 0.0,
            format: Format::Open,
        };
        Self {
            plain: vec![open; count],
            others: BTreeMap::new(),
        }
    }

    /// Of a finished pack.
    pub(super) fn of(photographs: PhotographColumns) -> Self {
        let mut glances = Self::new(photographs.len());
        for (i, photograph) in photographs.into_photographs().enumerate() {
            glances.put(i, photograph);
        }
        glances
    }

    pub(super) fn len(&self) -> usize {
        self.plain.len()
    }

    /// Whether something was seen of an image.
    pub(super) fn has(&self, i: usize) -> bool {
        self.plain[i].format != Format::Open
    }

    pub(super) fn put(&mut self, i: usize, photograph: Photograph) {
        let format = FORMATS.iter().position(|f| *f == photograph.format);
        let is_plain = photograph.odd.is_empty() && photograph.dropped.is_none();
        let format = match format.filter(|_| is_plain) {
            Some(format) => Format::Plain(format as u8),
            None => Format::Other,
        };
        self.plain[i] = Plain {
            width: photograph.width,
            height: photograph.height,
            brightness: photograph.brightness,
            format,
        };
        if format == Format::Other {
            self.others.insert(i as u32, photograph);
        }
    }

    pub(super) fn is_dropped(&self, i: usize) -> bool {
        let other = self.others.get(&(i as u32));
        other.is_some_and(|photograph| photograph.dropped.is_some())
    }

    /// What was seen of an image; of one that is still open what [`Photograph::default`] says.
    pub(super) fn get(&self, i: usize) -> Photograph {
        let plain = self.plain[i];
        let format = match plain.format {
            Format::Plain(format) => FORMATS[usize::from(format)],
            Format::Other => return self.others[&(i as u32)].clone(),
            Format::Open => "",
        };
        Photograph {
            width: plain.width,
            height: plain.height,
            format: format.to_owned(),
            brightness: plain.brightness,
            odd: Vec::new(),
            dropped: None,
        }
    }

    /// All of them as they are written, with what the names of the images say.
    pub(super) fn columns(&self, images: &ImageColumns) -> Result<PhotographColumns> {
        let mut columns = PhotographColumns::with_capacity(self.len());
        let mut paths = images.paths();
        for i in 0..self.len() {
            columns.push(&misnamed(self.get(i), paths.get(i)?));
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Unusable;

    #[test]
    fn a_plain_photograph_takes_sixteen_bytes_and_every_one_comes_back() {
        assert_eq!(size_of::<Plain>(), 16);
        let plain = Photograph {
            width: 4,
            height: 3,
            format: "PNG".to_owned(),
            brightness: 12.5,
            ..Photograph::default()
        };
        let odd = Photograph {
            odd: vec!["CMYK".to_owned()],
            ..plain.clone()
        };
        let dropped = Photograph {
            dropped: Some(Unusable::Empty),
            ..Photograph::default()
        };
        let all = [plain, odd, dropped];
        let mut glances = Glances::new(4);
        for (i, photograph) in all.iter().enumerate() {
            glances.put(i, photograph.clone());
        }
        assert_eq!(
            (0..4).map(|i| glances.has(i)).collect::<Vec<_>>(),
            [true, true, true, false]
        );
        assert_eq!((0..3).map(|i| glances.get(i)).collect::<Vec<_>>(), all);
        assert_eq!(glances.get(3), Photograph::default());
    }
}
