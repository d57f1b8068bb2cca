//! References by name: `pixels`, `mission2.best`, `deeper[arch=resnet50,seed=1]`.

use toml::Spanned;

use super::{
    about::{About, Gives, Wants, article},
    file::Span,
    heads::Outline,
};
use crate::{
    name,
    text::{more, plural},
};

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

/// The stage that a name in a file stands for.
///
/// # Errors
/// Message and help, when there is none or it is of another kind.
pub(crate) fn resolve(
    outline: &Outline<'_>,
    at: usize,
    written: &Spanned<String>,
    wants: Wants,
) -> Result<Reference, (String, String)> {
    let file = outline.heads[at].file;
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
        let uses = &outline.files[owner].uses;
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
    let Some(&stage) = outline.names[owner].get(rest) else {
        return Err(missing(outline, at, base, wants));
    };
    match outline.heads[stage].kind {
        Some(kind) if !wants.takes(kind.gives) => {
            Err(of_other_kind(outline, at, base, kind, wants))
        }
        _ => Ok(Reference {
            stage,
            selector,
            span: written.span(),
            text,
        }),
    }
}

/// Names of stages of these kinds as the file of the stage `at` would write them, without that stage's own.
fn candidates(outline: &Outline<'_>, at: usize, wants: Wants) -> Vec<String> {
    let file = outline.heads[at].file;
    let of = |owner: usize, prefix: String| {
        outline
            .heads
            .iter()
            .enumerate()
            .filter_map(move |(stage, head)| {
                let fits = head.file == owner
                    && stage != at
                    && head.kind.is_none_or(|kind| wants.takes(kind.gives));
                fits.then(|| format!("{prefix}{}", head.name))
            })
    };
    let own = of(file, String::new());
    let used = outline.files[file].uses.iter();
    let used = used.filter_map(|used| Some(of(used.file?, format!("{}.", used.alias))));
    own.chain(used.flatten()).collect()
}

/// At most so many names are listed.
const LISTED: usize = 12;

/// "there is `a`", "there are `a` or `b`".
fn there(names: &[String]) -> String {
    format!("there {} {}", plural(names.len(), "is"), listed(names))
}

fn listed(names: &[String]) -> String {
    let shown = name::one_of(names.iter().take(LISTED).map(String::as_str));
    match names.len().checked_sub(LISTED) {
        Some(rest @ 1..) => format!("{shown}, {}", more(rest as u64)),
        _ => shown,
    }
}

fn missing(outline: &Outline<'_>, at: usize, base: &str, wants: Wants) -> (String, String) {
    let names = candidates(outline, at, wants);
    let kinds = wants.words();
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
    outline: &Outline<'_>,
    at: usize,
    base: &str,
    kind: &About,
    wants: Wants,
) -> (String, String) {
    let found = format!("{} {}", article(kind.name), kind.name);
    let wanted = wants.words();
    let article = article(&wanted);
    let message = format!("`{base}` is {found}, expected {article} {wanted}");
    let names = candidates(outline, at, wants);
    let help = if kind.gives == Gives::Models {
        "an ensemble is several models: name one of its members, or an `average` stage of them"
            .to_owned()
    } else if names.is_empty() {
        let first = wants.kinds().first().map_or("", |kind| kind.name);
        format!("add one: `[{first}.NAME]`")
    } else {
        there(&names)
    };
    (message, help)
}
