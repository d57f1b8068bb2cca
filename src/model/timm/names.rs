//! A file with timm's names, read as one with torchvision's.

use std::collections::{HashMap, HashSet};

use super::super::{
    catalog::{Found, Set},
    families::{FAMILIES, Family},
    layout::{Role, slots},
};

/// Gives the networks of a dictionary torchvision's names, where they have timm's and those differ.
pub(in crate::model) fn in_our_names(set: Set) -> Set {
    for family in FAMILIES {
        let [first, second] = family.sign.map(|name| (family.timm)(name));
        if [&first, &second] == [family.sign[0], family.sign[1]] {
            continue;
        }
        let prefix = set.iter().find_map(|(name, _)| {
            let prefix = name.strip_suffix(&first)?;
            let ends = prefix.is_empty() || prefix.ends_with('.');
            (ends && set.has(&format!("{prefix}{second}"))).then(|| prefix.to_owned())
        });
        if let Some(renamed) = prefix.and_then(|prefix| renamed(&set, family, &prefix)) {
            return renamed;
        }
    }
    set
}

/// What is known of a tensor by timm's name.
struct Known {
    ours: String,
    scale: bool,
}

/// The same in torchvision's names; `None` where it has more layers than any network of the family.
fn renamed(set: &Set, family: &Family, prefix: &str) -> Option<Set> {
    let mut known = HashMap::new();
    let mut bodies = HashSet::new();
    for slot in family.archs.iter().flat_map(|arch| slots(*arch, 1)) {
        let theirs = (family.timm)(&slot.name);
        if !matches!(slot.role, Role::HeadWeight | Role::HeadBias) {
            bodies.insert(first(&theirs).to_owned());
        }
        let scale = slot.role == Role::Scale;
        let ours = slot.name;
        known.insert(theirs, Known { ours, scale });
    }
    let mut renamed = Set::default();
    renamed.at.clone_from(&set.at);
    for (name, found) in set.iter() {
        let theirs = name.strip_prefix(prefix);
        let Some(known) = theirs.and_then(|theirs| known.get(theirs)) else {
            let is_body = theirs.is_some_and(|theirs| bodies.contains(first(theirs)));
            if is_body && matches!(found, Found::Tensor { .. }) {
                return None;
            }
            renamed.add(name.into(), found.clone());
            continue;
        };
        let mut found = found.clone();
        if let Found::Tensor { shape, .. } = &mut found
            && known.scale
            && shape.len() == 1
        {
            shape.extend([1, 1]);
        }
        renamed.add(format!("{prefix}{}", known.ours).into(), found);
    }
    Some(renamed)
}

/// The first part of a name.
fn first(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}
