//! The label of a row: what can name a class.

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

/// Labels that most likely say that there is none. `None` and `NA` may be classes all the same.
pub(super) fn warn_of_missing(images: &[Found]) -> Option<String> {
    let missing = |image: &&Found| MISSING.contains(&image.class.to_lowercase().as_str());
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
