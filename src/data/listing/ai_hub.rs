//! What AI Hub puts beside the photographs of a class: `crop_area.properties` and `org_url.csv`.

use std::collections::{BTreeMap, HashMap};

use super::text;
use crate::{name::nfc, record::Crop};

/// Extensions that a key may carry, though those of AI Hub carry none.
const IMAGE: [&str; 8] = ["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff"];

/// What an image is called in these files: its name without folder and extension, NFC, in small letters.
pub(super) fn key_of(name: &str) -> String {
    let name = nfc(name.trim());
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = match name.rsplit_once('.') {
        Some((stem, end)) if IMAGE.contains(&end.to_ascii_lowercase().as_str()) => stem,
        _ => name,
    };
    stem.to_lowercase()
}

/// The boxes of one `crop_area.properties`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// By `key_of`; the later of two boxes of one image holds.
    pub boxes: HashMap<String, Crop>,
    /// How many lines gave no box, by what was wrong.
    pub passed_over: BTreeMap<&'static str, usize>,
}

/// Reads `crop_area.properties`: lines of `Img_000_0000=x,y,width,height`.
///
/// The rule for lines that are written otherwise: one word or nothing before the first comma (`dissimilar,w,h`, `open,w,h`,
/// `,w,h`) is left out; then the numbers up to the first thing that is none count; four or more are `x,y,w,h`, two are
/// `w,h` of a box in the upper left corner, any other count is no box. A number may be followed by words. What lies left
/// of or above the photograph is cut off; a box without width or height is none. Blank lines and comments (`#`, `!`) are
/// skipped and not counted.
#[must_use]
pub fn parse_areas(bytes: &[u8]) -> Areas {
    let mut areas = Areas::default();
    for line in text::decode_lossy(bytes).lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let found = match line.split_once('=') {
            None => Err("without `=`"),
            Some((key, _)) if key.trim().is_empty() => Err("without a name"),
            Some((key, value)) => area(value).map(|area| (key_of(key), area)),
        };
        match found {
            Ok((key, area)) => {
                areas.boxes.insert(key, area);
            }
            Err(why) => *areas.passed_over.entry(why).or_default() += 1,
        }
    }
    areas
}

fn area(value: &str) -> Result<Crop, &'static str> {
    let mut fields = value.split(',').map(str::trim).peekable();
    fields.next_if(|first| number(first).is_none());
    let numbers: Vec<i64> = fields.map_while(number).take(4).collect();
    let [x, y, width, height] = match numbers[..] {
        [x, y, w, h] => [x, y, w, h],
        [w, h] => [0, 0, w, h],
        _ => return Err("without a box"),
    };
    let side = |from: i64, length: i64| {
        let (start, end) = (from.max(0), from + length);
        let length = u32::try_from(end - start).ok().filter(|l| *l > 0)?;
        (end > start).then_some((start as u32, length))
    };
    match (side(x, width), side(y, height)) {
        (Some((x, width)), Some((y, height))) => Ok(Crop {
            x,
            y,
            width,
            height,
        }),
        _ => Err("with an empty box"),
    }
}

/// A number of pixels, whatever words follow it; one with a fraction is rounded.
fn number(field: &str) -> Option<i64> {
    let number: f64 = field.split_whitespace().next()?.parse().ok()?;
    (number.abs() < 1e9).then(|| number.round() as i64)
}

/// One line of `org_url.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// What may name the image, as by `key_of`: every other field that is not empty.
    pub names: Vec<String>,
    /// The address.
    pub url: String,
}

/// Reads `org_url.csv`, of which no description is published: in each line the first field that holds `://` is the address,
/// and the first other field that is the name of an image in the same folder, with or without extension, says whose it is.
/// Lines without an address, such as a header, are skipped. Commas and tabs separate; an address with bare commas in
/// the last column is put together again.
#[must_use]
pub fn parse_sources(bytes: &[u8]) -> Vec<SourceRow> {
    let text = text::decode_lossy(bytes);
    let first = text.lines().next().unwrap_or_default();
    let tabs = first.contains('\t') && !first.contains(',');
    let delimiter = if tabs { b'\t' } else { b',' };
    let mut rows = Vec::new();
    let mut columns = None;
    for line in text.lines() {
        // Line by line: a quote that is never closed must not swallow those behind it.
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .trim(csv::Trim::All)
            .quoting(line.matches('"').count().is_multiple_of(2))
            .delimiter(delimiter)
            .from_reader(line.as_bytes());
        let Some(Ok(record)) = reader.into_records().next() else {
            continue;
        };
        let unquoted = |field: &str| field.trim_matches('"').trim().to_owned();
        let record: Vec<String> = record.iter().map(unquoted).collect();
        let columns = *columns.get_or_insert(record.len());
        let Some(at) = record.iter().position(|field| field.contains("://")) else {
            continue;
        };
        let more = record
            .len()
            .saturating_sub(columns)
            .min(record.len() - 1 - at);
        let url: Vec<&str> = record
            .iter()
            .skip(at)
            .take(1 + more)
            .map(String::as_str)
            .collect();
        let others = record.iter().enumerate();
        let others = others.filter(|(i, field)| !(at..=at + more).contains(i) && !field.is_empty());
        rows.push(SourceRow {
            names: others.map(|(_, field)| key_of(field)).collect(),
            url: url.join(","),
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_box_follows_its_rule() {
        let text = "\
\u{feff}# made by hand
IMG_000_0000=10,20,300,200

Img_000_0001 = 1, 2 ,3,4 and more
Img_000_0002=,30,40
Img_000_0003=dissimilar,50,60
Img_000_0004=open,70,80
Img_000_0005=90,100
Img_000_0006
Img_000_0007=1,2,0,5
Img_000_0008=1,2,3
Img_000_0009=-10,-5,30,25
Img_000_0010.JPG=1.4,2.6,3,4,5,6
Img_000_0011=
=1,2,3,4
Img_000_0012=1,2,-3,4
Img_000_0013=NaN,inf,1,2
";
        let areas = parse_areas(text.as_bytes());
        let of = |n: u32| {
            let area = areas.boxes.get(&format!("img_000_{n:04}"))?;
            Some([area.x, area.y, area.width, area.height])
        };
        let found: Vec<_> = (0..=13).map(of).collect();
        assert_eq!(
            found,
            [
                Some([10, 20, 300, 200]),
                Some([1, 2, 3, 4]),
                Some([0, 0, 30, 40]),
                Some([0, 0, 50, 60]),
                Some([0, 0, 70, 80]),
                Some([0, 0, 90, 100]),
                None,
                None,
                None,
                Some([0, 0, 20, 20]),
                Some([1, 3, 3, 4]),
                None,
                None,
                None,
            ]
        );
        let counts: Vec<_> = areas.passed_over.into_iter().collect();
        assert_eq!(
            counts,
            [
                ("with an empty box", 2),
                ("without `=`", 1),
                ("without a box", 3),
                ("without a name", 1)
            ]
        );
    }

    #[test]
    fn addresses_are_found_with_and_without_a_header_and_in_any_column() {
        let named = |text: &str| -> Vec<(String, String)> {
            let rows = parse_sources(text.as_bytes()).into_iter();
            rows.map(|r| (r.names.join("|"), r.url)).collect()
        };
        let one = [("img_1".to_owned(), "http://a.kr/x?a=1,2".to_owned())];
        assert_eq!(named("file,url\nImg_1.jpg,http://a.kr/x?a=1,2\n"), one);
        assert_eq!(named("Img_1.jpg,\"http://a.kr/x?a=1,2\"\n"), one);
        assert_eq!(named("url\tname\nhttp://a.kr/x?a=1,2\tImg_1\n"), one);
        assert_eq!(named("no,address\n,\n"), []);
        let open = "Img_1.jpg,\"http://a.kr/x?a=1,2\nImg_2.jpg,http://b.kr\n";
        assert_eq!(named(open).len(), 2);
    }
}
