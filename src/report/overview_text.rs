//! An [`Overview`] for a terminal.

use std::collections::BTreeMap;

use super::{Align, Class, Grid, Overview, bytes, overview::Leaks, percent};
use crate::{
    record::Likeness,
    settings::MeanStd,
    text::{count, either, first_few, number, plural, shown},
};

/// Lists of names are cut off after so many.
const SHOWN: usize = 10;

/// A column of the table of classes.
type Column = (&'static str, fn(&Class) -> u64);

impl Overview {
    /// For a terminal.
    #[must_use]
    pub fn text(&self, width: Option<u16>) -> String {
        let total = |part: fn(&Class) -> u64| self.classes.iter().map(part).sum::<u64>();
        let mut text = format!(
            "{} ({}): {} in {}{}, {}\n",
            self.data,
            self.dataset,
            count(total(|c| c.train + c.validation + c.test), "image"),
            count(self.classes.len(), "class"),
            match self.dropped.len() {
                0 => String::new(),
                n => format!(" ({} of them dropped)", number(n as u64)),
            },
            bytes(self.bytes)
        );
        let test = total(|c| c.test);
        let all: [Column; 3] = [
            ("train", |c| c.train),
            ("validation", |c| c.validation),
            ("test", |c| c.test),
        ];
        let columns = all
            .into_iter()
            .filter(|(name, of)| *name != "validation" || total(*of) > 0);
        let columns: Vec<Column> = columns.collect();
        let mut head = vec![("no.", Align::Right), ("class", Align::Left)];
        head.extend(columns.iter().map(|(name, _)| (*name, Align::Right)));
        let mut grid = Grid::new(&head);
        for (i, class) in self.classes.iter().enumerate() {
            let mut row = vec![i.to_string(), class.name.clone()];
            row.extend(columns.iter().map(|(_, of)| number(of(class))));
            grid.rows.push(row);
        }
        let mut row = vec![String::new(), "all".to_owned()];
        row.extend(columns.iter().map(|(_, of)| number(total(*of))));
        grid.rows.push(row);
        text.push_str(&grid.text(width));
        text.push('\n');
        if let Some(imbalance) = self.imbalance {
            text.push_str(&format!(
                "imbalance: the largest class has {imbalance:.1} times the training images of the smallest\n"
            ));
        }
        let MeanStd { mean, std } = self.mean_std;
        text.push_str(&format!(
            "pixels of the training part: mean {} std {} (red, green, blue)\n",
            triple(mean),
            triple(std)
        ));
        let formats = self.formats.iter();
        let formats: Vec<_> = formats
            .map(|(f, n)| format!("{f} {}", number(*n)))
            .collect();
        text.push_str(&format!("formats: {}\n", formats.join(", ")));
        text.push_str(&histogram(
            "shorter side in pixels",
            self.short_sides
                .iter()
                .map(|(from, below, n)| (format!("{from} to {}", below - 1), *n)),
        ));
        text.push_str(&histogram(
            "brightness (0 black, 255 white)",
            (0_u32..8).map(|i| {
                (
                    format!("{} to {}", 32 * i, 32 * i + 31),
                    self.brightness[i as usize],
                )
            }),
        ));
        for (what, (n, first)) in &self.odd {
            text.push_str(&format!(
                "odd: {what}: {} (`{}`)\n",
                number(*n),
                shown(first)
            ));
        }
        let warnings = self.looked.warnings.iter();
        for line in warnings
            .map(|w| format!("warning: {w}"))
            .chain(self.looked.lines())
        {
            text.push_str(&format!("{line}\n"));
        }
        if !self.dropped.is_empty() {
            text.push_str(&format!("dropped: {}\n", number(self.dropped.len() as u64)));
            for (path, why) in self.dropped.iter().take(SHOWN) {
                text.push_str(&format!("  `{}`: {why}\n", shown(path)));
            }
            text.push_str(&more(self.dropped.len()));
        }
        text.push_str(&self.leaks.text(test));
        text
    }
}

impl Leaks {
    fn text(&self, test: u64) -> String {
        if self.pairs.is_empty() {
            return "look-alikes: none\n".to_owned();
        }
        let counts = |pairs: &BTreeMap<Likeness, u64>| {
            let word = |likeness: &Likeness| match likeness {
                Likeness::Bytes => "equal bytes",
                Likeness::Pixels => "equal pixels",
                Likeness::Near => "near",
            };
            let counts: Vec<_> = pairs
                .iter()
                .map(|(l, n)| format!("{} {}", number(*n), word(l)))
                .collect();
            if counts.is_empty() {
                "none".to_owned()
            } else {
                counts.join(", ")
            }
        };
        let mut text = format!(
            "look-alikes, pairs across parts: {}; inside a part: {}\n",
            counts(&self.across),
            counts(&self.inside)
        );
        if self.leaked_test_images > 0 {
            let way_out = match self.left_out_by.as_slice() {
                [] => "`leaks = \"group\"` in the split leaves the copies out".to_owned(),
                splits => {
                    let names = splits.iter().map(String::as_str);
                    let leave = either(splits.len(), "leaves", "leave");
                    format!("{} {leave} the copies out", first_few(names, 3))
                }
            };
            text.push_str(&format!(
                "leaked: {} of {} ({}) {} a copy in the training part; {way_out}\n",
                number(self.leaked_test_images),
                count(test, "test image"),
                percent(self.leaked_test_images as f64 / test.max(1) as f64),
                either(self.leaked_test_images, "has", "have"),
            ));
        }
        if self.conflicts > 0 {
            text.push_str(&format!(
                "label conflicts: {} {} the same picture in two classes\n",
                count(self.conflicts, "pair"),
                plural(self.conflicts, "is")
            ));
        }
        for pair in self.pairs.iter().take(SHOWN) {
            let conflict = if pair.conflict { ", two classes" } else { "" };
            text.push_str(&format!(
                "  `{}` = `{}` ({}{conflict})\n",
                shown(&pair.first),
                shown(&pair.second),
                match pair.likeness {
                    Likeness::Bytes => "equal bytes".to_owned(),
                    Likeness::Pixels => "equal pixels".to_owned(),
                    Likeness::Near => format!("near, {:.2}", pair.correlation),
                }
            ));
        }
        text.push_str(&more(self.pairs.len()));
        text
    }
}

fn more(all: usize) -> String {
    match all.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("  … and {} more (`--json` has all)\n", number(more as u64)),
    }
}

fn triple(values: [f64; 3]) -> String {
    format!("{:.4} {:.4} {:.4}", values[0], values[1], values[2])
}

/// Bars of at most 40 cells; empty steps at both ends are left out.
fn histogram(title: &str, steps: impl Iterator<Item = (String, u64)>) -> String {
    let steps: Vec<_> = steps.collect();
    let first = steps.iter().position(|(_, n)| *n > 0).unwrap_or(0);
    let last = steps.iter().rposition(|(_, n)| *n > 0).unwrap_or(0);
    let most = steps.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let shown = steps.get(first..=last).unwrap_or_default();
    let width = shown.iter().map(|(step, _)| step.len()).max().unwrap_or(0);
    let mut text = format!("{title}:\n");
    for (step, n) in shown {
        let bar = "█".repeat((40 * n).div_ceil(most) as usize);
        let line = format!("  {step:>width$}  {bar} {}", number(*n));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
