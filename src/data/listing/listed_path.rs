//! The file that a path in a list means.

use std::path::{Component, Path, PathBuf};

use super::written::forms_of_path;
use crate::{
    name::nfc,
    spelt::Finder,
    text::{count, either, shown, shown_path},
};

/// How paths of Label Studio's exports begin; what lies there is in its folder `media`.
const LABEL_STUDIO: [&str; 2] = ["/data/upload/", "/data/local-files/"];

/// So many folders beside a list are looked into for what it names.
const MOST_FOLDERS: usize = 100;

/// Looks up the paths of one list.
pub(super) struct ListedPaths<'a> {
    /// What they are relative to: the list's folder.
    folder: &'a Path,
    /// Where absolute ones may lie beside it: the project's root.
    root: &'a Path,
    finder: Finder,
    /// How many lead out of the folder, and the first of them.
    outside: usize,
    first_outside: String,
    /// A path that is not there, and is below `root`.
    below_root: Option<String>,
    /// The first path that is not there, and whether it lies in a folder beside the list: then that folder, with `/`.
    first_missing: Option<Option<(String, String)>>,
    /// What stands before the end of an absolute path of another computer, and that end, which lies below the folder.
    elsewhere: Option<(String, String)>,
    /// How many such paths were looked at for it.
    looked_elsewhere: usize,
}

/// So many absolute paths are looked at for what is to be taken off.
const TRIED: usize = 20;

impl<'a> ListedPaths<'a> {
    /// The paths of a list in a folder of a project.
    pub(super) fn new(folder: &'a Path, root: &'a Path) -> Self {
        Self {
            folder,
            root,
            finder: Finder::default(),
            outside: 0,
            first_outside: String::new(),
            below_root: None,
            first_missing: None,
            elsewhere: None,
            looked_elsewhere: 0,
        }
    }

    /// The NFC path from the list's folder, with `/`, and the file; or what is wrong.
    pub(super) fn file(&mut self, written: &str) -> Result<(String, PathBuf), String> {
        let forms = forms_of_path(written);
        let mut relatives = Vec::new();
        for form in &forms {
            let relative = self.relative(form);
            let relative = relative.inspect_err(|_| self.look_elsewhere(form))?;
            if !relatives.contains(&relative) {
                relatives.push(relative);
            }
        }
        for relative in &relatives {
            let found = self.finder.find(self.folder, relative);
            // A link that leads nowhere is judged with the files that cannot be read, as one in a folder is.
            if let Some(path) = found.filter(|path| path.is_file() || leads_nowhere(path)) {
                return Ok(self.take(relative, path));
            }
        }
        for relative in &relatives {
            if let Some(found) = self.without_ending(relative)? {
                return Ok(found);
            }
        }
        Err(self.missing(&forms[0], &relatives))
    }

    fn take(&mut self, relative: &str, path: PathBuf) -> (String, PathBuf) {
        if relative.starts_with("../") {
            if self.outside == 0 {
                relative.clone_into(&mut self.first_outside);
            }
            self.outside += 1;
        }
        (nfc(relative), path)
    }

    /// The one file of that name with an ending.
    fn without_ending(&mut self, relative: &str) -> Result<Option<(String, PathBuf)>, String> {
        let mut found: Vec<(String, PathBuf)> = Vec::new();
        for name in self.finder.with_endings(self.folder, relative) {
            if let Some(path) = self.finder.find(self.folder, &name)
                && path.is_file()
                && super::walk::may_be_image(&path)
            {
                found.push((name, path));
            }
        }
        if found.len() > 1 {
            let names: Vec<_> = found
                .iter()
                .map(|(n, _)| format!("`{}`", shown(n)))
                .collect();
            let relative = shown(relative);
            return Err(format!("`{relative}` may be any of {}", names.join(", ")));
        }
        let one = found.pop();
        Ok(one.map(|(name, path)| self.take(&name, path)))
    }

    fn missing(&mut self, written: &str, relatives: &[String]) -> String {
        let shown_written = shown(written);
        for relative in relatives {
            if let Some(path) = self.finder.find(self.folder, relative) {
                let what = if path.is_dir() {
                    "a folder"
                } else {
                    "no regular file"
                };
                return format!("`{shown_written}` is {what}");
            }
            if let Some(other) = self.finder.other_case(self.folder, relative) {
                let other = shown(&other);
                return format!("no file `{shown_written}`, but there is `{other}`");
            }
            if let Some(other) = self.other_ending(relative) {
                let other = shown(&other);
                return format!("no file `{shown_written}`, but there is `{other}`");
            }
            if self.below_root.is_none()
                && !relative.starts_with("../")
                && self.finder.find(self.root, relative).is_some()
            {
                self.below_root = Some(relative.clone());
            }
        }
        if self.first_missing.is_none() {
            self.first_missing = Some(relatives.iter().find_map(|relative| self.beside(relative)));
        }
        format!("no file `{shown_written}`")
    }

    /// A path as it is in one of the folders beside the list, where one alone has it: Kaggle's `train.csv` names what lies in `train`.
    fn beside(&mut self, relative: &str) -> Option<(String, String)> {
        let mut found = None;
        let folders = self.folder.read_dir().ok()?.flatten();
        let folders = folders
            .filter(|entry| entry.path().is_dir())
            .take(MOST_FOLDERS);
        let mut names: Vec<_> = folders
            .map(|f| f.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        for name in names {
            let below = format!("{name}/{relative}");
            let there = self
                .finder
                .find(self.folder, &below)
                .is_some_and(|path| path.is_file())
                || matches!(self.without_ending(&below), Ok(Some(_)));
            if there && found.replace((name, relative.to_owned())).is_some() {
                return None;
            }
        }
        found
    }

    /// The one photograph of that name with another ending.
    fn other_ending(&mut self, relative: &str) -> Option<String> {
        let (stem, ending) = relative.rsplit_once('.')?;
        if ending.contains('/') || stem.ends_with('/') || stem.is_empty() {
            return None;
        }
        self.without_ending(stem)
            .ok()
            .flatten()
            .map(|(name, _)| name)
    }

    /// Whether the end of an absolute path of another computer lies below the list's folder: then what stands before it is to go.
    fn look_elsewhere(&mut self, written: &str) {
        if self.elsewhere.is_some() || self.looked_elsewhere >= TRIED {
            return;
        }
        self.looked_elsewhere += 1;
        let starts = written.match_indices(['/', '\\']).map(|(at, _)| at + 1);
        for start in starts {
            let end = written[start..].replace('\\', "/");
            let inside = !end.split('/').any(|name| name.is_empty() || name == "..");
            if inside
                && self
                    .finder
                    .find(self.folder, &end)
                    .is_some_and(|path| path.is_file())
            {
                self.elsewhere = Some((written[..start].to_owned(), end));
                return;
            }
        }
    }

    /// What to do about rows that cannot be used.
    pub(super) fn help(&self) -> String {
        let folder = shown_path(self.folder);
        if let Some((before, end)) = &self.elsewhere {
            let (before, end) = (shown(before), shown(end));
            return format!(
                "paths are relative to the list's folder, `{folder}`, where `{end}` lies: take `{before}` off each path"
            );
        }
        if let Some(there) = &self.below_root {
            let (there, root) = (shown(there), shown_path(self.root));
            return format!(
                "paths are relative to the list's folder, `{folder}`, and `{there}` lies below `{root}`: move the list there, or write the paths from its own folder"
            );
        }
        if let Some(Some((name, relative))) = &self.first_missing {
            let (name, there) = (shown(name), shown(&format!("{name}/{relative}")));
            return format!(
                "paths are relative to the list's folder, `{folder}`, and `{there}` is there: move the list into `{name}`, or write `{name}/` before its paths"
            );
        }
        format!(
            "every row names one image, once, with its label; paths are relative to the list's folder, `{folder}`"
        )
    }

    /// Says that images lie elsewhere.
    pub(super) fn outside(&self) -> Option<String> {
        (self.outside > 0).then(|| {
            format!(
                "{} of the list {} outside its folder, such as `{}`",
                count(self.outside, "image"),
                either(self.outside, "lies", "lie"),
                shown(&self.first_outside)
            )
        })
    }

    /// A path as written from the list's folder, without `.` and inner `..`, with `/`.
    fn relative(&self, written: &str) -> Result<String, String> {
        let windows = written.as_bytes();
        let drive = windows.len() > 2 && windows[0].is_ascii_alphabetic() && windows[1] == b':';
        if (drive && matches!(windows[2], b'\\' | b'/')) || written.starts_with("\\\\") {
            let written = shown(written);
            return Err(format!(
                "`{written}` is a path of a Windows computer; paths are relative to the list's folder"
            ));
        }
        if written.contains("://") {
            let written = shown(written);
            return Err(format!("`{written}` is an address, and no file"));
        }
        let path = Path::new(written);
        let folder = components(self.folder);
        if !path.is_absolute() {
            let mut parts = normal(path);
            // Out and in again is inside.
            let ups = parts.iter().take_while(|p| *p == "..").count();
            if ups > 0 && ups <= folder.len() {
                let mut whole = folder[..folder.len() - ups].to_vec();
                whole.extend(parts.drain(ups..));
                parts = between(&folder, &whole);
            }
            return Ok(parts.join("/"));
        }
        let parts = normal(path);
        let same = |a: &[String], b: &[String]| {
            a.len() <= b.len() && a.iter().zip(b).all(|(a, b)| nfc(a) == nfc(b))
        };
        if same(&folder, &parts) {
            return Ok(parts[folder.len()..].join("/"));
        }
        for (real, of) in [(self.folder, &folder), (self.root, &folder)] {
            // A folder may be known under the name of a link to it.
            let given = components(real);
            let real = real
                .canonicalize()
                .map_or_else(|_| given.clone(), |p| components(&p));
            let Some(base) = [given.clone(), real]
                .into_iter()
                .find(|base| same(base, &parts))
            else {
                continue;
            };
            let mut whole = given;
            whole.extend_from_slice(&parts[base.len()..]);
            return Ok(between(of, &whole).join("/"));
        }
        let of_label_studio = LABEL_STUDIO.iter().any(|place| written.starts_with(place));
        let (written, root) = (shown(written), shown_path(self.root));
        if of_label_studio {
            return Err(format!(
                "`{written}` is a place in Label Studio's own storage; paths are relative to the list's folder"
            ));
        }
        Err(format!(
            "`{written}` is absolute and lies neither below the list's folder nor below `{root}`; paths are relative to the list's folder"
        ))
    }
}

fn leads_nowhere(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

/// The way from one folder to a place, both given from `/`.
fn between(from: &[String], to: &[String]) -> Vec<String> {
    let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let ups = from[shared..].iter().map(|_| "..".to_owned());
    ups.chain(to[shared..].iter().cloned()).collect()
}

/// The components of an absolute folder.
fn components(folder: &Path) -> Vec<String> {
    let absolute = std::path::absolute(folder);
    normal(&absolute.unwrap_or_else(|_| folder.to_owned()))
}

/// Components without `/`, `.` and inner `..`.
fn normal(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir if parts.last().is_some_and(|p| p != "..") => {
                parts.pop();
            }
            Component::ParentDir if path.is_absolute() => {}
            Component::ParentDir => parts.push("..".to_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts
}
