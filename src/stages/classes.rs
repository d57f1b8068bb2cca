//! The class names of a data set, from what its parts hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    data::Listing,
    error::{Error, Result},
    name::{is_blank_name, twins},
    record::Part,
    text::{count, either, first_few, plural, shown, shown_apart},
};

/// Names that are told.
const NAMED: usize = 10;

/// The class names in code point order, and a warning for each part that has no image of some of them.
///
/// # Errors
/// When two names look the same, a part has classes that the training part lacks, or there is one class alone.
pub(crate) fn classes(listing: &Listing) -> Result<(Vec<String>, Vec<String>)> {
    let mut by_part: BTreeMap<Part, BTreeMap<&str, usize>> = BTreeMap::new();
    for image in &listing.images {
        let classes = by_part.entry(image.part).or_default();
        *classes.entry(image.class.as_str()).or_default() += 1;
    }
    // A data set without a training part is what its first part says.
    let Some(first) = Part::ALL
        .into_iter()
        .find(|part| by_part.contains_key(part))
    else {
        return Ok((Vec::new(), Vec::new()));
    };
    refuse_twins(&by_part)?;
    let all: BTreeSet<&str> = by_part[&first].keys().copied().collect();
    refuse_unknown(first, &all, &by_part)?;
    if all.len() < 2 {
        let only: Vec<_> = all.iter().map(|name| shown(name)).collect();
        return Err(Error::failed(format!(
            "there is only one class, `{}`; nothing can be told apart",
            only.join("")
        ))
        .help("name the folder that holds the class folders, and put two classes or more there; or name a list of `path,label`: `manifest = \"…\"`"));
    }
    let mut warnings = Vec::new();
    for (part, classes) in &by_part {
        let lacking = all.iter().filter(|class| !classes.contains_key(*class));
        let lacking: Vec<&str> = lacking.copied().collect();
        if !lacking.is_empty() {
            warnings.push(format!(
                "`{}` has no image of {}: {}; what is told of this part says nothing about {}",
                part.name(),
                match lacking.len() {
                    1 => "one class".to_owned(),
                    n => count(n, "class"),
                },
                first_few(lacking.iter().copied(), NAMED),
                either(lacking.len(), "it", "them"),
            ));
        }
    }
    let all = all.into_iter().map(str::to_owned).collect();
    Ok((all, warnings))
}

/// Names that nobody can tell apart, in one part or between parts, and names that show nothing.
fn refuse_twins(by_part: &BTreeMap<Part, BTreeMap<&str, usize>>) -> Result<()> {
    let names = || by_part.values().flat_map(|classes| classes.keys().copied());
    if let Some(blank) = names().find(|name| is_blank_name(name)) {
        let message = format!("the class `{}` has a name that shows nothing", shown(blank));
        return Err(Error::failed(message).help("give it a name that can be read"));
    }
    let twins = twins(names());
    let Some([one, other, ..]) = twins.first().map(Vec::as_slice) else {
        return Ok(());
    };
    let place = |name: &str| {
        let of = |(part, classes): (&Part, &BTreeMap<&str, usize>)| {
            let n = classes.get(name)?;
            Some(format!("{} in `{}`", count(*n, "image"), part.name()))
        };
        let places: Vec<_> = by_part.iter().filter_map(of).collect();
        places.join(", ")
    };
    let (a, b) = shown_apart(one, other);
    let more = match twins.len() - 1 + twins[0].len() - 2 {
        0 => String::new(),
        n => format!(", and {} more", count(n, "such name")),
    };
    Err(Error::failed(format!(
        "two classes look the same: `{a}` ({}) and `{b}` ({}){more}",
        place(one),
        place(other)
    ))
    .help(
        "they would be trained as two classes: give them one name, or names that can be told apart",
    ))
}

/// Classes that the first part does not know.
fn refuse_unknown(
    first: Part,
    all: &BTreeSet<&str>,
    by_part: &BTreeMap<Part, BTreeMap<&str, usize>>,
) -> Result<()> {
    for (part, classes) in by_part {
        let unknown = classes.keys().filter(|class| !all.contains(*class));
        let unknown: Vec<&str> = unknown.copied().collect();
        if unknown.is_empty() {
            continue;
        }
        let (a, b) = (first.name(), part.name());
        let lacking = all.iter().filter(|class| !classes.contains_key(*class));
        let lacking: Vec<&str> = lacking.copied().collect();
        let only_first = match lacking.len() {
            0 => "none".to_owned(),
            n => format!("{n} ({})", first_few(lacking.iter().copied(), NAMED)),
        };
        return Err(Error::failed(format!(
            "`{b}` has classes that `{a}` lacks, so nothing can be learnt of them; only in `{b}`: {} ({}); only in `{a}`: {only_first}",
            unknown.len(),
            first_few(unknown.iter().copied(), NAMED),
        ))
        .help(format!(
            "spell the classes alike, give `{a}` images of {}, or take {} out of `{b}`",
            plural(unknown.len(), "this"),
            either(unknown.len(), "it", "them"),
        )));
    }
    Ok(())
}
