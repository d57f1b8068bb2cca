//! A recipe in one line: how good it is, and what is wrong with it.

use super::{
    gaps::{Sign, sign, underfits},
    training::undertrained,
};
use crate::{
    record::{Part, PartMetrics},
    report::{
        pooled::Pooled,
        undertrained::Rising,
        units::{percent, points},
    },
    text::{count, either, number},
};

/// "19.2% on test (95% interval 16.1 to 22.3; 3 runs, 319 images) beside 42.1% on train (38.0 to 46.3): overfits by 22.9 points, and
/// underfits"; nothing of what was not evaluated. Goes by the same numbers and limits as the sentences of [`super::gaps`].
/// The trainings behind it are told of where they ended too early.
pub(in crate::report) fn glance(found: &Pooled, trainings: &[Option<Rising>]) -> Option<String> {
    use Part::{Test, Train, Validation};
    let best = [Test, Validation, Train]
        .into_iter()
        .find_map(|part| found.part(part))?;
    let runs = match found.runs {
        1 => String::new(),
        n => format!("{n} runs, "),
    };
    let facts = format!(
        "{} on {} (95% interval {} to {}; {runs}{}){}",
        percent(best.top1),
        best.part.name(),
        points(best.top1_interval.low),
        points(best.top1_interval.high),
        count(best.images, "image"),
        beside(found, best.part),
    );
    let said: Vec<String> = [fit(found), undertrained(trainings), drift(found)]
        .into_iter()
        .flatten()
        .chain(copies(found))
        .chain(by_features(found))
        .collect();
    Some(match said.as_slice() {
        [] => format!("{facts}."),
        said => format!("{facts}: {}.", said.join("; ")),
    })
}

/// The other parts with their intervals.
fn beside(found: &Pooled, told: Part) -> String {
    let others = [Part::Validation, Part::Train].into_iter();
    let others = others.filter(|part| *part != told);
    let one = |part: &PartMetrics| {
        let (low, high) = (part.top1_interval.low, part.top1_interval.high);
        let (low, high) = (points(low), points(high));
        format!(
            "{} on {} ({low} to {high})",
            percent(part.top1),
            part.part.name()
        )
    };
    let others: Vec<String> = others.filter_map(|p| found.part(p)).map(one).collect();
    match others.as_slice() {
        [] => String::new(),
        others => format!(" beside {}", others.join(" and ")),
    }
}

fn fit(found: &Pooled) -> Option<String> {
    use Part::{Test, Train, Validation};
    let train = found.part(Train)?;
    let gap = found
        .gap(Train, Validation)
        .or_else(|| found.gap(Train, Test))?;
    let also = if underfits(train, gap) {
        ", and underfits"
    } else {
        ""
    };
    Some(match sign(gap.interval) {
        // What is told of them stands behind it.
        Sign::Unclear if found.alike(gap.to).is_some() => {
            return (!also.is_empty()).then(|| "underfits".to_owned());
        }
        Sign::Positive => format!("overfits by {} points{also}", points(gap.difference)),
        Sign::Unclear => {
            let on = match found.alike_elsewhere(gap.to) {
                true => format!(" on {}", gap.to.name()),
                false => String::new(),
            };
            let underfits = if also.is_empty() { "" } else { "underfits; " };
            format!("{underfits}no overfitting is shown{on}")
        }
        Sign::Negative => format!(
            "better on {} than on train, which is unusual",
            gap.to.name()
        ),
    })
}

fn drift(found: &Pooled) -> Option<String> {
    use Part::{Test, Validation};
    let gap = found.gap(Validation, Test)?;
    match sign(gap.interval) {
        Sign::Unclear => None,
        Sign::Positive => Some(format!(
            "test is {} points below validation, more than chance allows",
            points(gap.difference)
        )),
        Sign::Negative => Some(format!(
            "test is {} points above validation, more than chance allows",
            points(-gap.difference)
        )),
    }
}

/// Parts that hold copies of training images.
fn copies(found: &Pooled) -> Vec<String> {
    let parts = found.leaks.iter().flat_map(|leaks| &leaks.parts);
    let leaking = parts.filter(|part| part.like_train > 0);
    let told = |part: &crate::record::LeakedPart| {
        format!(
            "{} of {} {} images {}",
            number(part.like_train),
            number(part.images),
            part.part.name(),
            either(
                part.like_train,
                "is a copy of a training image",
                "are copies of training images"
            )
        )
    };
    leaking.map(told).collect()
}

/// Parts in which features find more than that.
fn by_features(found: &Pooled) -> Vec<String> {
    let more = found.further.iter().filter(|(.., most)| *most > 0);
    let told = |(part, least, most): &(Part, u64, u64)| {
        let images = match least == most {
            true => number(*most),
            false => format!("{} to {}", number(*least), number(*most)),
        };
        let look = either(*most, "image looks", "images look");
        format!(
            "{images} further {} {look} like training images",
            part.name()
        )
    };
    more.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{ByFeatures, FeatureLeaks},
        report::sample::{evaluated_on, results, rights},
    };

    fn told(train: usize, validation: usize, test: usize) -> String {
        let parts = [
            (Part::Train, rights(train, 300)),
            (Part::Validation, rights(validation, 300)),
            (Part::Test, rights(test, 300)),
        ];
        let parts: Vec<_> = parts.iter().map(|(p, r)| (*p, r.as_slice())).collect();
        let results = results(vec![evaluated_on("a", &[], &parts)]);
        glance(&Pooled::of(&results.groups()[0]), &[]).unwrap()
    }

    #[test]
    fn a_recipe_is_told_in_one_line() {
        assert_eq!(
            told(300, 240, 240),
            "80.0% on test (95% interval 75.1 to 84.1; 300 images) beside 80.0% on validation (75.1 to 84.1) and 100.0% on train \
             (98.7 to 100.0): overfits by 20.0 points."
        );
        assert_eq!(
            told(150, 147, 90),
            "30.0% on test (95% interval 25.1 to 35.4; 300 images) beside 49.0% on validation (43.4 to 54.6) and 50.0% on train \
             (44.4 to 55.6): underfits; no overfitting is shown; test is 19.0 points below \
             validation, more than chance allows."
        );
    }

    #[test]
    fn look_alikes_by_features_stand_where_no_overfitting_would_be_shown() {
        let told = |train: usize, further: [u64; 2]| {
            let parts = [
                (Part::Train, rights(train, 300)),
                (Part::Test, rights(train, 300)),
            ];
            let parts: Vec<_> = parts.iter().map(|(p, r)| (*p, r.as_slice())).collect();
            let run = |seed: &str, further| {
                let mut run = evaluated_on("a", &[("seed", seed)], &parts);
                let of_test = ByFeatures {
                    part: Part::Test,
                    confirmed: 0,
                    further,
                    top1_without: None,
                };
                run.features = Some(FeatureLeaks {
                    cosine: 0.9,
                    parts: vec![of_test],
                    pairs: Vec::new(),
                });
                run
            };
            let results = results(vec![run("1", further[0]), run("2", further[1])]);
            let told = glance(&Pooled::of(&results.groups()[0]), &[]).unwrap();
            told.rsplit_once(')').unwrap().1.to_owned()
        };
        assert_eq!(told(290, [0, 0]), ": no overfitting is shown.");
        assert_eq!(
            told(290, [9, 12]),
            ": 9 to 12 further test images look like training images."
        );
        assert_eq!(
            told(150, [1, 1]),
            ": underfits; 1 further test image looks like training images."
        );
    }
}
