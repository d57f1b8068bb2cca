//! Names that wrappers of PyTorch put between the layers of a network: `layer1._orig_mod.0.conv1.weight` where a layer alone was
//! compiled. Before a whole network they are a prefix as any other.

use super::{
    catalog::{Opened, Set},
    recognise::{Recognised, choose},
};
use crate::error::Result;

/// What `torch.compile`, FSDP and the checkpointing of activations call the module that they wrap.
const WRAPPERS: [&str; 4] = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_fpw_module",
];

/// The network that is meant. Where there is none with a head, it may be that single layers were wrapped.
///
/// # Errors
/// As [`choose`].
pub(super) fn network(opened: &mut Opened, weights: Option<&str>) -> Result<Recognised> {
    let found = choose(opened, weights);
    if found
        .as_ref()
        .is_ok_and(|network| network.classes.is_some())
    {
        return found;
    }
    let Some(plain) = unwrapped(&opened.sets) else {
        return found;
    };
    let wrapped = std::mem::replace(&mut opened.sets, plain);
    match choose(opened, weights) {
        Ok(network) => Ok(network),
        Err(_) => {
            opened.sets = wrapped;
            found
        }
    }
}

/// The same dictionaries without such names; `None` where none has any, or two names would become one.
fn unwrapped(sets: &[Set]) -> Option<Vec<Set>> {
    let is_wrapped = |name: &str| name.split('.').any(|part| WRAPPERS.contains(&part));
    if !sets
        .iter()
        .flat_map(Set::iter)
        .any(|(name, _)| is_wrapped(name))
    {
        return None;
    }
    sets.iter().map(unwrapped_set).collect()
}

fn unwrapped_set(set: &Set) -> Option<Set> {
    let mut plain = Set::default();
    plain.at.clone_from(&set.at);
    for (name, found) in set.iter() {
        let parts = name.split('.').filter(|part| !WRAPPERS.contains(part));
        let name = parts.collect::<Vec<_>>().join(".");
        if plain.has(&name) {
            return None;
        }
        plain.add(name.into(), found.clone());
    }
    Some(plain)
}
