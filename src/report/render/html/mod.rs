//! One file for a browser, without network: text, tables, charts and photographs are in it.
//!
//! Its security policy lets two scripts run, by their digests: the library of charts (`charts/`, how it is made stands beside it) and
//! `page.js`; nothing is evaluated and nothing fetched. Names come into the page as text alone.

mod pictures;
mod pieces;

use std::collections::BTreeMap;

use askama::Template;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    report::{Block, Document, Photograph, Span, Text},
};
pub use pictures::{Pictures, Thumbnail};
use pieces::{Chapter, Chart, Piece};

/// Apache ECharts, the parts that are used.
const LIBRARY: &str = include_str!("charts/charts.min.js");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: String,
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
}

impl Document {
    /// As one HTML file with these pictures of its photographs; of the others their names are shown.
    ///
    /// # Errors
    /// When a value cannot be written, such as a number that is none.
    pub fn html(&self, pictures: &Pictures) -> Result<String> {
        let places: BTreeMap<&Photograph, usize> =
            self.photographs().into_iter().zip(1..).collect();
        let mut charts: Vec<Chart<'_>> = Vec::new();
        let blocks = pieces::of(&self.blocks, &places, &mut charts);
        let page = Page {
            title: self.title(),
            policy: policy(),
            style: STYLE,
            chapters: pieces::chapters(&self.blocks),
            drawn: !charts.is_empty(),
            charts: json(&charts)?,
            pictures: json(&pictures.sources(&places))?,
            blocks,
            library: LIBRARY,
            script: SCRIPT,
        };
        page.render().map_err(fail)
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
fn policy() -> String {
    let digest = |script: &str| BASE64_STANDARD.encode(Sha256::digest(script));
    format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}' 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        digest(LIBRARY),
        digest(SCRIPT)
    )
}

/// As it may stand in a script: nothing in it ends the script.
fn json(value: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string(value).map_err(fail)?;
    Ok(text.replace('<', "\\u003c"))
}

fn fail(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed("cannot write the report as HTML").because(cause)
}

#[cfg(test)]
mod tests;
