//! A value of a file as a type, so that every mistake in it is found and not just the first.

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeValue, ValueDeserializer},
};

use super::{
    file::Span,
    strict::Strict,
    wording::{self, Wording},
};

/// A value is tried again this often at most, each time without the last mistake.
const TRIES: usize = 20;

/// The value of `key` in a text as a type; `None` after a mistake. After a mistake the rest is tried again without it, for the next
/// one.
pub(crate) fn derive<T: DeserializeOwned>(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    text: &str,
    accepts: &dyn Fn() -> String,
    tell: &mut dyn FnMut(Wording),
) -> Option<T> {
    let mut rest = value.clone();
    // Values that were replaced by what is expected, and places that were taken out: what is wrong with all around such a
    // place is a consequence.
    let (mut repaired, mut taken_out) = (Vec::new(), Vec::<Span>::new());
    for attempt in 0..TRIES {
        let error = match T::deserialize(Strict(ValueDeserializer::from(rest.clone()))) {
            Ok(typed) if attempt == 0 => return Some(typed),
            Ok(_) => return None,
            Err(error) => error,
        };
        let at = error.span();
        let again = at.as_ref().is_some_and(|at| repaired.contains(at));
        // Without a place of its own, a mistake is of the whole value.
        let around = |out: &Span| {
            at.as_ref()
                .is_none_or(|at| at.start <= out.start && out.end <= at.end)
        };
        let follows = !taken_out.is_empty() && wording::is_consequence(&error);
        if !again && !follows && !taken_out.iter().any(around) {
            tell(wording::value(&error, key, value, text, &accepts()));
        }
        let span = at?;
        if !again && wording::repair(rest.get_mut(), &span, &error) {
            repaired.push(span);
            continue;
        }
        if !wording::take_out(rest.get_mut(), &span) {
            return None;
        }
        taken_out.push(span);
    }
    None
}
