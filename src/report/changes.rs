//! What lies between two recipes beside their figures: settings, classes, and the images that changed sides.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Block, Column, Grid, Group, Photograph, Results, Shot, Text,
    judged::{Judged, judged},
    percent,
    results::is_repetition,
    units::points,
};
use crate::{
    record::Part,
    text::{count, number, plural, shown},
};

/// Pairs of recipes that are told of.
const PAIRS: usize = 10;
/// Photographs of either direction.
const SHOWN: usize = 12;
/// Classes that are listed.
const CLASSES: usize = 15;

/// What changed from one recipe to another, on the same images of a part.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The recipe that stands first in the files.
    pub from: String,
    /// The other.
    pub to: String,
    /// On which part.
    pub part: Part,
    /// Settings that differ: name, value before and after; none where a side has no such setting.
    pub settings: Vec<(String, Option<String>, Option<String>)>,
    /// Whether all settings of both are known; where they are not, those that only one side tells are not named.
    pub all_settings: bool,
    /// Class, images, recall before and after.
    pub classes: Vec<(String, u64, f64, f64)>,
    /// Images that most runs of the second have right and not most of the first, the surest first.
    pub gained: Vec<Moved>,
    /// Images that most runs of the first have right and not most of the second.
    pub lost: Vec<Moved>,
}

/// One image that changed sides.
#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    /// Its path.
    pub path: String,
    /// Its class.
    pub label: String,
    /// What the side that has it wrong takes it for.
    pub mistaken: String,
    #[serde(skip)]
    photograph: Photograph,
}

/// Every pair of recipes on the same images that is `asked` for by its names, on the best known part of both, in the order of the
/// files; at most ten pairs.
#[must_use]
pub fn changes(results: &Results, asked: impl Fn(&str, &str) -> bool) -> Vec<Change> {
    let groups = results.groups();
    let mut found = Vec::new();
    for (i, from) in groups.iter().enumerate() {
        let others = groups[i + 1..].iter();
        let others = others.filter(|to| asked(&from.name, &to.name));
        found.extend(others.filter_map(|to| change(from, to)));
    }
    found
}

/// What changed from recipe to recipe, of the first pairs.
#[must_use]
pub fn change_blocks(changes: &[Change], pictures: bool) -> Vec<Block> {
    let told = changes.iter().take(PAIRS);
    let mut blocks: Vec<Block> = told.flat_map(|change| change.blocks(pictures)).collect();
    if let Some(more @ 1..) = changes.len().checked_sub(PAIRS) {
        let pairs = count(more, "more pair");
        let told = format!("What changed between {pairs} of recipes is told with `--json`.");
        blocks.push(Block::paragraph(told));
    }
    blocks
}

fn change(from: &Group<'_>, to: &Group<'_>) -> Option<Change> {
    let part = [Part::Test, Part::Validation].into_iter().find(|part| {
        let runs = [from.part(*part), to.part(*part)];
        let mut members = runs.iter().flatten().map(|p| p.members);
        let first = members.next();
        runs.iter().all(|runs| !runs.is_empty()) && members.all(|m| Some(m) == first)
    })?;
    let (before, after) = (by_path(from, part), by_path(to, part));
    if before.is_empty() || before.len() != after.len() {
        return None;
    }
    let mut change = Change {
        from: from.name.clone(),
        to: to.name.clone(),
        part,
        settings: settings(from, to),
        all_settings: all_settings(from, to),
        classes: classes(&before, &after),
        gained: Vec::new(),
        lost: Vec::new(),
    };
    let mut moved: Vec<(f64, bool, Moved)> = Vec::new();
    for (path, a) in &before {
        let Some(b) = after.get(path) else { continue };
        if a.is_right() == b.is_right() {
            continue;
        }
        let (wrong, right) = if b.is_right() { (a, b) } else { (b, a) };
        let image = Moved {
            path: (*path).to_owned(),
            label: right.label.to_owned(),
            mistaken: (wrong.mistake()).map_or_else(String::new, |guess| guess.class.to_owned()),
            photograph: from.runs[0].source.photograph(path),
        };
        moved.push((wrong.sure + right.sure, b.is_right(), image));
    }
    moved.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.path.cmp(&b.2.path)));
    for (_, gained, image) in moved {
        match gained {
            true => change.gained.push(image),
            false => change.lost.push(image),
        }
    }
    Some(change)
}

fn by_path<'a>(group: &Group<'a>, part: Part) -> BTreeMap<&'a str, Judged<'a>> {
    let images = judged(group, part).into_iter();
    images.map(|image| (image.path, image)).collect()
}

/// Whether all settings of both are known.
fn all_settings(from: &Group<'_>, to: &Group<'_>) -> bool {
    [from, to].iter().all(|side| side.runs[0].all_settings)
}

/// Those that differ, seeds and folds aside.
fn settings(from: &Group<'_>, to: &Group<'_>) -> Vec<(String, Option<String>, Option<String>)> {
    let (before, after) = (with_varied(from), with_varied(to));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let known = |name: &String| {
        all_settings(from, to) || (before.contains_key(name) && after.contains_key(name))
    };
    let differs = |name: &&String| {
        !is_repetition(name) && known(name) && before.get(*name) != after.get(*name)
    };
    let told = |name: &String| {
        (
            name.clone(),
            before.get(name).cloned(),
            after.get(name).cloned(),
        )
    };
    names.into_iter().filter(differs).map(told).collect()
}

/// Also what varies and is no setting of a stage, such as which state of a model is judged.
fn with_varied(group: &Group<'_>) -> BTreeMap<String, String> {
    let mut settings = group.runs[0].settings.clone();
    for (name, value) in group.settings() {
        let end = format!(".{name}");
        if !settings.keys().any(|known| known.ends_with(&end)) {
            settings.insert(name.to_owned(), value.to_owned());
        }
    }
    settings
}

/// Recall class by class over all runs, the largest change first.
fn classes(
    before: &BTreeMap<&str, Judged<'_>>,
    after: &BTreeMap<&str, Judged<'_>>,
) -> Vec<(String, u64, f64, f64)> {
    let recalls = |of: &BTreeMap<&str, Judged<'_>>| {
        let mut found: BTreeMap<String, (u64, f64)> = BTreeMap::new();
        for image in of.values() {
            let (images, right) = found.entry(image.label.to_owned()).or_default();
            *images += 1;
            *right += image.right() as f64 / image.runs as f64;
        }
        found
    };
    let after = recalls(after);
    let row = |(class, (images, right)): (String, (u64, f64))| {
        let (others, other) = after.get(&class).copied().unwrap_or_default();
        let recall = |right: f64, images: u64| right / images.max(1) as f64;
        (class, images, recall(right, images), recall(other, others))
    };
    let mut rows: Vec<_> = recalls(before).into_iter().map(row).collect();
    rows.sort_by(|a, b| (b.3 - b.2).abs().total_cmp(&(a.3 - a.2).abs()));
    rows
}

impl Change {
    /// As a chapter, with photographs where there is room for them.
    #[must_use]
    pub fn blocks(&self, pictures: bool) -> Vec<Block> {
        let title = format!("`{}` to `{}` on {}", self.from, self.to, self.part.name());
        let mut blocks = vec![
            Block::heading(2, title),
            Block::heading(3, "Settings that differ"),
        ];
        match self.settings.as_slice() {
            [] if self.all_settings => blocks.push(Block::paragraph("None but seeds or folds.")),
            [] => {}
            settings => blocks.push(Block::table(settings_grid(settings))),
        }
        if !self.all_settings {
            blocks.push(Block::paragraph(
                "Not all that they were made from is in the cache any more: other settings may differ too.",
            ));
        }
        blocks.push(Block::heading(3, "Images that changed sides"));
        blocks.push(Block::paragraph(format!(
            "{} right in most runs now and were not; {} no longer.",
            are(self.gained.len()),
            are(self.lost.len()),
        )));
        for (title, moved) in [("Right now", &self.gained), ("No longer right", &self.lost)] {
            if pictures && !moved.is_empty() {
                let few = match moved.len() {
                    n if n > SHOWN => format!("{title}: {SHOWN} of {}", number(n as u64)),
                    _ => title.to_owned(),
                };
                blocks.push(Block::heading(4, few));
                blocks.push(Block::Gallery(
                    moved.iter().take(SHOWN).map(Moved::shot).collect(),
                ));
            }
        }
        blocks.push(Block::heading(3, "Classes"));
        blocks.push(Block::table(self.classes_grid()));
        if let Some(more @ 1..) = self.classes.len().checked_sub(CLASSES) {
            let classes = count(more, "more class");
            blocks.push(Block::paragraph(format!("{classes} changed less.")));
        }
        blocks
    }

    fn classes_grid(&self) -> Grid {
        let mut grid = Grid::of([
            Column::left("class"),
            Column::right("images"),
            Column::right("recall before").meaning("mean over runs"),
            Column::right("after").meaning("mean over runs"),
            Column::right("change").meaning("in percentage points"),
        ]);
        for (class, images, before, after) in self.classes.iter().take(CLASSES) {
            grid.rows.push(vec![
                class.clone(),
                number(*images),
                percent(*before),
                percent(*after),
                points(after - before),
            ]);
        }
        grid
    }
}

fn are(n: usize) -> String {
    format!("{} {}", count(n, "image"), plural(n, "is"))
}

fn settings_grid(settings: &[(String, Option<String>, Option<String>)]) -> Grid {
    let mut grid = Grid::of([
        Column::left("setting"),
        Column::left("before"),
        Column::left("after"),
    ]);
    let told = |value: &Option<String>| {
        value
            .as_ref()
            .map_or("-".to_owned(), |v| format!("`{}`", shown(v)))
    };
    for (name, before, after) in settings {
        grid.rows.push(vec![
            format!("`{}`", shown(name)),
            told(before),
            told(after),
        ]);
    }
    grid
}

impl Moved {
    fn shot(&self) -> Shot {
        Shot {
            photograph: self.photograph.clone(),
            caption: vec![
                Text::line(&self.label),
                Text::line(&format!("not {}", self.mistaken)),
            ],
            beside: None,
            guess: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        Document,
        sample::{evaluated, results, rights},
    };

    #[test]
    fn what_changed_between_two_recipes_is_told() {
        let mut before = evaluated("before", &[], &rights(60, 90));
        let mut after = evaluated(
            "after",
            &[],
            &[rights(0, 10), rights(70, 70), rights(0, 10)].concat(),
        );
        let lr = |value: &str| ("train.lr".to_owned(), value.to_owned());
        before.settings = [lr("0.01"), ("train.seed".to_owned(), "1".to_owned())].into();
        after.settings = [lr("0.001"), ("train.seed".to_owned(), "2".to_owned())].into();
        let found = changes(&results(vec![before, after]), |_, _| true);
        let [change] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(
            change.settings,
            [(
                "train.lr".to_owned(),
                Some("0.01".to_owned()),
                Some("0.001".to_owned())
            )]
        );
        assert_eq!((change.gained.len(), change.lost.len()), (20, 10));
        assert_eq!(change.lost[0].path, "test/0000.jpg");
        let text = Document::new(change.blocks(false)).markdown();
        assert!(
            text.contains(
                "20 images are right in most runs now and were not; 10 images are no longer."
            ),
            "{text}"
        );
        assert!(text.contains("| `train.lr` | `0.01` | `0.001` |"), "{text}");
    }

    #[test]
    fn where_not_all_settings_are_known_none_is_said_to_be_gone_or_the_same() {
        let mut before = evaluated("before", &[], &rights(60, 90));
        let mut after = evaluated("after", &[], &rights(50, 90));
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        before.settings = [setting("train.lr", "0.01"), setting("split.k", "5")].into();
        after.settings = [setting("split.k", "4")].into();
        after.all_settings = false;
        let found = changes(&results(vec![before.clone(), after.clone()]), |_, _| true);
        let k = (
            "split.k".to_owned(),
            Some("5".to_owned()),
            Some("4".to_owned()),
        );
        assert_eq!(found[0].settings, [k]);
        after.settings.clear();
        let found = changes(&results(vec![before, after]), |_, _| true);
        let text = Document::new(found[0].blocks(false)).markdown();
        assert!(
            text.contains("other settings may differ too") && !text.contains("None but seeds"),
            "{text}"
        );
    }
}
