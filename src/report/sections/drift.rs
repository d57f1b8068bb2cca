//! Whether what images look like drifts from part to part.

use crate::{
    record::Part,
    report::{
        Block, Column, DataSeen, Grid, ImageLook,
        units::{fixed, p_value},
    },
    stats,
};

/// Something of an image that may drift.
pub(super) struct Feature {
    pub(super) name: &'static str,
    pub(super) of: fn(&ImageLook) -> Option<f64>,
    pub(super) decimals: usize,
    /// What more of it is called.
    more: &'static str,
    /// What less of it is called.
    less: &'static str,
}

pub(super) const FEATURES: &[Feature] = &[
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

/// The other parts against the training part.
pub(super) fn drift(seen: &DataSeen) -> Vec<Block> {
    use Part::{Test, Train, Validation};
    let mut found = Vec::new();
    for part in [Validation, Test] {
        for feature in FEATURES {
            let (train, other) = (values(seen, Train, feature), values(seen, part, feature));
            let apart = stats::kolmogorov_smirnov(&train, &other);
            found.extend(apart.map(|apart| (part, feature, median(&train), median(&other), apart)));
        }
    }
    let mut blocks = vec![Block::heading(3, "Drift")];
    if found.is_empty() {
        blocks.push(Block::paragraph(why_no_drift(seen)));
        return blocks;
    }
    blocks.extend(whose_parts(seen).map(Block::paragraph));
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
        [] => "No drift between these parts is shown.".to_owned(),
        said => format!("Drift: {}.", said.join("; ")),
    };
    blocks.extend([Block::paragraph(told), Block::table(grid)]);
    blocks
}

/// Which split draws the parts that are compared.
fn whose_parts(seen: &DataSeen) -> Option<String> {
    let split = seen.split.as_ref().filter(|split| !split.folds)?;
    Some(match split.of {
        1 => format!("Parts here are those of the split `{}`.", split.id),
        n => format!(
            "Parts here are those of the split `{}`, the first of {n}.",
            split.id
        ),
    })
}

/// Why there are no parts to compare.
fn why_no_drift(seen: &DataSeen) -> String {
    match &seen.split {
        Some(split) if split.folds => format!(
            "No drift is looked for: `{}` draws folds, in which every image is trained on and judged in turn.",
            split.id
        ),
        Some(_) => "No drift is looked for: there is nothing beside the training part.".to_owned(),
        None => {
            "No drift is looked for: the data set gives one part, and no split has a result yet."
                .to_owned()
        }
    }
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        record::Part::{Test, Train},
        report::{Document, Overview, Source, SplitSeen},
    };

    /// Of 100 images of train and 90 of test so bright, of which the last third is dark.
    pub(in crate::report::sections) fn seen(test_brightness: f64) -> DataSeen {
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
            split: None,
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
        assert!(
            told(180.0).starts_with("### Drift\n\nDrift: "),
            "{}",
            told(180.0)
        );
        let same = seen(100.0);
        let train: Vec<f64> = values(&same, Train, &FEATURES[0]);
        assert_eq!(train.len(), 100);
    }

    #[test]
    fn whose_parts_are_compared_is_told_and_why_none_are() {
        let of_split = |folds, of| SplitSeen {
            id: "holdout".to_owned(),
            of,
            folds,
        };
        let told = |seen: &DataSeen| Document::new(drift(seen)).markdown();
        let mut drawn = seen(180.0);
        drawn.split = Some(of_split(false, 3));
        let text = told(&drawn);
        assert!(
            text.contains("Parts here are those of the split `holdout`, the first of 3.\n\nDrift: test is brighter"),
            "{text}"
        );
        // The test part that the data set gives is no matter of folds.
        drawn.split = Some(of_split(true, 1));
        assert!(told(&drawn).starts_with("### Drift\n\nDrift: test is brighter"));
        drawn.looks.retain(|_, look| look.part == Train);
        assert!(told(&drawn).contains(
            "`holdout` draws folds, in which every image is trained on and judged in turn."
        ));
        drawn.split = None;
        assert!(
            told(&drawn).contains("the data set gives one part, and no split has a result yet.")
        );
    }
}
