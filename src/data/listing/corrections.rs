//! A list of corrected labels: a CSV or TSV with the columns `path` and `suggested` (or `label`), as an `audit` stage proposes it and a
//! person edits it. It is read and never written.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Found, Listing, is_tsv,
    names::Names,
    rows::Cells,
    table::{LARGEST_LIST, same_header, table},
};
use crate::{
    cells,
    error::{Error, Result},
    files,
    name::{nearest, nfc},
    record::Part,
    text::{count, first_few, first_lines, shown, shown_path},
};

/// What stands in the place of a class where an image is to be left out.
const LEAVE_OUT: &str = "leave_out";

/// What such a list looks like.
const HELP: &str = "the first line is `path,given,suggested` (`label` may stand for `suggested`, `given` may be missing), and each further line names one photograph as `predictions.csv` does, and its class, or `leave_out`";

/// The rows of a list.
#[derive(Debug)]
pub struct Corrections {
    /// The list, for messages.
    list: String,
    folder: PathBuf,
    root: PathBuf,
    rows: Vec<Row>,
    notes: Vec<String>,
}

/// One row: an image and what it is.
#[derive(Debug)]
struct Row {
    line: u64,
    path: String,
    given: Option<String>,
    class: String,
}

/// What a list changes, by places in a listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// The class of each image that it names, as a place in the class names; `None` where the image is to be left out.
    pub images: BTreeMap<usize, Option<usize>>,
    /// What is to be told.
    pub notes: Vec<String>,
}

/// Where the columns stand.
struct Columns {
    path: usize,
    class: usize,
    given: Option<usize>,
}

/// "17 labels corrected, 3 left out".
#[must_use]
pub fn corrected_in_words(corrected: usize, left_out: usize) -> String {
    format!(
        "{} corrected, {left_out} left out",
        count(corrected, "label")
    )
}

impl Corrections {
    /// Reads a list; `root` is the folder of the project.
    ///
    /// # Errors
    /// When it cannot be read or is no such list.
    pub fn read(list: &Path, root: &Path) -> Result<Self> {
        let bytes = files::read_bounded(list, LARGEST_LIST)?;
        let name = shown_path(list);
        let (table, notes) = table(&bytes, is_tsv(list), &name, &["path", "suggested"])?;
        let columns = columns(&table.header, &name)?;
        let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
        for row in &table.rows {
            match row {
                Ok(row) if same_header(&table.header, row) => {}
                Ok(row) => match self::row(row, &columns) {
                    Ok(row) => rows.push(row),
                    Err(what) => mistakes.push(format!("{name}:{}: {what}", row.line)),
                },
                Err((line, what)) => mistakes.push(format!("{name}:{line}: {what}")),
            }
        }
        refuse(&name, &mistakes)?;
        Ok(Self {
            list: name,
            folder: files::folder_of(list).to_owned(),
            root: root.to_owned(),
            rows,
            notes,
        })
    }

    /// What the list asks for, by itself: which photographs there are, and whether they may be changed, is seen when it is used. A row that
    /// does not say what its photograph is given for may leave it as it is, so that what is told is then the most.
    #[must_use]
    pub fn in_words(&self) -> String {
        let rows: BTreeMap<&str, &Row> = self.rows.iter().map(|r| (r.path.as_str(), r)).collect();
        let changes = |row: &&&Row| row.given.as_ref() != Some(&row.class);
        let rows: Vec<&Row> = rows.values().filter(changes).copied().collect();
        let left_out = rows.iter().filter(|row| row.class == LEAVE_OUT).count();
        let corrected = rows.len() - left_out;
        let told = corrected_in_words(corrected, left_out);
        let open = |row: &&Row| row.class != LEAVE_OUT && row.given.is_none();
        match rows.iter().copied().any(|row| open(&row)) {
            true => format!("up to {told}"),
            false => told,
        }
    }

    /// What the list changes. `classes` are the names of all classes, and `test` says whether labels of the test part may be changed.
    ///
    /// # Errors
    /// When rows name no image or several, no class, an image twice in two ways, an image that is given for another class than the row
    /// says, or one of the test part where that may not be.
    pub fn of(self, listing: &Listing, classes: &[String], test: bool) -> Result<Corrected> {
        let names = Names::of(listing);
        let mut found = Corrected::default();
        let mut mistakes = Vec::new();
        for row in &self.rows {
            let meant = names.meant(&row.path, [&self.folder, &self.root]);
            let image = image(listing, &meant).map_err(|what| match names.like(&row.path) {
                Some(like) if meant.is_empty() => format!("{what}, but there is `{}`", shown(like)),
                _ => what,
            });
            let change = image.and_then(|image| {
                let class = change(&listing.images[image], row, classes, test)?;
                match found.images.get(&image) {
                    Some(before) if *before != class => Err(
                        "the photograph is there twice, and each row says something else"
                            .to_owned(),
                    ),
                    _ => Ok((image, class)),
                }
            });
            match change {
                Ok((image, class)) => {
                    found.images.insert(image, class);
                }
                Err(what) => mistakes.push(format!(
                    "{}:{}: `{}`: {what}",
                    self.list,
                    row.line,
                    shown(&row.path)
                )),
            }
        }
        refuse(&self.list, &mistakes)?;
        let given = |(image, class): (&usize, &Option<usize>)| {
            class.is_none_or(|class| classes[class] != listing.images[*image].class)
        };
        let same = found.images.len();
        found.images.retain(|image, class| given((image, class)));
        let same = same - found.images.len();
        let left_out = found
            .images
            .values()
            .filter(|class| class.is_none())
            .count();
        found.notes = self.notes;
        found.notes.push(format!(
            "`{}`: {}",
            self.list,
            corrected_in_words(found.images.len() - left_out, left_out),
        ));
        if same > 0 {
            let rows = count(same, "row");
            let note = format!("`{}`: {rows} with the label as it is given", self.list);
            found.notes.push(note);
        }
        Ok(found)
    }
}

/// The error that lists what is wrong with rows.
fn refuse(list: &str, mistakes: &[String]) -> Result<()> {
    if mistakes.is_empty() {
        return Ok(());
    }
    let rows = count(mistakes.len(), "row");
    let message = format!(
        "{rows} of `{list}` cannot be used:{}",
        first_lines(mistakes, 20)
    );
    Err(Error::failed(message).help(HELP))
}

fn columns(header: &Cells, list: &str) -> Result<Columns> {
    let column = |name: &str| {
        header
            .cells
            .iter()
            .position(|c| c.eq_ignore_ascii_case(name))
    };
    let fail = |what: &str| {
        let names = first_few(header.cells.iter().map(String::as_str), 10);
        let line = header.line;
        Err(Error::failed(format!("{list}:{line}: {what}; there are {names}")).help(HELP))
    };
    let Some(path) = column("path") else {
        return fail("no column `path`");
    };
    let class = match (column("suggested"), column("label")) {
        (Some(_), Some(_)) => return fail("both `suggested` and `label` say what an image is"),
        (Some(column), None) | (None, Some(column)) => column,
        (None, None) => return fail("no column `suggested` or `label`"),
    };
    let given = column("given");
    Ok(Columns { path, class, given })
}

fn row(row: &Cells, columns: &Columns) -> std::result::Result<Row, String> {
    let cell = |column: usize| {
        let text = row.cells.get(column).map_or("", String::as_str);
        cells::unguarded(text).to_owned()
    };
    let (path, class) = (cell(columns.path), nfc(cell(columns.class).trim()));
    if path.is_empty() {
        return Err("`path` is empty".to_owned());
    }
    if class.is_empty() {
        return Err(format!(
            "`{}` has no class; take the row out where its label is right",
            shown(&path)
        ));
    }
    let given = columns.given.map(|column| nfc(cell(column).trim()));
    Ok(Row {
        line: row.line,
        path,
        given: given.filter(|given| !given.is_empty()),
        class,
    })
}

/// The one image that is meant.
fn image(listing: &Listing, meant: &[usize]) -> std::result::Result<usize, String> {
    match *meant {
        [one] => Ok(one),
        [one, other, ..] => {
            let [one, other] = [one, other].map(|i| shown(&listing.images[i].name));
            Err(format!("it may be `{one}` or `{other}`"))
        }
        [] => Err("no photograph of the data set is called so".to_owned()),
    }
}

/// The class that a row gives an image, `None` to leave it out.
fn change(
    image: &Found,
    row: &Row,
    classes: &[String],
    test: bool,
) -> std::result::Result<Option<usize>, String> {
    if let Some(given) = row.given.as_ref().filter(|given| **given != image.class) {
        return Err(format!(
            "the row is of an image given for `{}`, and this one is given for `{}`",
            shown(given),
            shown(&image.class)
        ));
    }
    if image.part == Part::Test && !test {
        return Err("it is of the test part: set `correct_test = true` in the dataset, and results before and after are of two tests".to_owned());
    }
    if row.class == LEAVE_OUT {
        return Ok(None);
    }
    let class = classes.iter().position(|class| *class == row.class);
    class.map(Some).ok_or_else(|| {
        let near = nearest(&row.class, classes.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("no class is called `{}`{near}", shown(&row.class))
    })
}
