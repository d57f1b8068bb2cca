//! Differences of accuracy between parts.

use crate::{
    record::{Gap, Part, PartMetrics},
    stats::{correct, newcombe},
};

/// Train to validation, validation to test, train to test: those of which both parts are there, with Newcombe's interval. The
/// parts share no image, so the proportions are independent.
#[must_use]
pub fn gaps(parts: &[PartMetrics]) -> Vec<Gap> {
    use Part::{Test, Train, Validation};
    let find = |part| parts.iter().find(|p| p.part == part);
    [(Train, Validation), (Validation, Test), (Train, Test)]
        .into_iter()
        .filter_map(|(from, to)| Some(gap(find(from)?, find(to)?)))
        .collect()
}

fn gap(from: &PartMetrics, to: &PartMetrics) -> Gap {
    let counts = |part: &PartMetrics| (correct(part), part.images);
    Gap {
        from: from.part,
        to: to.part,
        difference: from.top1 - to.top1,
        interval: newcombe(counts(from), counts(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{digest::Digest, stats::wilson};

    /// A part of which only counts matter.
    fn part(part: Part, hits: u64, images: u64) -> PartMetrics {
        PartMetrics {
            part,
            images,
            dropped: 0,
            members: Digest::of(part.name().as_bytes()),
            loss: 1.0,
            top1: hits as f64 / images as f64,
            top1_interval: wilson(hits, images),
            top5: 1.0,
            top5_interval: wilson(images, images),
            macro_f1: 0.5,
            per_class: Vec::new(),
            confusion: vec![vec![hits, images - hits], vec![0, 0]],
        }
    }

    #[test]
    fn gaps_are_of_the_parts_that_are_there() {
        use Part::{Test, Train, Validation};
        let all = [
            part(Train, 56, 70),
            part(Validation, 48, 80),
            part(Test, 3, 10),
        ];
        let found = gaps(&all);
        let pairs: Vec<_> = found.iter().map(|g| (g.from, g.to)).collect();
        assert_eq!(
            pairs,
            [(Train, Validation), (Validation, Test), (Train, Test)]
        );
        assert!((found[0].difference - 0.2).abs() < 1e-12);
        assert_eq!(found[0].interval, newcombe((56, 70), (48, 80)));
        assert_eq!(gaps(&all[1..]).len(), 1);
        assert!(gaps(&all[..1]).is_empty());
    }
}
