//! An [`Overview`] as a document.

use std::collections::BTreeMap;

use super::{
    Block, Class, Column, Document, Grid, Overview, bytes,
    overview::{LeakPair, Leaks},
    percent,
};
use crate::{
    record::Likeness,
    settings::MeanStd,
    text::{count, either, first_few, number, plural, shown},
};

/// Lists of names are cut off after so many.
const SHOWN: usize = 10;
/// Where the rest of a list is.
const REST: &str = " (`--json` has all)";

/// A column of the table of classes.
type Counted = (&'static str, fn(&Class) -> u64);

impl Overview {
    /// What there is to tell of it.
    #[must_use]
    pub fn document(&self) -> Document {
        let mut blocks = vec![
            Block::paragraph(self.summary()),
            Block::table(self.classes()),
        ];
        if let Some(imbalance) = self.imbalance {
            blocks.push(Block::paragraph(format!(
                "imbalance: the largest class has {imbalance:.1} times the training images of the smallest"
            )));
        }
        blocks.extend(self.pixels());
        for (what, (n, first)) in &self.odd {
            let line = format!("odd: {what}: {} (`{}`)", number(*n), shown(first));
            blocks.push(Block::paragraph(line));
        }
        blocks.extend(
            self.looked
                .warnings
                .iter()
                .map(|w| Block::warning(w.as_str())),
        );
        blocks.extend(self.looked.lines().into_iter().map(Block::paragraph));
        if !self.dropped.is_empty() {
            let n = number(self.dropped.len() as u64);
            blocks.push(Block::paragraph(format!("dropped: {n}")));
            let file = |(path, why): &(String, String)| format!("`{}`: {why}", shown(path));
            blocks.push(Block::first_of(self.dropped.iter().map(file), SHOWN, REST));
        }
        blocks.extend(self.leaks.blocks(self.total(|c| c.test)));
        Document::new(blocks)
    }

    fn total(&self, part: fn(&Class) -> u64) -> u64 {
        self.classes.iter().map(part).sum()
    }

    fn summary(&self) -> String {
        format!(
            "{} ({}): {} in {}{}{}, {}",
            self.data,
            self.dataset,
            count(self.total(|c| c.train + c.validation + c.test), "image"),
            count(self.classes.len(), "class"),
            match self.dropped.len() {
                0 => String::new(),
                n => format!(" ({} of them dropped)", number(n as u64)),
            },
            match self.left_out {
                0 => String::new(),
                n => format!(", {} more left out", number(n as u64)),
            },
            bytes(self.bytes)
        )
    }

    /// Images by class and part.
    fn classes(&self) -> Grid {
        let all: [Counted; 3] = [
            ("train", |c| c.train),
            ("validation", |c| c.validation),
            ("test", |c| c.test),
        ];
        let mut parts = all.to_vec();
        parts.retain(|(name, of)| *name != "validation" || self.total(*of) > 0);
        let head = [Column::right("no."), Column::left("class")];
        let images = |(name, _): &Counted| Column::right(*name).meaning("images of this part");
        let mut grid = Grid::of(head.into_iter().chain(parts.iter().map(images)));
        for (i, class) in self.classes.iter().enumerate() {
            let mut row = vec![i.to_string(), class.name.clone()];
            row.extend(parts.iter().map(|(_, of)| number(of(class))));
            grid.rows.push(row);
        }
        let mut row = vec![String::new(), "all".to_owned()];
        row.extend(parts.iter().map(|(_, of)| number(self.total(*of))));
        grid.rows.push(row);
        grid
    }

    /// Channels, formats, sizes and brightness.
    fn pixels(&self) -> [Block; 4] {
        let MeanStd { mean, std } = self.mean_std;
        let format = |(format, n): (&String, &u64)| format!("{format} {}", number(*n));
        let formats: Vec<_> = self.formats.iter().map(format).collect();
        let side = |(from, below, n): &(u32, u32, u64)| (format!("{from} to {}", below - 1), *n);
        let brightness = |(i, n): (usize, &u64)| (format!("{} to {}", 32 * i, 32 * i + 31), *n);
        [
            Block::paragraph(format!(
                "pixels of the training part: mean {} std {} (red, green, blue){}",
                triple(mean),
                triple(std),
                match self.pixels_of {
                    Some(n) => format!(", of {}", count(n, "image")),
                    None => String::new(),
                }
            )),
            Block::paragraph(format!("formats: {}", formats.join(", "))),
            Block::Bars {
                title: "shorter side in pixels".into(),
                bars: self.short_sides.iter().map(side).collect(),
            },
            Block::Bars {
                title: "brightness (0 black, 255 white)".into(),
                bars: self.brightness.iter().enumerate().map(brightness).collect(),
            },
        ]
    }
}

impl Leaks {
    fn blocks(&self, test: u64) -> Vec<Block> {
        if self.pairs.is_empty() {
            return vec![Block::paragraph("look-alikes: no equal or near files")];
        }
        let mut blocks = vec![Block::paragraph(format!(
            "look-alikes, pairs across parts: {}; inside a part: {}",
            by_likeness(&self.across),
            by_likeness(&self.inside)
        ))];
        if self.leaked_test_images > 0 {
            blocks.push(Block::paragraph(format!(
                "leaked: {} of {} ({}) {} a copy in the training part; {}",
                number(self.leaked_test_images),
                count(test, "test image"),
                percent(self.leaked_test_images as f64 / test.max(1) as f64),
                plural(self.leaked_test_images, "has"),
                self.way_out()
            )));
        }
        if self.conflicts > 0 {
            blocks.push(Block::paragraph(format!(
                "label conflicts: {} {} the same picture in two classes",
                count(self.conflicts, "pair"),
                plural(self.conflicts, "is")
            )));
        }
        blocks.push(Block::first_of(self.pairs.iter().map(pair), SHOWN, REST));
        blocks
    }

    /// What leaves the copies out.
    fn way_out(&self) -> String {
        match self.left_out_by.as_slice() {
            [] => "`leaks = \"group\"` in the split leaves the copies out".to_owned(),
            splits => {
                let names = splits.iter().map(String::as_str);
                let leave = either(splits.len(), "leaves", "leave");
                format!("{} {leave} the copies out", first_few(names, 3))
            }
        }
    }
}

fn by_likeness(pairs: &BTreeMap<Likeness, u64>) -> String {
    let word = |likeness: &Likeness| match likeness {
        Likeness::Bytes => "equal bytes",
        Likeness::Pixels => "equal pixels",
        Likeness::Near => "near",
    };
    let counts: Vec<_> = pairs
        .iter()
        .map(|(likeness, n)| format!("{} {}", number(*n), word(likeness)))
        .collect();
    match counts.as_slice() {
        [] => "none".to_owned(),
        counts => counts.join(", "),
    }
}

fn pair(pair: &LeakPair) -> String {
    let (first, second) = (shown(&pair.first), shown(&pair.second));
    format!("`{first}` = `{second}` ({})", pair.in_words())
}

impl LeakPair {
    /// How far both are the same, and whether their classes differ: "near, 0.97, two classes".
    pub(super) fn in_words(&self) -> String {
        let how = match self.likeness {
            Likeness::Bytes => "equal bytes".to_owned(),
            Likeness::Pixels => "equal pixels".to_owned(),
            Likeness::Near => format!("near, {:.2}", self.correlation),
        };
        match self.conflict {
            true => format!("{how}, two classes"),
            false => how,
        }
    }
}

fn triple(values: [f64; 3]) -> String {
    format!("{:.4} {:.4} {:.4}", values[0], values[1], values[2])
}
