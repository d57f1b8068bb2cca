//! References by name: `pixels`, `mission2.best`, `deeper[arch=resnet50,seed=1]`.

use toml::Spanned;

use super::{files::Span, heads::House, kinds::Kind};
use crate::name;

/// A name that stands for a stage.
#[derive(Clone)]
pub(crate) struct Reference {
    /// The stage.
    pub stage: usize,
    /// What stands in brackets behind the name, to pick instances.
    pub selector: Option<String>,
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// What a field takes that refers to such a stage.
pub(crate) fn accepts(kinds: &[Kind]) -> String {
    let kinds = words(kinds);
    format!("the name of {} {kinds} stage", Kind::article(&kinds))
}

/// What a field takes that refers to several such stages.
pub(crate) fn accepts_list(kinds: &[Kind]) -> String {
    let kinds = words(kinds);
    format!("a list of names of {kinds} stages, such as `[\"deeper\"]`")
}

/// The stage that a name in a file stands for.
///
/// # Errors
/// Message and help, when there is none or it is of another kind.
pub(crate) fn resolve(
    house: &House<'_>,
    file: usize,
    written: &Spanned<String>,
    kinds: &[Kind],
) -> Result<Reference, (String, String)> {
    let text = name::nfc(written.get_ref());
    let (base, selector) = match text.split_once('[') {
        Some((base, rest)) => match rest.strip_suffix(']') {
            Some(inside) => (base, Some(inside.to_owned())),
            None => {
                let message = format!("`{text}` opens a bracket and does not close it");
                let help = "an instance is named as in `deeper[arch=resnet50,seed=1]`";
                return Err((message, help.to_owned()));
            }
        },
        None => (text.as_str(), None),
    };
    let mut owner = file;
    let mut rest = base;
    while let Some((alias, behind)) = rest.split_once('.') {
        let uses = &house.files[owner].uses;
        let Some(used) = uses.iter().find(|used| used.alias == alias) else {
            let message = format!("no file in `[use]` is called `{alias}`");
            let aliases: Vec<_> = uses.iter().map(|used| used.alias.as_str()).collect();
            let help = match name::nearest(alias, aliases.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if aliases.is_empty() => {
                    format!("add `[use]` with `{alias} = \"{alias}.toml\"`")
                }
                None => format!("there are {}", name::one_of(aliases)),
            };
            return Err((message, help));
        };
        let Some(next) = used.file else {
            // The file could not be read, which is a mistake of its own: nothing more to say about this one.
            let message = format!("the file of `{alias}` could not be read");
            return Err((message, "see the mistake in `[use]`".to_owned()));
        };
        owner = next;
        rest = behind;
    }
    let Some(&stage) = house.names[owner].get(rest) else {
        return Err(missing(house, file, base, kinds));
    };
    let fits = |kind: Kind| kinds.contains(&kind);
    match house.heads[stage].kind {
        Some(kind) if !fits(kind) => Err(of_other_kind(house, file, base, kind, kinds)),
        _ => Ok(Reference {
            stage,
            selector,
            span: written.span(),
            text,
        }),
    }
}

/// Names of stages of these kinds as a file would write them.
fn candidates(house: &House<'_>, file: usize, kinds: &[Kind]) -> Vec<String> {
    let of = |owner: usize, prefix: String| {
        house.heads.iter().filter_map(move |head| {
            let fits = head.file == owner && head.kind.is_none_or(|kind| kinds.contains(&kind));
            fits.then(|| format!("{prefix}{}", head.name))
        })
    };
    let own = of(file, String::new());
    let used = house.files[file].uses.iter();
    let used = used.filter_map(|used| Some(of(used.file?, format!("{}.", used.alias))));
    own.chain(used.flatten()).collect()
}

/// At most so many names are listed.
const LISTED: usize = 12;

/// "there is `a`", "there are `a` or `b`".
fn there(names: &[String]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("there {verb} {}", listed(names))
}

fn listed(names: &[String]) -> String {
    let shown = name::one_of(names.iter().take(LISTED).map(String::as_str));
    match names.len().checked_sub(LISTED) {
        Some(more) if more > 0 => format!("{shown}, and {more} more"),
        _ => shown,
    }
}

fn words(kinds: &[Kind]) -> String {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn missing(house: &House<'_>, file: usize, base: &str, kinds: &[Kind]) -> (String, String) {
    let names = candidates(house, file, kinds);
    let kinds = words(kinds);
    let message = format!("no {kinds} stage is called `{base}`");
    let near = name::nearest(base, names.iter().map(String::as_str));
    let help = match near {
        Some(near) if names.len() == 1 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? {}", there(&names)),
        None if names.is_empty() => {
            let first = kinds.split([',', ' ']).next().unwrap_or_default();
            format!("add one: `[{first}.NAME]`")
        }
        None => there(&names),
    };
    (message, help)
}

fn of_other_kind(
    house: &House<'_>,
    file: usize,
    base: &str,
    kind: Kind,
    kinds: &[Kind],
) -> (String, String) {
    let found = format!("{} {}", Kind::article(kind.name()), kind.name());
    let wanted = words(kinds);
    let article = Kind::article(&wanted);
    let message = format!("`{base}` is {found}, expected {article} {wanted}");
    let names = candidates(house, file, kinds);
    let help = if kind == Kind::Ensemble {
        "an ensemble is several models: name one of its members, or an `average` stage of them"
            .to_owned()
    } else if names.is_empty() {
        let first = kinds.first().map_or("", |kind| kind.name());
        format!("add one: `[{first}.NAME]`")
    } else {
        there(&names)
    };
    (message, help)
}
