//! One file for a browser, without network: text, tables, charts and photographs are in it.
//!
//! Its security policy lets two scripts run, by their digests: the library of charts (`charts/`, how it is made stands beside it) and
//! `matrix.js` with `folds.js` and `page.js`; nothing is evaluated and nothing fetched. Names come into the page as text alone.

mod flow;
mod links;
mod pictures;
mod pieces;

use std::collections::BTreeMap;

use askama::Template;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::Format;
use crate::{
    error::{Error, Result},
    report::{Block, Document, Language, Photograph, Span, Text},
    text,
};
pub use pictures::{Evidence, Pictures, Thumbnail};
use pieces::{Chapter, Chart, Piece};

/// Apache ECharts, the parts that are used.
const LIBRARY: &str = include_str!("charts/charts.min.js");
const SCRIPT: &str = concat!(
    include_str!("matrix.js"),
    include_str!("folds.js"),
    include_str!("page.js")
);
/// What renews a page that is served.
const RENEWAL: &str = include_str!("renewal.js");
const STYLE: &str = include_str!("page.css");

pub(super) const FORMAT: Format = Format {
    extension: "html",
    doc: "one page with charts and photographs",
    pictures: true,
    most: 800,
    write: |document, pictures| Ok(document.html(pictures)?.into_bytes()),
};

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    language: Language,
    title: String,
    words: String,
    policy: String,
    style: &'static str,
    chapters: Vec<Chapter<'a>>,
    blocks: Vec<Piece<'a>>,
    charts: String,
    pictures: String,
    /// Whether there is any chart.
    drawn: bool,
    library: &'static str,
    script: &'static str,
    /// Of a page that is served: the state that it shows, and what renews it.
    served: Option<(&'a str, &'static str)>,
}

/// How a page is looked at.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// Its pictures are files beside it.
    beside: bool,
    /// It is served, and shows this state.
    state: Option<&'a str>,
}

impl Document {
    /// As one HTML file with these pictures of its photographs; of the others their names are shown.
    ///
    /// # Errors
    /// When a value cannot be written, such as a number that is none.
    pub fn html(&self, pictures: &Pictures) -> Result<String> {
        self.page(pictures, Place::default())
    }

    /// The same with pictures in files beside it.
    ///
    /// # Errors
    /// As [`Document::html`].
    pub(in crate::report) fn html_beside_pictures(&self, pictures: &Pictures) -> Result<String> {
        let (beside, state) = (true, None);
        self.page(pictures, Place { beside, state })
    }

    /// The same for a server that answers `/state` with the state of now: where that is another, the page loads itself anew.
    ///
    /// # Errors
    /// As [`Document::html`].
    pub fn html_served(&self, pictures: &Pictures, state: &str) -> Result<String> {
        let (beside, state) = (false, Some(state));
        self.page(pictures, Place { beside, state })
    }

    fn page(&self, pictures: &Pictures, place: Place<'_>) -> Result<String> {
        let places: BTreeMap<&Photograph, usize> =
            self.photographs().into_iter().zip(1..).collect();
        let mut charts: Vec<Chart<'_>> = Vec::new();
        let blocks = pieces::of(&self.blocks, self.language, &places, pictures, &mut charts);
        let page = Page {
            language: self.language,
            title: self.title(),
            words: json(&self.language.words())?,
            policy: policy(place),
            style: STYLE,
            chapters: pieces::chapters(&self.blocks),
            drawn: !charts.is_empty(),
            charts: json(&charts)?,
            pictures: json(&pictures.sources(&places, place.beside))?,
            blocks,
            library: LIBRARY,
            script: SCRIPT,
            served: place.state.map(|state| (state, RENEWAL)),
        };
        // The last door: what is in charts and attributes comes from names too. Nothing of a page's own has such a character.
        Ok(text::safe_lines(&page.render().map_err(fail)?))
    }

    fn title(&self) -> String {
        let title = self.blocks.iter().find_map(|block| match block {
            Block::Heading { level: 1, text } => Some(plain(text)),
            _ => None,
        });
        title.unwrap_or_default()
    }
}

/// Without marks.
fn plain(text: &Text) -> String {
    let words = |span: &Span| match span {
        Span::Plain(words) | Span::Code(words) => words.clone(),
    };
    text.spans.iter().map(words).collect()
}

/// What the page may do.
fn policy(place: Place<'_>) -> String {
    let digest = |script: &str| BASE64_STANDARD.encode(Sha256::digest(script));
    let beside = if place.beside { " 'self' file:" } else { "" };
    let renewal = match place.state {
        Some(_) => format!(" 'sha256-{}'; connect-src 'self'", digest(RENEWAL)),
        None => String::new(),
    };
    format!(
        "default-src 'none'; img-src data:{beside}; style-src 'unsafe-inline'; script-src 'sha256-{}' 'sha256-{}'{renewal}; \
         base-uri 'none'; form-action 'none'",
        digest(LIBRARY),
        digest(SCRIPT)
    )
}

/// As it may stand in a script: nothing in it ends the script.
fn json(value: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string(value).map_err(fail)?;
    Ok(text::json_safe(&text).replace('<', "\\u003c"))
}

fn fail(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("cannot write the report as HTML").because(cause)
}

#[cfg(test)]
mod tests;
