//! A list of photographs to leave out: a CSV or TSV with a column `path`, or a text with a path on each line.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    Listing, is_tsv,
    names::Names,
    table::{LARGEST_LIST, same_header, table},
};
use crate::{
    cells,
    error::{Error, Result},
    files,
    text::{count, either, first_few, first_lines, shown, shown_path},
};

/// What such a list looks like.
const HELP: &str = "the first line is `path` (other columns are not read), and each further line names one photograph as `kfood data` does, such as `train/김밥/001.jpg`, or by its path on disk";

/// The rows of a list, and which of them were of use.
#[derive(Debug)]
pub struct Exclusion {
    /// The list, for messages.
    list: String,
    folder: PathBuf,
    root: PathBuf,
    rows: Vec<(u64, String)>,
    notes: Vec<String>,
}

impl Exclusion {
    /// Reads a list; `root` is the folder of the project.
    ///
    /// # Errors
    /// When it cannot be read or is no such list.
    pub fn read(list: &Path, root: &Path) -> Result<Self> {
        let bytes = files::read_bounded(list, LARGEST_LIST)?;
        let name = shown_path(list);
        let (table, notes) = table(&bytes, is_tsv(list), &name, &["path"])?;
        let header = &table.header;
        let is_path = |cell: &String| cell.eq_ignore_ascii_case("path");
        let column = header.cells.iter().position(is_path);
        let mut rows = Vec::new();
        if column.is_none() {
            if header.cells.len() > 1 {
                return Err(Error::failed(format!(
                    "line {} of `{name}` has no column `path`, only {}",
                    header.line,
                    first_few(header.cells.iter().map(String::as_str), 10)
                ))
                .help(HELP));
            }
            rows.push((header.line, header.cells[0].clone()));
        }
        let mut mistakes = Vec::new();
        for row in &table.rows {
            match row {
                Ok(row) if same_header(header, row) => {}
                Ok(row) => match row.cells.get(column.unwrap_or(0)) {
                    Some(path) if path.contains(char::is_control) => mistakes.push(format!(
                        "line {}: `{}` holds control characters",
                        row.line,
                        shown(path)
                    )),
                    Some(path) if !path.is_empty() => {
                        rows.push((row.line, cells::unguarded(path).to_owned()));
                    }
                    _ => mistakes.push(format!("line {}: `path` is empty", row.line)),
                },
                Err((line, mistake)) => mistakes.push(format!("line {line}: {mistake}")),
            }
        }
        if !mistakes.is_empty() {
            let message = format!(
                "{} of `{name}` cannot be used:{}",
                count(mistakes.len(), "row"),
                first_lines(&mistakes, 20)
            );
            return Err(Error::failed(message).help(HELP));
        }
        Ok(Self {
            list: name,
            folder: files::folder_of(list).to_owned(),
            root: root.to_owned(),
            rows,
            notes,
        })
    }

    /// Takes what the list names out of a listing, and tells of it there.
    ///
    /// # Errors
    /// When a row may mean images of several parts.
    pub fn apply(self, listing: &mut Listing) -> Result<()> {
        let (out, nothing) = self.find(listing)?;
        let lost = without_image(listing, &out);
        let mut places = 0..;
        listing
            .images
            .retain(|_| places.next().is_some_and(|place| !out.contains(&place)));
        self.tell(listing, out.len(), &nothing, &lost);
        Ok(())
    }

    /// The places in a listing of the images that the list names, and the rows that name none.
    fn find(&self, listing: &Listing) -> Result<(BTreeSet<usize>, Vec<String>)> {
        let by_name = Names::of(listing);
        let mut out: BTreeSet<usize> = BTreeSet::new();
        let (mut nothing, mut several) = (Vec::new(), Vec::new());
        for (line, row) in &self.rows {
            let found = by_name.meant(row, [&self.folder, &self.root]);
            if found.is_empty() {
                let like = by_name.like(row);
                let like = like.map_or_else(String::new, |name| {
                    format!(", but there is `{}`", shown(name))
                });
                nothing.push(format!("line {line}: `{}`{like}", shown(row)));
            }
            if let [one, other, ..] = found[..] {
                let names = [one, other].map(|i| shown(&listing.images[i].name));
                several.push(format!(
                    "line {line}: `{}` may be `{}` or `{}`",
                    shown(row),
                    names[0],
                    names[1]
                ));
            }
            out.extend(found);
        }
        if !several.is_empty() {
            return Err(Error::failed(format!(
                "{} of `{}` may mean several photographs:{}",
                count(several.len(), "row"),
                self.list,
                first_lines(&several, 20)
            ))
            .help("write the part in front, such as `train/김밥/001.jpg`"));
        }
        Ok((out, nothing))
    }

    /// Tells how many images went, which rows were of no use, and which classes have no image any more.
    fn tell(self, listing: &mut Listing, out: usize, nothing: &[String], lost: &[String]) {
        listing.notes.extend(self.notes);
        listing.notes.push(format!(
            "`{}`: {} {} left out",
            self.list,
            count(out, "image"),
            either(out, "is", "are")
        ));
        if !nothing.is_empty() {
            listing.warnings.push(format!(
                "{} of `{}` {} no image of the data set:{}",
                count(nothing.len(), "row"),
                self.list,
                either(nothing.len(), "names", "name"),
                first_lines(nothing, 5)
            ));
        }
        if !lost.is_empty() {
            listing.warnings.push(format!(
                "`{}` leaves no image of {}: {}",
                self.list,
                either(lost.len(), "a class", "some classes"),
                first_few(lost.iter().map(String::as_str), 10)
            ));
        }
    }
}

/// The classes that have no image left without these.
fn without_image(listing: &Listing, out: &BTreeSet<usize>) -> Vec<String> {
    let mut left: BTreeMap<&str, bool> = BTreeMap::new();
    for (i, image) in listing.images.iter().enumerate() {
        *left.entry(&image.class).or_default() |= !out.contains(&i);
    }
    let lost = left.iter().filter(|(_, left)| !**left);
    lost.map(|(class, _)| (*class).to_owned()).collect()
}
