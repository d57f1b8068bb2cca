//! On which images a recipe is worse than on the others.

use std::collections::{BTreeMap, BTreeSet};

use super::drift::{FEATURES, Feature};
use crate::{
    record::Part,
    report::{
        Block, Column, DataSeen, Grid, Group, ImageLook,
        best::best,
        judged::{Judged, judged},
        pooled,
        units::{fixed, share_between},
    },
    stats::{self, Hits},
    text::{count, number, shown},
};

/// Below this many images a slice says little.
const SLICE: usize = 10;

/// An image as it looks and as the runs judge it.
type Looked<'a> = (&'a ImageLook, &'a Judged<'a>);

/// How good the best recipe is on the low, middle and high third of each feature, on the largest part that it was not trained on.
pub(super) fn slices(seen: &DataSeen, groups: &[Group<'_>]) -> Vec<Block> {
    let of_data = groups.iter().filter(|g| g.runs[0].source == seen.source);
    let Some((group, _)) = best(of_data) else {
        return not_told(
            None,
            "no recipe is judged on images that it was not trained on.",
        );
    };
    let unseen = [Part::Validation, Part::Test].map(|part| (part, judged(group, part)));
    let [validation, test] = unseen;
    let (part, judged) = match validation.1.len() > test.1.len() {
        true => validation,
        false => test,
    };
    let look = |image| -> Option<Looked<'_>> {
        let image: &Judged<'_> = image;
        Some((seen.looks.get(image.path)?, image))
    };
    let looked: Vec<Looked<'_>> = judged.iter().filter_map(look).collect();
    let grid = slice_grid(&looked);
    if grid.rows.is_empty() {
        let of = format!("{} of {}", count(looked.len(), "image"), part.name());
        return not_told(
            Some(group),
            &format!("thirds of the {of} by one of their properties have fewer than {SLICE} each."),
        );
    }
    vec![
        Block::heading(
            3,
            format!("Where `{}` is weak on {}", group.name, part.name()),
        ),
        Block::paragraph(
            "Each third of the images by one of their properties, for the recipe that is best on validation; top-1 is the mean of its runs. Among so many slices one is marked by chance now and then.",
        ),
        Block::table(grid),
    ]
}

/// Why slices are not told.
fn not_told(group: Option<&Group<'_>>, why: &str) -> Vec<Block> {
    let title = match group {
        Some(group) => format!("Where `{}` is weak", group.name),
        None => "Where a recipe is weak".to_owned(),
    };
    vec![
        Block::heading(3, title),
        Block::paragraph(format!("No slices are told: {why}")),
    ]
}

fn slice_grid(looked: &[Looked<'_>]) -> Grid {
    let mut grid = Grid::of([
        Column::left("slice"),
        Column::right("images"),
        Column::right("top-1 (95% interval)").meaning("over images and runs"),
        Column::left("against the rest"),
    ]);
    for feature in FEATURES {
        for (name, slice) in thirds(feature, looked) {
            let within: BTreeSet<&str> = slice.iter().map(|(_, image)| image.path).collect();
            let is_rest = |(_, image): &&Looked<'_>| !within.contains(image.path);
            let rest = hits(looked.iter().filter(is_rest));
            let here = hits(slice.iter());
            let share = pooled::mean(here.iter().map(|(right, of)| *right as f64 / *of as f64));
            // Folds may leave a run without an image of a small slice.
            let worse = rest.len() == here.len() && stats::gap_over_runs(&rest, &here).low > 0.0;
            let told = if worse {
                "worse than chance allows"
            } else {
                "within chance"
            };
            grid.rows.push(vec![
                name,
                number(slice.len() as u64),
                share_between(share, stats::share_over_runs(&here)),
                told.to_owned(),
            ]);
        }
    }
    grid
}

/// Right images and images of each run.
fn hits<'a>(images: impl Iterator<Item = &'a Looked<'a>>) -> Vec<Hits> {
    let mut runs: BTreeMap<&str, Hits> = BTreeMap::new();
    for (run, right) in images.flat_map(|(_, image)| &image.by_run) {
        let hits = runs.entry(run).or_default();
        *hits = (hits.0 + u64::from(*right), hits.1 + 1);
    }
    runs.into_values().collect()
}

/// The images in three parts by a feature; none where it does not tell them apart.
fn thirds<'a>(feature: &Feature, judged: &[Looked<'a>]) -> Vec<(String, Vec<Looked<'a>>)> {
    let with = judged
        .iter()
        .filter_map(|image| Some(((feature.of)(image.0)?, *image)));
    let mut with: Vec<_> = with.collect();
    with.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = with.len();
    if n < 3 * SLICE {
        return Vec::new();
    }
    let (low, high) = (with[n / 3].0, with[2 * n / 3].0);
    let show = |value: f64| fixed(value, feature.decimals);
    let slices = [
        (
            f64::NEG_INFINITY,
            low,
            format!("{} below {}", feature.name, show(low)),
        ),
        (
            low,
            high,
            format!("{} {} to {}", feature.name, show(low), show(high)),
        ),
        (
            high,
            f64::INFINITY,
            format!("{} from {}", feature.name, show(high)),
        ),
    ];
    let of = |(from, below, name): (f64, f64, String)| {
        let within = with
            .iter()
            .filter(|(value, _)| (from..below).contains(value));
        (
            shown(&name),
            within.map(|(_, image)| *image).collect::<Vec<_>>(),
        )
    };
    let slices: Vec<_> = slices.into_iter().map(of).collect();
    if slices.iter().any(|(_, images)| images.len() < SLICE) {
        return Vec::new();
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::{super::drift::tests::seen, *};
    use crate::{
        record::Part::Test,
        report::{
            Document,
            sample::{evaluated, evaluated_on, rights},
        },
    };

    #[test]
    fn the_slice_on_which_a_model_is_worse_is_marked() {
        let run = evaluated("net", &[], &rights(60, 90));
        let group = Group {
            name: "net".to_owned(),
            runs: vec![&run],
        };
        let text = Document::new(slices(&seen(180.0), &[group])).markdown();
        let dark = text
            .lines()
            .find(|line| line.contains("brightness below"))
            .expect(&text);
        assert!(
            dark.contains("| 0.0% (") && dark.contains("worse than chance allows"),
            "{text}"
        );
        let bright = text
            .lines()
            .find(|line| line.contains("brightness from"))
            .expect(&text);
        assert!(
            bright.contains("100.0%") && !bright.contains("worse"),
            "{text}"
        );
        assert!(
            !text.contains("width by height"),
            "all are alike in it\n{text}"
        );
    }

    #[test]
    fn slices_are_of_the_largest_part_that_was_not_trained_on_or_it_is_told_why_there_are_none() {
        let told = |validation: usize, test: usize| {
            let (validation, test) = (rights(validation, validation), rights(test, test));
            let parts = [
                (Part::Train, &[true; 100][..]),
                (Part::Validation, &validation[..]),
                (Test, &test[..]),
            ];
            let run = evaluated_on("net", &[], &parts);
            let group = Group {
                name: "net".to_owned(),
                runs: vec![&run],
            };
            let mut seen = seen(180.0);
            let look = seen.looks["test/0000.jpg"];
            for i in 0..validation.len() {
                let brightness = i as f64;
                let look = ImageLook { brightness, ..look };
                seen.looks.insert(format!("validation/{i:04}.jpg"), look);
            }
            Document::new(slices(&seen, &[group])).markdown()
        };
        assert!(told(60, 12).starts_with("### Where `net` is weak on validation\n"));
        assert!(told(12, 60).starts_with("### Where `net` is weak on test\n"));
        assert_eq!(
            told(12, 29),
            "### Where `net` is weak\n\nNo slices are told: thirds of the 29 images of test by one of their properties have fewer than 10 \
             each.\n"
        );
        assert!(
            Document::new(slices(&seen(180.0), &[]))
                .markdown()
                .contains("no recipe is judged on images that it was not trained on.")
        );
    }
}
