//! The label of a row: what can name a class.

use std::collections::BTreeSet;

use super::Found;
use crate::{
    name::{is_blank_name, nfc},
    text::{count, either, shown},
};

/// The longest label, in characters: more is a text that slipped into the column.
const LONGEST: usize = 1000;

/// What spreadsheets write into a cell whose formula fails, such as a look-up of the label that found nothing.
const FAILED: [&str; 10] = [
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!",
    "#ERROR!",
];

/// What programs write where there is no value.
const MISSING: [&str; 7] = ["nan", "null", "none", "na", "n/a", "<na>", "undefined"];

/// The class of a row.
///
/// # Errors
/// What is wrong with the label, in words.
pub(super) fn label(path: &str, written: &str) -> Result<String, String> {
    let label = nfc(written);
    if label.is_empty() {
        return Err(format!("`{}` has no label", shown(path)));
    }
    if is_blank_name(&label) {
        return Err(format!(
            "the label of `{}` shows nothing: `{}`",
            shown(path),
            shown(&label)
        ));
    }
    if FAILED
        .iter()
        .any(|failed| label.eq_ignore_ascii_case(failed))
    {
        return Err(format!(
            "the label of `{}` is `{label}`, which a spreadsheet writes where a formula fails",
            shown(path)
        ));
    }
    let length = label.chars().count();
    if length > LONGEST {
        return Err(format!(
            "the label of `{}` has {length} characters: `{}`",
            shown(path),
            shown(&label)
        ));
    }
    Ok(label)
}

/// Whether a word is one that programs write where there is no value.
fn says_none(word: &str) -> bool {
    MISSING.contains(&word.to_lowercase().as_str())
}

/// Groups that most likely say that there is none: their images are all on one side of a split that goes by groups.
pub(super) fn warn_of_no_groups(images: &[Found]) -> Option<String> {
    let named = |image: &Found| {
        let group = image.group.as_ref();
        group.filter(|group| says_none(group)).cloned()
    };
    let mut named = images.iter().filter_map(named);
    let first = named.next()?;
    let n = 1 + named.count();
    Some(format!(
        "{} {} a group that programs write where none is known, such as `{}`: they are taken as one group",
        count(n, "image"),
        either(n, "has", "have"),
        shown(&first)
    ))
}

/// Labels that are most likely several: `a|b` where `a` or `b` is a label too, and lists as Python writes them.
pub(super) fn warn_of_several(images: &[Found]) -> Option<String> {
    let labels: BTreeSet<&str> = images.iter().map(|image| image.class.as_str()).collect();
    let several: BTreeSet<&str> = labels
        .iter()
        .copied()
        .filter(|label| is_several(label, &labels))
        .collect();
    let mut images = (images.iter()).filter(|image| several.contains(image.class.as_str()));
    let first = images.next()?;
    let n = 1 + images.count();
    Some(format!(
        "the label of {} seems to be several, such as `{}` of `{}`: it is trained as one class of its own",
        count(n, "image"),
        shown(&first.class),
        shown(&first.name)
    ))
}

/// Whether a label is made of others. A dish may have a comma in its name: there every piece has to be a label of its own.
fn is_several(label: &str, labels: &BTreeSet<&str>) -> bool {
    let inner = label.strip_prefix('[').and_then(|l| l.strip_suffix(']'));
    if inner.is_some_and(|inner| inner.contains(',')) {
        return true;
    }
    let known = |piece: &str| labels.contains(piece.trim());
    let any = |sign: char| label.contains(sign) && label.split(sign).any(known);
    any('|') || any(';') || (label.contains(',') && label.split(',').all(known))
}

/// Labels that most likely say that there is none. `None` and `NA` may be classes all the same.
pub(super) fn warn_of_missing(images: &[Found]) -> Option<String> {
    let missing = |image: &&Found| says_none(&image.class);
    let mut missing = images.iter().filter(missing);
    let first = missing.next()?;
    let n = 1 + missing.count();
    Some(format!(
        "{} {} a label that programs write where none is known, such as `{}` of `{}`: it is trained as a class",
        count(n, "image"),
        either(n, "has", "have"),
        first.class,
        shown(&first.name)
    ))
}
