//! Whether recipes were judged on the same images, and say the same of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Evaluated, Group, Results};
use crate::record::Part;

/// That recipes were judged on different images of a part, and so are not compared there.
#[must_use]
pub fn on_other_images(results: &Results) -> Option<String> {
    let groups = results.groups();
    let members = |group: &Group<'_>, part| {
        let all: BTreeSet<_> = group
            .part(part)
            .iter()
            .map(|metrics| metrics.members)
            .collect();
        all
    };
    let mut parts = Vec::new();
    for part in [Part::Validation, Part::Test] {
        let on: Vec<_> = groups.iter().map(|group| members(group, part)).collect();
        let on: BTreeSet<_> = on
            .into_iter()
            .filter(|members| members.len() == 1)
            .collect();
        if on.len() > 1 {
            parts.push(part.name());
        }
    }
    (!parts.is_empty()).then(|| {
        format!("On {} not all of them were judged on the same images: those that were not are not compared.", parts.join(" and "))
    })
}

/// Whether the runs of both say the same of every image, in their order.
pub(super) fn same_answers(first: &Group<'_>, second: &Group<'_>, part: Part) -> bool {
    let (first, second) = (&first.runs, &second.runs);
    let mut pairs = first.iter().zip(second);
    first.len() == second.len() && pairs.all(|(a, b)| answers(a, part) == answers(b, part))
}

/// Of each image the guess, and how sure it is, to the bit.
fn answers(run: &Evaluated, part: Part) -> BTreeMap<&str, (&str, u64)> {
    let of_part = run.predictions.iter().filter(|p| p.part == part);
    of_part
        .map(|p| {
            (
                p.path.as_str(),
                (p.predicted.as_str(), p.probability.to_bits()),
            )
        })
        .collect()
}
