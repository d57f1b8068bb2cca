//! The gaps in plain words. Says what the numbers show and what they leave open, and no more.

use crate::{
    record::{Gap, Interval, Part, PartMetrics},
    report::{
        pooled::{Alike, Pooled},
        units::{percent, points},
    },
    text::{count, either, first_few, number, plural},
};

/// Names that are told.
const NAMED: usize = 10;

/// A paragraph for each question that the evaluated parts can answer: how much is overfitting (train to validation, or to
/// test without one), and whether validation and test disagree by more than chance allows.
pub(in crate::report) fn gaps(found: &Pooled) -> Vec<String> {
    use Part::{Test, Train, Validation};
    let (part, gap) = (|p| found.part(p), |from, to| found.gap(from, to));
    let mut said = Vec::new();
    if let (Some(train), Some(validation), Some(gap)) =
        (part(Train), part(Validation), gap(Train, Validation))
    {
        said.push(overfitting(found, train, validation, gap));
    }
    if let (Some(validation), Some(test), Some(gap)) =
        (part(Validation), part(Test), gap(Validation, Test))
    {
        said.push(agreement(found, validation, test, gap));
    }
    if said.is_empty()
        && let (Some(train), Some(test), Some(gap)) = (part(Train), part(Test), gap(Train, Test))
    {
        said.push(overfitting(found, train, test, gap));
    }
    if let ([], [only]) = (said.as_slice(), found.parts.as_slice()) {
        said.push(alone(found.runs, only));
    }
    said.extend(found.parts.iter().filter(|p| p.dropped > 0).map(dropped));
    said.extend(found.parts.iter().filter_map(absent));
    said
}

/// "Top-1 is", of one run or of several.
fn top1_is(runs: usize) -> String {
    match runs {
        1 => "Top-1 is".to_owned(),
        n => format!("The mean top-1 of {n} runs is"),
    }
}

/// Classes of which nothing is said.
fn absent(part: &PartMetrics) -> Option<String> {
    let absent = part.per_class.iter().filter(|class| class.images == 0);
    let names: Vec<&str> = absent.map(|class| class.class.as_str()).collect();
    let name = part.part.name();
    match names.len() {
        0 => None,
        n => Some(format!(
            "{} has no image of {} of {}: {}. What is told of {name} says nothing about {}.",
            capital(name),
            either(n, "one", &number(n as u64)),
            count(part.per_class.len(), "class"),
            first_few(names, NAMED),
            either(n, "it", "them"),
        )),
    }
}

fn capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

/// What could not be judged.
fn dropped(part: &PartMetrics) -> String {
    let (name, n) = (part.part.name(), part.dropped);
    format!(
        "{n} of the {} images of {name} cannot be decoded and {} left out (`unreadable = \"drop\"`).",
        part.images + n,
        plural(n, "is"),
    )
}

/// Train against images that the weights were not fitted to.
fn overfitting(found: &Pooled, train: &PartMetrics, unseen: &PartMetrics, gap: &Gap) -> String {
    let name = unseen.part.name();
    let facts = format!(
        "{} {} on train and {} on {name}, {} apart",
        top1_is(found.runs),
        percent(train.top1),
        percent(unseen.top1),
        apart(gap),
    );
    match sign(gap.interval) {
        Sign::Unclear => {
            let shown = match found.alike(unseen.part) {
                None if found.alike_elsewhere(unseen.part) => format!(
                    "{facts}: no more than chance allows, so no overfitting is shown on {name}."
                ),
                None => format!("{facts}: no more than chance allows, so no overfitting is shown."),
                Some(alike) => format!(
                    "{facts}: no more than chance allows, but {} are among the {name} images, so that this tells nothing of \
                     overfitting.",
                    look_alikes(alike)
                ),
            };
            match underfits(train, gap) {
                true => format!(
                    "{shown} With {} points of error on train itself the model underfits.",
                    points(1.0 - train.top1)
                ),
                false => shown,
            }
        }
        Sign::Negative => format!(
            "{facts}: better on {name} than on the images it was trained on, and by more than chance allows. Under one transform \
             that is unusual: the {name} images may be easier ones."
        ),
        Sign::Positive => format!(
            "{facts}: overfitting by that much, more than chance allows{}. {}",
            match found.alike(unseen.part) {
                None => String::new(),
                Some(alike) => format!(", and {} may hide more of it", look_alikes(alike)),
            },
            share_of_error(train, unseen, gap)
        ),
    }
}

/// What makes a part tell less than it seems to.
fn look_alikes(alike: Alike) -> &'static str {
    match alike {
        Alike::Pixels => "copies of training images",
        Alike::Features => "images that look like training images",
    }
}

/// Whether most of the error on unseen images is there on train too, where that is more than a little.
pub(super) fn underfits(train: &PartMetrics, gap: &Gap) -> bool {
    let fitted = 1.0 - train.top1;
    fitted > gap.difference && fitted >= 0.1
}

/// The error on unseen images is the error on train plus the gap: which of the two is larger?
fn share_of_error(train: &PartMetrics, unseen: &PartMetrics, gap: &Gap) -> String {
    let (fitted, all) = (1.0 - train.top1, 1.0 - unseen.top1);
    let name = unseen.part.name();
    if underfits(train, gap) {
        return format!(
            "Of the {} points of error on {name} the larger share, {}, is there on train too: the model also underfits.",
            points(all),
            points(fitted),
        );
    }
    format!(
        "The gap makes up most of the {} points of error on {name}.",
        points(all)
    )
}

/// Two parts that the weights were not fitted to.
fn agreement(found: &Pooled, validation: &PartMetrics, test: &PartMetrics, gap: &Gap) -> String {
    let facts = format!(
        "{} {} on validation ({} images) and {} on test ({} images), {} apart",
        top1_is(found.runs),
        percent(validation.top1),
        validation.images,
        percent(test.top1),
        test.images,
        apart(gap),
    );
    let known = |gap: &Gap| found.alike(gap.from).or_else(|| found.alike(gap.to));
    match sign(gap.interval) {
        Sign::Unclear => match known(gap) {
            // Copies may hold both parts up alike, so that it says nothing of the split.
            Some(alike) => format!(
                "{facts}: no more than chance allows, but {} are among them.",
                look_alikes(alike)
            ),
            None => format!(
                "{facts}: no more than chance allows, as it must be with a clean split of one source."
            ),
        },
        Sign::Positive => format!(
            "{facts}: more than chance allows. A clean split of one source puts validation near test. An excess of \
             validation has other causes: copies of training images in validation, a model chosen among many by validation, or a \
             test part from another distribution; the numbers alone do not say which."
        ),
        Sign::Negative => format!(
            "{facts}: more than chance allows, with test the better one. The test part then is easier, comes from another \
             distribution, or holds copies of training images; the numbers alone do not say which."
        ),
    }
}

/// One part: nothing to compare it with.
fn alone(runs: usize, part: &PartMetrics) -> String {
    format!(
        "{} {} on {} (95% interval {} to {}). Overfitting shows only against another part.",
        top1_is(runs),
        percent(part.top1),
        part.part.name(),
        percent(part.top1_interval.low),
        percent(part.top1_interval.high),
    )
}

/// Which way a difference goes beyond chance.
pub(super) enum Sign {
    Positive,
    Negative,
    Unclear,
}

pub(super) fn sign(interval: Interval) -> Sign {
    match interval {
        Interval { low, .. } if low > 0.0 => Sign::Positive,
        Interval { high, .. } if high < 0.0 => Sign::Negative,
        _ => Sign::Unclear,
    }
}

/// "12.3 percentage points (95% interval 9.8 to 14.9)"
fn apart(gap: &Gap) -> String {
    format!(
        "{} percentage points (95% interval {} to {})",
        points(gap.difference),
        points(gap.interval.low),
        points(gap.interval.high),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::sample::{self, rights},
        stats,
    };

    fn part(part: Part, hits: usize, images: usize) -> PartMetrics {
        sample::part(part, &rights(hits, images)).0
    }

    fn read(parts: &[PartMetrics]) -> Vec<String> {
        gaps(&Pooled {
            runs: 1,
            parts: parts.to_vec(),
            gaps: stats::gaps(parts),
            leaks: None,
            further: Vec::new(),
        })
    }

    use Part::{Test, Train, Validation};

    #[test]
    fn mission_ones_figures_are_no_clean_split() {
        let parts = [
            part(Train, 26_800, 26_875),
            part(Validation, 6_113, 6_718),
            part(Test, 2_546, 4_198),
        ];
        assert_eq!(
            read(&parts),
            [
                "Top-1 is 99.7% on train and 91.0% on validation, 8.7 percentage points (95% interval 8.1 to 9.4) apart: \
                 overfitting by that much, more than chance allows. The gap makes up most of the 9.0 points of error on validation.",
                "Top-1 is 91.0% on validation (6718 images) and 60.6% on test (4198 images), 30.3 percentage points (95% interval \
                 28.7 to 32.0) apart: more than chance allows. A clean split of one source puts validation near test. An excess of \
                 validation has other causes: copies of training images in validation, a model chosen among many by validation, \
                 or a test part from another distribution; the numbers alone do not say which.",
            ]
        );
    }

    #[test]
    fn a_clean_split_and_an_underfitted_model_read_as_such() {
        let parts = [
            part(Train, 770, 1686),
            part(Validation, 105, 422),
            part(Test, 78, 319),
        ];
        assert_eq!(
            read(&parts),
            [
                "Top-1 is 45.7% on train and 24.9% on validation, 20.8 percentage points (95% interval 15.8 to 25.3) apart: \
                 overfitting by that much, more than chance allows. Of the 75.1 points of error on validation the larger share, \
                 54.3, is there on train too: the model also underfits.",
                "Top-1 is 24.9% on validation (422 images) and 24.5% on test (319 images), 0.4 percentage points (95% interval \
                 -5.9 to 6.6) apart: no more than chance allows, as it must be with a clean split of one source.",
            ]
        );
    }

    /// The first paragraphs where one image of this part is known to look like a training image.
    fn read_with_look_alikes(parts: &[PartMetrics], of: Part) -> Vec<String> {
        gaps(&Pooled {
            runs: 1,
            parts: parts.to_vec(),
            gaps: stats::gaps(parts),
            leaks: None,
            further: vec![(of, 0, 1)],
        })
    }

    #[test]
    fn a_part_with_look_alikes_is_never_taken_for_a_clean_one() {
        let parts = [
            part(Train, 90, 100),
            part(Validation, 86, 100),
            part(Test, 85, 100),
        ];
        let (clean, known) = (read(&parts), read_with_look_alikes(&parts, Validation));
        assert!(clean[0].ends_with("so no overfitting is shown."));
        assert!(clean[1].ends_with("as it must be with a clean split of one source."));
        assert!(
            known[0].ends_with(
                "apart: no more than chance allows, but images that look like training images are among the validation images, \
                 so that this tells nothing of overfitting."
            ),
            "{known:?}"
        );
        assert!(
            known[1].ends_with(
                "no more than chance allows, but images that look like training images are among them."
            ),
            "{known:?}"
        );
        // Those of test say nothing against validation, and it alone is what is told of.
        let of_test = read_with_look_alikes(&parts, Test);
        assert!(of_test[0].ends_with("so no overfitting is shown on validation."));
        assert_eq!(of_test[1], known[1]);
        let overfitted = [part(Train, 100, 100), part(Validation, 50, 100)];
        let said = read_with_look_alikes(&overfitted, Validation);
        assert!(
            said[0].contains("chance allows, and images that look like training images may hide more of it. The gap makes up"),
            "{said:?}"
        );
    }

    #[test]
    fn differences_within_chance_and_the_wrong_way_round_are_named() {
        let said = read(&[part(Train, 50, 100), part(Validation, 48, 100)]);
        assert!(
            said[0].ends_with(
                "apart: no more than chance allows, so no overfitting is shown. With 50.0 points of error on train itself \
                 the model underfits."
            ),
            "{said:?}"
        );
        let said = read(&[part(Train, 500, 1000), part(Test, 700, 1000)]);
        assert!(
            said[0].contains("better on test than on the images it was trained on"),
            "{said:?}"
        );
        let said = read(&[part(Validation, 500, 1000), part(Test, 700, 1000)]);
        assert!(said[0].contains("with test the better one"), "{said:?}");
    }

    #[test]
    fn dropped_images_are_named() {
        let dropped = PartMetrics {
            dropped: 3,
            ..part(Test, 78, 319)
        };
        let said = read(&[dropped]);
        assert_eq!(
            said[1],
            "3 of the 322 images of test cannot be decoded and are left out (`unreadable = \"drop\"`)."
        );
    }

    #[test]
    fn classes_without_an_image_are_named() {
        let class = |name: &str, images| crate::record::ClassMetrics {
            class: name.to_owned(),
            images,
            precision: 0.0,
            recall: 0.0,
            f1: 0.0,
        };
        let rare = PartMetrics {
            per_class: vec![class("김밥", 9), class("냉면", 0)],
            ..part(Test, 78, 319)
        };
        assert_eq!(
            read(&[rare])[1],
            "Test has no image of one of 2 classes: `냉면`. What is told of test says nothing about it."
        );
    }

    #[test]
    fn one_part_alone_says_what_is_missing() {
        assert_eq!(
            read(&[part(Test, 78, 319)]),
            [
                "Top-1 is 24.5% on test (95% interval 20.1% to 29.5%). Overfitting shows only against another part."
            ]
        );
        assert!(read(&[]).is_empty());
    }
}
