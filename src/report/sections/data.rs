//! What the data look like, whether they drift from part to part, and on which of them a model is worse.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Images};
use crate::{
    error::Result,
    record::Part,
    report::{
        Block, Column, DataSeen, Grid, Group, ImageLook, LeakPair, Shot,
        best::best,
        judged::{Judged, judged},
        pooled,
        units::{fixed, p_value, share_between},
    },
    stats::{self, Hits},
    text::{count, number, shown},
};

/// Pairs that are shown as pictures.
const PAIRS: usize = 20;

/// Below this many images a slice says little.
const SLICE: usize = 10;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    if !asked.page {
        return Ok(Vec::new());
    }
    let groups = asked.results.groups();
    let mut blocks = Vec::new();
    for seen in &asked.results.data {
        blocks.push(Block::heading(2, format!("Data `{}`", seen.source.data)));
        blocks.push(Block::paragraph(
            "Parts are those that the data set gives, before a split draws others from them.",
        ));
        blocks.extend(seen.overview.document().blocks);
        if asked.images != Images::None {
            blocks.extend(pairs(seen));
        }
        blocks.extend(drift(seen));
        blocks.extend(slices(seen, &groups));
    }
    Ok(blocks)
}

/// Pictures that look alike, each beside the other, numbered as they are listed.
fn pairs(seen: &DataSeen) -> Vec<Block> {
    let pairs = &seen.overview.leaks.pairs;
    if pairs.is_empty() {
        return Vec::new();
    }
    let shot = |(i, pair): (usize, &LeakPair)| Shot {
        photograph: seen.source.photograph(&pair.first),
        beside: Some(seen.source.photograph(&pair.second)),
        caption: vec![format!("{}: {}", i + 1, pair.in_words()).into()],
        guess: None,
    };
    let shots = pairs.iter().enumerate().take(PAIRS).map(shot);
    let mut blocks = vec![Block::heading(3, "Look-alikes")];
    if pairs.len() > PAIRS {
        let told = format!("The first {PAIRS} of {}.", count(pairs.len(), "pair"));
        blocks.push(Block::paragraph(told));
    }
    blocks.push(Block::Gallery(shots.collect()));
    blocks
}

/// Something of an image that may drift.
struct Feature {
    name: &'static str,
    of: fn(&ImageLook) -> Option<f64>,
    decimals: usize,
    /// What more of it is called.
    more: &'static str,
    /// What less of it is called.
    less: &'static str,
}

const FEATURES: &[Feature] = &[
    Feature {
        name: "brightness",
        of: |look| Some(look.brightness),
        decimals: 0,
        more: "brighter",
        less: "darker",
    },
    Feature {
        name: "shorter side",
        of: |look| Some(look.short_side),
        decimals: 0,
        more: "larger",
        less: "smaller",
    },
    Feature {
        name: "width by height",
        of: |look| Some(look.aspect),
        decimals: 2,
        more: "wider",
        less: "narrower",
    },
    Feature {
        name: "share of red",
        of: |look| Some(look.colour?.0),
        decimals: 3,
        more: "redder",
        less: "less red",
    },
    Feature {
        name: "share of blue",
        of: |look| Some(look.colour?.1),
        decimals: 3,
        more: "bluer",
        less: "less blue",
    },
];

/// The features of one part, in the order of the paths.
fn values(seen: &DataSeen, part: Part, feature: &Feature) -> Vec<f64> {
    let of_part = seen.looks.values().filter(|look| look.part == part);
    of_part.filter_map(feature.of).collect()
}

/// The parts that the data set gives against its training part.
fn drift(seen: &DataSeen) -> Vec<Block> {
    use Part::{Test, Train, Validation};
    let mut found = Vec::new();
    for part in [Validation, Test] {
        for feature in FEATURES {
            let (train, other) = (values(seen, Train, feature), values(seen, part, feature));
            let apart = stats::kolmogorov_smirnov(&train, &other);
            found.extend(apart.map(|apart| (part, feature, median(&train), median(&other), apart)));
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let p: Vec<f64> = found.iter().map(|(.., apart)| apart.p).collect();
    let adjusted = stats::holm(&p);
    let mut grid = Grid::of([
        Column::left("part"),
        Column::left("of the images"),
        Column::right("train").meaning("median"),
        Column::right("this part").meaning("median"),
        Column::right("distance")
            .meaning("largest distance of the two distributions, Kolmogorov and Smirnov"),
        Column::right("p").meaning("by Holm's adjustment over this table"),
    ]);
    let mut said = Vec::new();
    for ((part, feature, train, other, apart), p) in found.iter().zip(adjusted) {
        grid.rows.push(vec![
            part.name().to_owned(),
            feature.name.to_owned(),
            fixed(*train, feature.decimals),
            fixed(*other, feature.decimals),
            fixed(apart.distance, 2),
            p_value(p),
        ]);
        // A distance that is small is no matter for a model, however sure it is.
        if p < 0.05 && apart.distance >= 0.1 {
            let word = if other > train {
                feature.more
            } else {
                feature.less
            };
            said.push(format!("{} is {word} than train", part.name()));
        }
    }
    let told = match said.as_slice() {
        [] => "No drift between the parts that the data set gives is shown.".to_owned(),
        said => format!("Drift: {}.", said.join("; ")),
    };
    vec![
        Block::heading(3, "Drift"),
        Block::paragraph(told),
        Block::table(grid),
    ]
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// An image as it looks and as the runs judge it.
type Looked<'a> = (&'a ImageLook, &'a Judged<'a>);

/// How good the best recipe is on the low, middle and high third of each feature.
fn slices(seen: &DataSeen, groups: &[Group<'_>]) -> Vec<Block> {
    let of_data = groups.iter().filter(|g| g.runs[0].source == seen.source);
    let Some((group, part)) = best(of_data) else {
        return Vec::new();
    };
    let judged = judged(group, part);
    let look = |image| -> Option<Looked<'_>> {
        let image: &Judged<'_> = image;
        Some((seen.looks.get(image.path)?, image))
    };
    let looked: Vec<Looked<'_>> = judged.iter().filter_map(look).collect();
    let mut grid = Grid::of([
        Column::left("slice"),
        Column::right("images"),
        Column::right("top-1 (95% interval)").meaning("over images and runs"),
        Column::left("against the rest"),
    ]);
    for feature in FEATURES {
        for (name, slice) in thirds(feature, &looked) {
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
    if grid.rows.is_empty() {
        return Vec::new();
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
    use super::*;
    use crate::{
        record::Part::{Test, Train},
        report::{
            Document, Overview, Source,
            sample::{evaluated, rights},
        },
    };

    fn seen(test_brightness: f64) -> DataSeen {
        let look = |part, i: usize, brightness: f64| ImageLook {
            part,
            brightness: brightness + (i * 37 % 100) as f64 / 4.0,
            short_side: 200.0,
            aspect: 1.0,
            colour: None,
        };
        let train = (0..100).map(|i| (format!("train/{i:04}.jpg"), look(Train, i, 100.0)));
        let test = (0..90).map(|i| {
            // The last third is dark, as the wrong guesses of the sample are.
            let darker = if i < 60 { 0.0 } else { 60.0 };
            (
                format!("test/{i:04}.jpg"),
                look(Test, i, test_brightness - darker),
            )
        });
        DataSeen {
            source: Source::default(),
            overview: Overview::empty("pixels", "dishes"),
            looks: train.chain(test).collect(),
        }
    }

    #[test]
    fn a_part_that_is_brighter_than_train_is_told() {
        let told = |brightness| Document::new(drift(&seen(brightness))).markdown();
        assert!(
            told(180.0).contains("Drift: test is brighter than train."),
            "{}",
            told(180.0)
        );
        let same = seen(100.0);
        let train: Vec<f64> = values(&same, Train, &FEATURES[0]);
        assert_eq!(train.len(), 100);
    }

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
}
