//! Reading the text of a file that people write in TOML, and the mistakes of its syntax.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use toml::{Spanned, de::DeTable};

use super::{encoding, file::File, location::Location, mistake::Found, root, wording};
use crate::{
    files,
    text::{count, shown_path},
};

/// It is written by hand: a larger file is something else.
const MOST_BYTES: u64 = 16 << 20;

/// So many mistakes of syntax are told one by one: a file of another kind has thousands.
const MOST_MISTAKES: usize = 20;

/// What a file is expected to be, in the words of a message.
pub(super) struct Expected<'a> {
    /// Such as "a pipeline file".
    pub what: &'static str,
    /// The way out.
    pub help: &'a str,
}

/// Why a file can't be read.
pub(super) struct Unread {
    /// Where.
    pub location: Location,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: String,
    /// Whether something lies there.
    pub there: bool,
}

impl Unread {
    /// A file as a whole.
    pub(super) fn of(path: &Path, message: String, help: String) -> Self {
        Self {
            location: Location::whole(shown(path)),
            message,
            help,
            there: path.exists(),
        }
    }
}

/// Reads one file. The folder in which a run starts does not matter, and neither does where a linked file lies.
#[expect(
    clippy::result_large_err,
    reason = "made once for a file that cannot be read"
)]
pub(super) fn open(path: &Path, prefix: String, expected: &Expected<'_>) -> Result<File, Unread> {
    let unread = |message: String, help: Option<String>| {
        let help = help.unwrap_or_else(|| expected.help.to_owned());
        Unread::of(path, message, help)
    };
    let fail =
        |e: &std::io::Error| unread(format!("cannot read `{}`: {e}", shown_path(path)), None);
    let denied = || {
        let help = "whom it belongs to can make it readable for you (`chmod a+r`)";
        (path.exists()
            && fs::File::open(path).is_err_and(|e| e.kind() == ErrorKind::PermissionDenied))
        .then(|| help.to_owned())
    };
    if path.is_dir() {
        let (path, what) = (shown_path(path), expected.what);
        return Err(unread(
            format!("`{path}` is a folder, expected {what}"),
            None,
        ));
    }
    let real = fs::canonicalize(path).map_err(|e| fail(&e))?;
    let given = root::given(path).map_err(|e| fail(&e))?;
    let bytes = files::read_bounded(path, MOST_BYTES).map_err(|e| {
        unread(
            e.to_string(),
            e.help_text().map(str::to_owned).or_else(denied),
        )
    })?;
    let shown = shown(&given);
    let text = encoding::decode(bytes, &shown_path(&shown)).map_err(|odd| Unread {
        location: match odd.place {
            Some((text, at)) => {
                let lines = line_starts(&text);
                Location::of(shown.clone(), &text, &lines, &(at..at + 1))
            }
            None => Location::whole(shown.clone()),
        },
        message: odd.message,
        help: odd.help,
        there: true,
    })?;
    Ok(File {
        root: root::of(&given),
        lines: line_starts(&text),
        shown,
        text,
        prefix,
        uses: Vec::new(),
        path: given,
        real,
    })
}

/// A file whose text is known: it may have another now, or be gone.
pub(super) fn saying(path: &Path, prefix: String, text: String) -> std::io::Result<File> {
    let given = root::given(path)?;
    Ok(File {
        root: root::of(&given),
        lines: line_starts(&text),
        shown: shown(&given),
        text,
        prefix,
        uses: Vec::new(),
        real: fs::canonicalize(path).unwrap_or_else(|_| given.clone()),
        path: given,
    })
}

/// Where the lines of a text start, in bytes.
fn line_starts(text: &str) -> Vec<usize> {
    let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(breaks).collect()
}

/// Relative to the working directory where it lies below it.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(fs::canonicalize);
    match here.ok().and_then(|here| path.strip_prefix(here).ok()) {
        Some(below) => below.to_owned(),
        None => path.to_owned(),
    }
}

/// The tables of a text. Mistakes of syntax are noted here, once a file.
pub(super) fn parse<'i>(at: usize, text: &'i str, found: &mut Found) -> Spanned<DeTable<'i>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut twice = Vec::new();
    let mut signs = Vec::new();
    let mut told = 0;
    let all = errors.len();
    for (i, error) in errors.into_iter().enumerate() {
        let span = error.span().unwrap_or(0..0);
        if told == MOST_MISTAKES {
            found.unreadable = true;
            let message = format!(
                "this is not TOML: {} follow",
                count(all - i, "more mistake")
            );
            let help = "mend those above first; or the file is of another kind";
            found.add(at, &span, message, Some(help.to_owned()));
            break;
        }
        if !wording::is_duplicate(&error) {
            found.unreadable = true;
        } else if twice.contains(&header_before(text, span.start)) {
            // Below a header that is given twice everything comes twice.
            continue;
        } else if is_in_header(text, span.start) {
            twice.push(header_before(text, span.end));
        }
        if let Some((sign, _)) = wording::odd_sign(&error, text) {
            if signs.contains(&sign) {
                continue;
            }
            signs.push(sign);
        }
        let (message, help) = wording::syntax(&error, text);
        found.add(at, &span, message, help);
        told += 1;
        if wording::is_json(text) {
            // All that comes after follows from it.
            break;
        }
    }
    document
}

/// Whether a place stands behind a bracket in its line, as a name in a header does.
fn is_in_header(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.starts_with('[')
}

/// Where the last line starts, up to a place, that opens a table.
fn header_before(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let inside = before.rfind("\n[").map(|at| at + 1);
    inside.or(before.starts_with('[').then_some(0))
}
