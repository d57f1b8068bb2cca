//! The recipe of which more is told than of the others.

use super::{Group, pooled::Pooled};
use crate::record::Part;

/// The recipe that is best on validation, where there is none on test, and the best known part on which it is judged.
pub(super) fn best<'a, 'b>(
    groups: impl Iterator<Item = &'a Group<'b>>,
) -> Option<(&'a Group<'b>, Part)>
where
    'b: 'a,
{
    use Part::{Test, Train, Validation};
    let judged = |group: &'a Group<'b>| {
        let pooled = Pooled::of(group);
        let top1 = |part| pooled.part(part).map(|p| p.top1);
        let by = top1(Validation).or_else(|| top1(Test))?;
        let part = [Test, Validation, Train]
            .into_iter()
            .find(|p| top1(*p).is_some());
        Some((by, group, part?))
    };
    let best = groups
        .filter_map(judged)
        .reduce(|a, b| if b.0 > a.0 { b } else { a });
    best.map(|(_, group, part)| (group, part))
}
