//! Differences of accuracy between parts.

use crate::{
    record::{EvaluatePart, Gap, PartMetrics},
    stats::{correct, newcombe},
};

/// Train to validation, validation to test, train to test: those of which both parts are there, with Newcombe's interval. The
/// parts share no image, so the proportions are independent.
#[must_use]
pub fn gaps(parts: &[PartMetrics]) -> Vec<Gap> {
    use EvaluatePart::{Test, Train, Validation};
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
    use crate::stats::reading::tests::part;

    #[test]
    fn gaps_are_of_the_parts_that_are_there() {
        use EvaluatePart::{Test, Train, Validation};
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
