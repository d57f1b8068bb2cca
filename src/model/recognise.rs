//! Finding a known network among the names of a file: under which keys and behind which prefix it is whole.

use std::collections::HashSet;

use super::{
    bounds,
    catalog::{Found, Opened, Set},
    families::{FAMILIES, Family, family},
    layout::{Role, Slot, head, slots},
};
use crate::{
    error::{Error, Result},
    settings::Arch,
    text,
};

/// A network that a file holds.
#[derive(Debug)]
pub(super) struct Recognised {
    /// The dictionary that it stands in.
    pub(super) set: usize,
    /// What stands before each of its names, with the dot.
    pub(super) prefix: String,
    /// How it is named: keys and prefix, or `.` at the top.
    pub(super) label: String,
    pub(super) arch: Arch,
    /// Outputs of its head; `None` without a head of its own.
    pub(super) classes: Option<usize>,
    /// What else of its dictionary is passed over.
    pub(super) rest: Vec<String>,
    /// Those among them that another kind of head would have.
    pub(super) other_head: Vec<String>,
    /// What the parts of its head are that are no tensors that are known, in words; such a head counts as none.
    pub(super) opaque_head: Vec<String>,
}

/// The tensors of a place by their own names.
pub(super) struct Names<'a> {
    set: &'a Set,
    prefix: &'a str,
}

impl Names<'_> {
    /// Whether there is one of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.set.has(&format!("{}{name}", self.prefix))
    }

    /// The shape of the tensor of that name.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        match self.set.get(&format!("{}{name}", self.prefix)) {
            Some(Found::Tensor { shape, .. }) => Some(shape),
            _ => None,
        }
    }

    /// How many there are of such names, of which the first has the number 0.
    pub(super) fn count(&self, name: impl Fn(usize) -> String) -> usize {
        let most = bounds::NETWORKS + 8;
        (0..=most).take_while(|i| self.has(&name(*i))).count()
    }
}

/// The network that is meant: the only one, or the one of that name.
///
/// # Errors
/// When there is none, none of that name, or several and none is named.
pub(super) fn choose(opened: &Opened, weights: Option<&str>) -> Result<Recognised> {
    let mut places = places(&opened.sets);
    if places.len() > bounds::NETWORKS {
        return Err(Error::failed(format!(
            "holds {} networks, more than {} that are told apart",
            places.len(),
            bounds::NETWORKS
        ))
        .help("save the `state_dict()` of one of them into a file of its own"));
    }
    if let Some(weights) = weights {
        let all = labels(&opened.sets, &places);
        places.retain(|place| is_named(&place.label(&opened.sets), weights));
        if places.is_empty() {
            let help = match all.as_str() {
                "" => "leave `weights` out".to_owned(),
                all => format!("it holds {all}"),
            };
            let weights = text::shown(weights);
            return Err(Error::usage(format!("holds no weights named `{weights}`")).help(help));
        }
    }
    let mut whole = Vec::new();
    let mut first = None;
    for place in places {
        match network(&opened.sets, place) {
            Ok(network) => whole.push(network),
            Err(error) => first = first.or(Some(error)),
        }
    }
    match (whole.len(), first) {
        (1, _) => Ok(whole.remove(0)),
        (0, Some(error)) => Err(error),
        (0, None) => Err(none(opened)),
        _ => {
            let names: Vec<_> = whole.iter().map(|n| format!("`{}`", n.label)).collect();
            let last = &whole[whole.len() - 1].label;
            Err(Error::usage(format!(
                "holds {} sets of weights: {}",
                whole.len(),
                names.join(", ")
            ))
            .help(format!(
                "choose one: `model = {{ file = \"…\", weights = \"{last}\" }}` in a pipeline, `--weights {last}` on the command line"
            )))
        }
    }
}

/// Where a network may stand: a dictionary and a prefix, and the family whose sign is there.
struct Place {
    set: usize,
    prefix: String,
    family: &'static Family,
}

impl Place {
    fn label(&self, sets: &[Set]) -> String {
        label(&sets[self.set], &self.prefix)
    }
}

/// Every place of two tensors that together are the sign of a family.
fn places(sets: &[Set]) -> Vec<Place> {
    let mut places = Vec::new();
    for (number, set) in sets.iter().enumerate() {
        for (name, _) in set.iter() {
            for family in FAMILIES {
                let [first, second] = family.sign;
                let Some(prefix) = name.strip_suffix(first) else {
                    continue;
                };
                let ends = prefix.is_empty() || prefix.ends_with('.');
                if ends && set.has(&format!("{prefix}{second}")) {
                    places.push(Place {
                        set: number,
                        prefix: prefix.to_owned(),
                        family,
                    });
                }
            }
        }
    }
    places
}

fn label(set: &Set, prefix: &str) -> String {
    let prefix = text::shown(prefix.trim_end_matches('.'));
    match (set.at.as_str(), prefix.as_str()) {
        ("", "") => ".".to_owned(),
        (at, "") => at.to_owned(),
        ("", prefix) => prefix.to_owned(),
        (at, prefix) => format!("{at}.{prefix}"),
    }
}

fn labels(sets: &[Set], places: &[Place]) -> String {
    let all = places.iter().map(|place| place.label(sets));
    let all: Vec<_> = all.map(|label| format!("`{label}`")).collect();
    all.join(", ")
}

/// By its whole label or its first keys, which may be all that one remembers.
fn is_named(label: &str, weights: &str) -> bool {
    label == weights
        || label
            .strip_prefix(weights)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// The network of an architecture's family that stands in a dictionary behind this prefix, if it is whole.
pub(super) fn behind(sets: &[Set], set: usize, prefix: String, arch: Arch) -> Result<Recognised> {
    let family = family(arch);
    let place = Place {
        set,
        prefix,
        family,
    };
    network(sets, place)
}

/// The network of a place, if it is whole.
fn network(sets: &[Set], place: Place) -> Result<Recognised> {
    let Place {
        set: number,
        prefix,
        family,
    } = place;
    let set = &sets[number];
    let names = Names {
        set,
        prefix: &prefix,
    };
    let arch = (family.arch)(&names).map_err(|what| unknown(&what))?;
    let [weight, bias] = head(arch, 1);
    let classes = match (names.shape(&weight.name), names.shape(&bias.name)) {
        (Some([outputs, _]), Some([bias])) if outputs == bias && *outputs > 0 => Some(*outputs),
        _ => None,
    };
    let opaque_head = opaque(set, &prefix, &[&weight.name, &bias.name]);
    let mut slots = slots(arch, classes.unwrap_or(1));
    if classes.is_none() {
        slots.retain(|slot| !matches!(slot.role, Role::HeadWeight | Role::HeadBias));
    }
    let Others {
        unexpected,
        rest,
        other_head,
    } = others(set, &prefix, family, &slots, weight.shape[1]);
    if let Some(faults) = faults(set, &prefix, &slots, &unexpected) {
        let head = classes.map_or("no head of its own".to_owned(), |n| text::count(n, "class"));
        return Err(Error::failed(format!(
            "the tensors are not those of {} with {head}: {}",
            arch.told(),
            faults.told
        ))
        .help(faults.help));
    }
    Ok(Recognised {
        set: number,
        label: label(set, &prefix),
        prefix,
        arch,
        classes,
        rest,
        other_head,
        opaque_head,
    })
}

/// Which of these are no tensors that are known, and what they are.
fn opaque(set: &Set, prefix: &str, names: &[&str]) -> Vec<String> {
    let told = |name: &&str| {
        let name = format!("{prefix}{name}");
        match set.get(&name) {
            Some(Found::Other(made_by)) => Some(object_of(set, &name, made_by)),
            _ => None,
        }
    };
    names.iter().filter_map(told).collect()
}

fn object_of(set: &Set, name: &str, made_by: &str) -> String {
    let (name, made_by) = (text::shown(&set.key(name)), text::shown(made_by));
    format!("`{name}` is an object of `{made_by}`, not a tensor that is known")
}

/// What stands in a dictionary beside a network.
#[derive(Default)]
struct Others<'a> {
    /// Named as parts of it are.
    unexpected: Vec<&'a str>,
    /// All others.
    rest: Vec<String>,
    /// Those among them that another kind of head would have, of so many features.
    other_head: Vec<String>,
}

fn others<'a>(
    set: &'a Set,
    prefix: &str,
    family: &Family,
    slots: &[Slot],
    features: usize,
) -> Others<'a> {
    let known: HashSet<&str> = slots.iter().map(|s| s.name.as_str()).collect();
    let is_part = |own: &str| {
        let first = own.split('.').next().unwrap_or_default();
        let first = first.trim_end_matches(|c: char| c.is_ascii_digit());
        family.parts.contains(&first)
    };
    let mut others = Others::default();
    for (name, found) in set.iter() {
        let own = name.strip_prefix(prefix);
        if own.is_some_and(|own| known.contains(own)) {
            continue;
        }
        let shape = match found {
            Found::Tensor { shape, .. } => Some(shape),
            Found::Other(_) => None,
        };
        if let Some(own) = own.filter(|own| shape.is_some() && is_part(own)) {
            others.unexpected.push(own);
            continue;
        }
        if shape.is_some_and(|shape| shape.len() == 2 && shape[1] == features) {
            others.other_head.push(name.to_owned());
        }
        others.rest.push(name.to_owned());
    }
    others
}

/// What keeps tensors from being a network, and a way out.
struct Faults {
    told: String,
    help: String,
}

/// Everything that is missing, too much or of another shape.
fn faults(set: &Set, prefix: &str, slots: &[Slot], unexpected: &[&str]) -> Option<Faults> {
    let (mut missing, mut misshaped, mut opaque) = (Vec::new(), Vec::new(), Vec::new());
    for slot in slots {
        let name = format!("{prefix}{}", slot.name);
        match (set.get(&name), slot.role) {
            // PyTorch before 0.4.1, and many converters, do not write it; some write [1] for a scalar.
            (None, Role::NormCount) => {}
            (Some(Found::Tensor { shape, .. }), Role::NormCount)
                if shape.iter().product::<usize>() == 1 => {}
            (None, _) => missing.push(slot.name.as_str()),
            (Some(Found::Tensor { shape, element, .. }), _)
                if *shape == slot.shape && element.kept_as().is_float() => {}
            (Some(Found::Tensor { shape, element, .. }), _) if *shape == slot.shape => {
                misshaped.push(format!("`{}` holds whole numbers ({element:?})", slot.name));
            }
            (Some(Found::Tensor { shape, .. }), _) if is_stem(slot, shape) => {
                misshaped.push(format!(
                    "`{}` is for images of {}, and photographs have 3 (red, green, blue)",
                    slot.name,
                    text::count(shape[1], "channel")
                ));
            }
            (Some(Found::Tensor { shape, element, .. }), _) => misshaped.push(format!(
                "`{}` is {:?} {shape:?} instead of {:?}",
                slot.name,
                element.kept_as(),
                slot.shape
            )),
            (Some(Found::Other(made_by)), _) => opaque.push((name, made_by)),
        }
    }
    let mut faults = differences(&missing, unexpected, &misshaped);
    if let Some((name, made_by)) = opaque.first() {
        let more = match opaque.len() - 1 {
            0 => String::new(),
            more => format!(
                ", as {} {} more",
                text::plural(more, "is"),
                text::number(more as u64)
            ),
        };
        faults.push(object_of(set, name, made_by) + &more);
    }
    let statistics = |name: &&str| name.contains(".running_");
    let help = if !opaque.is_empty() {
        "in Python, save it with plain values: `torch.save({k: v.float() for k, v in model.state_dict().items()}, \"weights.pt\")`".to_owned()
    } else if !missing.is_empty() && missing.iter().all(statistics) {
        "save `model.state_dict()`: parameters alone lack the statistics of BatchNorm".to_owned()
    } else {
        accepted()
    };
    let told = faults.join("; ");
    (!faults.is_empty()).then_some(Faults { told, help })
}

/// In what tensors differ from those of a network, in words.
pub(super) fn differences(
    missing: &[&str],
    unexpected: &[&str],
    misshaped: &[String],
) -> Vec<String> {
    let mut told = Vec::new();
    if !missing.is_empty() {
        told.push(format!("missing are {}", some(missing)));
    }
    if !unexpected.is_empty() {
        told.push(format!("unexpected are {}", some(unexpected)));
    }
    if !misshaped.is_empty() {
        told.push(text::first_items(misshaped, 3));
    }
    told
}

/// Whether a tensor is that of the convolution that sees the image, but for its channels.
fn is_stem(slot: &Slot, shape: &[usize]) -> bool {
    let [out, 3, height, width] = slot.shape[..] else {
        return false;
    };
    matches!(shape, [o, c, h, w] if [*o, *h, *w] == [out, height, width] && *c != 3)
}

/// The networks that are known.
fn accepted() -> String {
    let [most @ .., last] = Arch::ALL.map(Arch::name);
    let most = most.join(", ");
    format!("accepted are torchvision's {most} and {last} with its names of tensors")
}

fn unknown(what: &str) -> Error {
    Error::failed(format!("is none of the known architectures: {what}")).help(accepted())
}

fn none(opened: &Opened) -> Error {
    // The first of the largest.
    let largest = opened.sets.iter().rev().max_by_key(|set| set.tensors());
    match largest {
        Some(set) if set.tensors() > 0 => {
            let names: Vec<_> = set.iter().map(|(name, _)| name).collect();
            unknown(&format!(
                "it holds {}: {}",
                text::count(names.len(), "tensor"),
                some(&names)
            ))
        }
        _ => {
            let opaque =
                opened
                    .sets
                    .iter()
                    .flat_map(Set::iter)
                    .find_map(|(name, found)| match found {
                        Found::Other(made_by) => Some((name, made_by)),
                        Found::Tensor { .. } => None,
                    });
            let found = match opaque {
                Some((name, made_by)) => {
                    format!("`{}` is an object of `{made_by}`", text::shown(name))
                }
                None => format!("it is {}", opened.instead),
            };
            Error::failed(format!(
                "holds no state dict: {found}, and nothing in a model file is executed"
            ))
            .help(
                "save `model.state_dict()` with `torch.save`; a whole pickled model cannot be read",
            )
        }
    }
}

/// The first names and a count of the rest.
pub(super) fn some(names: &[&str]) -> String {
    // The end of a long name says more than its prefixes.
    let short = |name: &&str| match name.char_indices().rev().nth(59) {
        Some((at @ 1.., _)) => format!("`…{}`", text::shown(&name[at..])),
        _ => format!("`{}`", text::shown(name)),
    };
    if names.is_empty() {
        return "none".to_owned();
    }
    text::first_items(names.iter().map(short), 8)
}
