//! Folders with images below other folders: whether the deepest of them is clearly the class, and what is told of that choice.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::class::{SHOWN, depth, is_no_class, is_piece, name, parent, upper};
use crate::{
    error::{Error, Result},
    text::{count, either, first_few, shown, shown_path},
};

/// How another folder is chosen.
const CHOOSE: &str =
    "`class = \"first\"` or `class = { level = … }` in the dataset would take an upper folder";

/// The folders that hold images, where some lie below others.
pub(super) struct Nested<'a> {
    root: String,
    folders: &'a BTreeSet<&'a str>,
    /// Those that do not lie directly in the root.
    inner: Vec<&'a str>,
    /// How deep the uppermost of the inner ones lies.
    least: usize,
    /// By the name of an inner folder, the folders that hold one of it.
    parents_of: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// The folders that hold inner ones.
    parents: BTreeSet<&'a str>,
}

impl<'a> Nested<'a> {
    /// `None` where all folders lie directly in the root.
    pub(super) fn of(root: &Path, folders: &'a BTreeSet<&'a str>) -> Option<Self> {
        let inner: Vec<&str> = folders.iter().copied().filter(|f| depth(f) > 1).collect();
        let least = inner.iter().map(|folder| depth(folder)).min()?;
        let mut parents_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for folder in &inner {
            let of = parents_of.entry(name(folder)).or_default();
            of.insert(parent(folder));
        }
        let parents = inner.iter().map(|folder| parent(folder)).collect();
        Some(Self {
            root: shown_path(root),
            folders,
            inner,
            least,
            parents_of,
            parents,
        })
    }

    /// Where every class would be found below every folder above them, nobody can tell which of the two is meant.
    ///
    /// # Errors
    /// When it is so.
    pub(super) fn refuse_repeated(&self) -> Result<()> {
        let everywhere = |of: &BTreeSet<&str>| of.len() == self.parents.len();
        if self.parents.len() < 2 || !self.parents_of.values().all(everywhere) {
            return Ok(());
        }
        let what = match self.parents_of.len() {
            1 => format!("`{}` is", shown(name(self.inner[0]))),
            n => format!("the same {n} folders are"),
        };
        let places = count(self.parents.len(), "folder");
        Err(self.unclear(&format!("{what} found in each of {places}")))
    }

    /// Where the deepest folders are called as no class is.
    ///
    /// # Errors
    /// When they are, and folders above them may be classes.
    pub(super) fn refuse_nameless(&self) -> Result<()> {
        if self.inner_are_called_as_above() {
            return Ok(());
        }
        let nameless = |folder: &&str| {
            let (own, above) = (name(folder), name(parent(folder)));
            is_no_class(own) || is_piece(own, above)
        };
        if self.uppers().len() < 2 || !self.inner.iter().all(nameless) {
            return Ok(());
        }
        let named = first_few(self.parents_of.keys().copied(), SHOWN);
        Err(self.unclear(&format!(
            "the deepest ones are called {named}, which no class is"
        )))
    }

    /// Whether each inner folder has the name of the one above it, as of `김밥.zip` with a folder `김밥`: either is the same class.
    fn inner_are_called_as_above(&self) -> bool {
        let mut inner = self.inner.iter();
        inner.all(|folder| name(folder) == name(parent(folder)))
    }

    /// The folders one level above the uppermost inner one.
    fn uppers(&self) -> BTreeSet<&str> {
        self.at(self.least - 1)
    }

    /// The folders at a level that have inner ones below them.
    fn at(&self, level: usize) -> BTreeSet<&str> {
        let deep = self.folders.iter().filter(|folder| depth(folder) >= level);
        deep.map(|folder| upper(folder, level)).collect()
    }

    /// The levels above the inner folders that may be those of the classes, the uppermost first. One on which every folder is called
    /// the same (`DCIM`) is none; where the same names stand below all folders above them, those may be the classes too.
    fn levels(&self) -> Vec<usize> {
        let mut levels = Vec::new();
        for level in (1..self.least).rev() {
            let mut names: BTreeMap<&str, usize> = BTreeMap::new();
            let (folders, mut above) = (self.at(level), BTreeSet::new());
            for folder in &folders {
                *names.entry(name(folder)).or_default() += 1;
                above.insert(parent(folder));
            }
            let one = names.len() == 1 && folders.len() > 1;
            if !one {
                levels.push(level);
            }
            if !one && names.values().any(|n| *n < above.len().max(2)) {
                break;
            }
        }
        if levels.is_empty() {
            levels.push(self.least - 1);
        }
        levels.reverse();
        levels
    }

    /// Which folder is the class must be said.
    fn unclear(&self, why: &str) -> Error {
        let offer = |level: usize| {
            let names: BTreeSet<&str> = self.at(level).into_iter().map(name).collect();
            let names = first_few(names, SHOWN);
            match level {
                1 => format!("`class = \"first\"` for {names}"),
                _ => format!("`class = {{ level = {level} }}` for {names}"),
            }
        };
        let offers: Vec<_> = self.levels().into_iter().map(offer).collect();
        Error::failed(format!(
            "which folder of `{}` is the class of an image? {why}",
            self.root
        ))
        .help(format!(
            "say it in the dataset: {}, or `class = \"deepest\"` for {}",
            offers.join(", "),
            first_few(self.parents_of.keys().copied(), SHOWN)
        ))
    }

    /// Names that several folders have below them and that are one class each.
    pub(super) fn warn_of_shared(&self) -> Option<String> {
        let shared = self.parents_of.iter().filter(|(_, of)| of.len() > 1);
        let shared: Vec<&str> = shared.map(|(name, _)| *name).collect();
        let n = shared.len();
        (n > 0).then(|| {
            format!(
                "in `{}` {n} {} found below several folders and taken as one class each: {}; {CHOOSE}",
                self.root,
                either(n, "name is", "names are"),
                first_few(shared, SHOWN)
            )
        })
    }

    /// Folders that hold images and classes too, or else classes at different depths.
    pub(super) fn warn_of_depths(&self) -> Option<String> {
        let both = self.folders.iter().filter(|f| self.parents.contains(*f));
        let both: Vec<&str> = both.copied().collect();
        if let Some(first) = both.first() {
            let below = self.inner.iter().find(|folder| parent(folder) == *first);
            return Some(format!(
                "in `{}` {} images and folders with images, which are classes of their own, such as `{}` in `{}`; {CHOOSE}",
                self.root,
                match both.len() {
                    1 => format!("`{}` holds", shown(first)),
                    n => format!("{n} folders hold"),
                },
                shown(below.map_or("", |folder| name(folder))),
                shown(first)
            ));
        }
        let mut folders = self.folders.iter();
        let flat = folders.find(|folder| depth(folder) < self.least)?;
        Some(format!(
            "in `{}` classes lie at different depths: `{}` and `{}`; {CHOOSE}",
            self.root,
            shown(flat),
            shown(self.inner[0])
        ))
    }

    /// Which folder was taken for the class, where there was a choice.
    pub(super) fn choice(&self) -> Option<String> {
        (self.parents.len() > 1 && !self.inner_are_called_as_above()).then(|| {
            format!(
                "in `{}` the class is the deepest folder, such as `{}` of `{}`; {CHOOSE}, and `group` keeps one as the image's group",
                self.root,
                shown(name(self.inner[0])),
                shown(self.inner[0])
            )
        })
    }
}
