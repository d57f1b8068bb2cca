//! A page with its pictures as files beside it, in one zip: for more photographs than a page can hold.

use std::io::{Cursor, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Format, Pictures};
use crate::{
    error::{Error, Result},
    report::Document,
};

pub(super) const FORMAT: Format = Format {
    extension: "zip",
    doc: "a page with its photographs beside it",
    pictures: true,
    most: 40_000,
    write: of,
};

/// `report/index.html` and `report/pictures/N.jpg`. The same document and pictures give the same bytes.
fn of(document: &Document, pictures: &Pictures) -> Result<Vec<u8>> {
    let html = document.html_beside_pictures(pictures)?;
    write(document, pictures, &html)
        .map_err(|cause| Error::failed("cannot write the report as a zip").because(cause))
}

fn write(document: &Document, pictures: &Pictures, html: &str) -> std::io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Without a time: the default of the format's epoch.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("report/index.html", options)?;
    zip.write_all(html.as_bytes())?;
    // A JPEG is not made smaller.
    let options = options.compression_method(CompressionMethod::Stored);
    for (number, photograph) in (1..).zip(document.photographs()) {
        if let Some(thumbnail) = pictures.thumbnails.get(photograph) {
            zip.start_file(format!("report/{}", Pictures::file(number)), options)?;
            zip.write_all(&thumbnail.jpeg)?;
        }
    }
    Ok(zip.finish()?.into_inner())
}
