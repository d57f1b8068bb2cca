//! `photographs.json` of a preprocess stage: what was seen of each file while decoding.
//!
//! It is written column by column, for there may be a million files; what few of them have stands once, with the files that have it.
//! Results from before are written file by file, which is still read.

use std::{
    collections::BTreeMap,
    fmt::Display,
    iter::{self, Peekable},
    vec,
};

use serde::{Deserialize, Serialize, Serializer};

use super::Unusable;

/// One entry for each image, in the order of `images.json`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Photographs {
    /// The images.
    pub photographs: Vec<Photograph>,
}

/// What was seen of one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Photograph {
    /// Upright width in pixels before the resize; 0 where nothing could be decoded.
    pub width: u32,
    /// Upright height.
    pub height: u32,
    /// The format by content, such as `JPEG`; empty where nothing could be decoded.
    pub format: String,
    /// Mean of the row's pixels over all channels, from 0 to 255.
    pub brightness: f32,
    /// What is unusual: `turned by EXIF`, `turned by XMP`, `CMYK`, `transparent`, `animated`, `16 bit`, `palette` and `floats` of a TIFF, `has a colour profile`, `named .jpg, is WebP`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
    /// Why it was dropped (`unreadable = "drop"`); it then belongs to no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Unusable>,
}

/// The columns as they are written, filled photograph by photograph: of a million of them they take 20 MB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct PhotographColumns {
    widths: Vec<u32>,
    heights: Vec<u32>,
    brightness: Vec<f32>,
    /// Each format with the places of its files, ascending.
    formats: BTreeMap<String, Vec<u32>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    odd: BTreeMap<String, Vec<u32>>,
    /// Why files were dropped, each reason with the places of its files.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "as_pairs"
    )]
    dropped: BTreeMap<Unusable, Vec<u32>>,
}

impl PhotographColumns {
    /// None yet, and room for so many.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self {
            widths: Vec::with_capacity(count),
            heights: Vec::with_capacity(count),
            brightness: Vec::with_capacity(count),
            ..Self::default()
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.widths.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.widths.is_empty()
    }

    /// Adds the next one.
    pub fn push(&mut self, photograph: &Photograph) {
        let place = self.widths.len() as u32;
        self.widths.push(photograph.width);
        self.heights.push(photograph.height);
        self.brightness.push(photograph.brightness);
        add(&mut self.formats, &photograph.format, place);
        for odd in &photograph.odd {
            add(&mut self.odd, odd, place);
        }
        if let Some(why) = &photograph.dropped {
            self.dropped.entry(why.clone()).or_default().push(place);
        }
    }

    /// All of them, one by one.
    pub fn into_photographs(self) -> impl Iterator<Item = Photograph> {
        let [mut formats, mut odd] = [self.formats, self.odd].map(Named::new);
        let mut dropped = Named::new(self.dropped);
        let sizes = self.widths.into_iter().zip(self.heights);
        let seen = (0..).zip(sizes.zip(self.brightness));
        seen.map(move |(i, ((width, height), brightness))| Photograph {
            width,
            height,
            format: formats.of(i).last().cloned().unwrap_or_default(),
            brightness,
            odd: odd.of(i).cloned().collect(),
            dropped: dropped.of(i).last().cloned(),
        })
    }

    /// Those that were dropped, and why, in the order of the images.
    #[must_use]
    pub fn dropped(&self) -> Vec<(usize, &Unusable)> {
        let all = self.dropped.iter();
        let all = all.flat_map(|(why, places)| places.iter().map(move |i| (*i as usize, why)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(i, _)| *i);
        all
    }
}

/// Adds a place to those of a name; a name is copied once.
fn add(named: &mut BTreeMap<String, Vec<u32>>, name: &str, place: u32) {
    match named.get_mut(name) {
        Some(places) => places.push(place),
        None => {
            named.insert(name.to_owned(), vec![place]);
        }
    }
}

fn as_pairs<S: Serializer>(
    dropped: &BTreeMap<Unusable, Vec<u32>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(dropped)
}

/// Everything that was ever written.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    widths: Vec<u32>,
    #[serde(default)]
    heights: Vec<u32>,
    #[serde(default)]
    brightness: Vec<f32>,
    #[serde(default)]
    formats: BTreeMap<String, Vec<u32>>,
    #[serde(default)]
    odd: BTreeMap<String, Vec<u32>>,
    #[serde(default)]
    dropped: Reasons,
    /// File by file.
    photographs: Option<Vec<OneByOne>>,
}

/// Reasons, and as they were written before there were codes for them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reasons {
    Coded(Vec<(Unusable, Vec<u32>)>),
    Told(BTreeMap<String, Vec<u32>>),
}

impl Default for Reasons {
    fn default() -> Self {
        Self::Coded(Vec::new())
    }
}

impl Reasons {
    fn all(self) -> Vec<(Unusable, Vec<u32>)> {
        match self {
            Self::Coded(coded) => coded,
            Self::Told(told) => {
                let coded = told.into_iter();
                coded
                    .map(|(why, places)| (Unusable::Told(why), places))
                    .collect()
            }
        }
    }
}

/// A file of a list from before the columns.
#[derive(Deserialize)]
struct OneByOne {
    width: u32,
    height: u32,
    format: String,
    brightness: f32,
    #[serde(default)]
    odd: Vec<String>,
    #[serde(default)]
    dropped: Option<String>,
}

impl Serialize for Photographs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns = PhotographColumns::default();
        for photograph in &self.photographs {
            columns.push(photograph);
        }
        columns.serialize(serializer)
    }
}

impl TryFrom<Written> for Photographs {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let columns = PhotographColumns::try_from(written)?;
        Ok(Self {
            photographs: columns.into_photographs().collect(),
        })
    }
}

impl TryFrom<Written> for PhotographColumns {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if let Some(photographs) = written.photographs {
            let mut columns = Self::default();
            for photograph in photographs {
                columns.push(&photograph.into());
            }
            return Ok(columns);
        }
        let n = written.widths.len();
        if [written.heights.len(), written.brightness.len()] != [n, n] {
            return Err("its columns are not of one length".to_owned());
        }
        let mut dropped: BTreeMap<Unusable, Vec<u32>> = BTreeMap::new();
        for (why, places) in written.dropped.all() {
            dropped.entry(why).or_default().extend(places);
        }
        let mut columns = Self {
            widths: written.widths,
            heights: written.heights,
            brightness: written.brightness,
            formats: written.formats,
            odd: written.odd,
            dropped,
        };
        for named in [&mut columns.formats, &mut columns.odd] {
            in_order(named, n)?;
        }
        in_order(&mut columns.dropped, n)?;
        Ok(columns)
    }
}

impl From<OneByOne> for Photograph {
    fn from(one: OneByOne) -> Self {
        Self {
            width: one.width,
            height: one.height,
            format: one.format,
            brightness: one.brightness,
            odd: one.odd,
            dropped: one.dropped.map(Unusable::Told),
        }
    }
}

/// Brings the places of each name into order; all of them must be there.
fn in_order<T: Display>(named: &mut BTreeMap<T, Vec<u32>>, count: usize) -> Result<(), String> {
    for (what, places) in named {
        places.sort_unstable();
        if let Some(last) = places.last().filter(|last| **last as usize >= count) {
            return Err(format!("there is no file {last} for `{what}`"));
        }
    }
    Ok(())
}

/// Names with the places that are still to come, in their order.
struct Named<T> {
    names: Vec<T>,
    /// A place, and the number of the name that it has.
    places: Peekable<vec::IntoIter<(u32, u32)>>,
}

impl<T> Named<T> {
    fn new(named: BTreeMap<T, Vec<u32>>) -> Self {
        let mut names = Vec::with_capacity(named.len());
        let mut of_all = Vec::with_capacity(named.values().map(Vec::len).sum());
        for (number, (name, places)) in (0..).zip(named) {
            of_all.extend(places.into_iter().map(|place| (place, number)));
            names.push(name);
        }
        of_all.sort_unstable();
        of_all.dedup();
        Self {
            names,
            places: of_all.into_iter().peekable(),
        }
    }

    /// What a place has; each is asked for once, in order.
    fn of(&mut self, place: u32) -> impl Iterator<Item = &T> {
        let (names, places) = (&self.names, &mut self.places);
        iter::from_fn(move || {
            let (_, number) = places.next_if(|(of, _)| *of == place)?;
            names.get(number as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Photographs {
        let seen = |format: &str, odd: &[&str]| Photograph {
            width: 4,
            height: 3,
            format: format.to_owned(),
            brightness: 12.5,
            odd: odd.iter().map(|o| (*o).to_owned()).collect(),
            dropped: None,
        };
        let dropped = Photograph {
            dropped: Some(Unusable::Empty),
            ..Photograph::default()
        };
        Photographs {
            photographs: vec![
                seen("JPEG", &["CMYK", "turned by EXIF"]),
                dropped,
                seen("PNG", &[]),
            ],
        }
    }

    #[test]
    fn photographs_survive_their_columns() {
        let json = serde_json::to_value(some()).unwrap();
        assert_eq!(json["dropped"], serde_json::json!([["empty", [1]]]));
        assert_eq!(serde_json::from_value::<Photographs>(json).unwrap(), some());
    }

    #[test]
    fn what_was_written_file_by_file_is_read() {
        let mut json = serde_json::json!({ "photographs": some().photographs });
        json["photographs"][1]["dropped"] = "an empty file".into();
        let read = serde_json::from_value::<Photographs>(json).unwrap();
        let told = Unusable::Told("an empty file".to_owned());
        assert_eq!(read.photographs[1].dropped, Some(told));
        assert_eq!(read.photographs[0], some().photographs[0]);
    }

    #[test]
    fn reasons_in_words_from_before_the_codes_are_read() {
        let mut json = serde_json::to_value(some()).unwrap();
        json["dropped"] = serde_json::json!({ "an empty file": [1] });
        let read = serde_json::from_value::<Photographs>(json).unwrap();
        let why = read.photographs[1].dropped.as_ref();
        assert_eq!(why.unwrap().to_string(), "an empty file");
    }

    #[test]
    fn columns_that_do_not_belong_together_are_refused() {
        for (column, value) in [
            ("heights", serde_json::json!([3])),
            ("odd", serde_json::json!({ "CMYK": [7] })),
        ] {
            let mut json = serde_json::to_value(some()).unwrap();
            json[column] = value;
            assert!(
                serde_json::from_value::<Photographs>(json).is_err(),
                "{column}"
            );
        }
    }
}
