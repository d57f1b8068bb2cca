//! The order of stages: each after everything it refers to, otherwise as in the files; and the circles that forbid it.

use std::collections::BTreeSet;

use super::{build::Stage, heads::Outline, mistake::Found};

/// All stages that can be put in order. Every circle is noted as `a -> b -> a`; its stages come last, to be passed over.
pub(crate) fn sort(outline: &Outline<'_>, stages: &[Stage], found: &mut Found) -> Vec<usize> {
    let mut waits_on: Vec<BTreeSet<usize>> = stages
        .iter()
        .map(|stage| stage.uses.iter().map(|(used, _)| *used).collect())
        .collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); stages.len()];
    for (user, used) in waits_on.iter().enumerate() {
        for used in used {
            users[*used].push(user);
        }
    }
    let mut ready: BTreeSet<usize> = (0..stages.len())
        .filter(|stage| waits_on[*stage].is_empty())
        .collect();
    let mut left: BTreeSet<usize> = (0..stages.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let next = ready.pop_first().or_else(|| {
            let circle = circle(&waits_on, *left.first()?);
            tell(outline, stages, &circle, found);
            // Taking one stage out breaks this circle, and the next one comes to light.
            circle.first().copied()
        });
        let Some(next) = next else { break };
        if !left.remove(&next) {
            continue;
        }
        order.push(next);
        waits_on[next].clear();
        for user in &users[next] {
            waits_on[*user].remove(&next);
            if waits_on[*user].is_empty() && left.contains(user) {
                ready.insert(*user);
            }
        }
    }
    order
}

/// A circle that is reached from a stage, beginning with its first stage in the order of the files.
fn circle(waits_on: &[BTreeSet<usize>], from: usize) -> Vec<usize> {
    let mut path = vec![from];
    let mut at = from;
    // Whatever is left waits on something that is left: following it must come round.
    while let Some(&next) = waits_on[at].first() {
        if let Some(start) = path.iter().position(|stage| *stage == next) {
            let mut circle = path.split_off(start);
            let least = (0..circle.len()).min_by_key(|i| circle[*i]).unwrap_or(0);
            circle.rotate_left(least);
            return circle;
        }
        path.push(next);
        at = next;
    }
    vec![from]
}

fn tell(outline: &Outline<'_>, stages: &[Stage], circle: &[usize], found: &mut Found) {
    let Some(&first) = circle.first() else { return };
    let second = circle.get(1).copied().unwrap_or(first);
    let names = circle.iter().chain([&first]);
    let names: Vec<_> = names.map(|stage| outline.full_name(*stage)).collect();
    let message = format!(
        "stages wait on each other in a circle: `{}`",
        names.join(" -> ")
    );
    let help = "a stage can only refer to what is finished before it".to_owned();
    let place = stages[first].uses.iter().find(|(used, _)| *used == second);
    let head = &outline.heads[first];
    let span = place.map_or(&head.span, |(_, span)| span);
    found.add(head.file, span, message, Some(help));
}
