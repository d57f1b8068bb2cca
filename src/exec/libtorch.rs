//! Which libtorch a worker is started with. The first place serves that has a fitting one:
//!
//! 1. beside this program, among the packages of the Python that it was installed for (`pip install`);
//! 2. `LIBTORCH`, which holds where it is set;
//! 3. where this program was built: the worker finds that by itself;
//! 4. wherever Python would import `torch` from: the Python beside this program, then `python3`.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::ask_python;
use crate::{
    cache::LIBTORCH,
    error::{Error, Result},
    native::{libtorch_folder_version, libtorch_libraries},
    text::{shown, shown_path},
};

/// The variable by which the system's linker is told of further folders.
const SEARCHED: &str = if cfg!(target_os = "macos") {
    "DYLD_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

/// A libtorch of the right version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Libtorch {
    /// The folder of its libraries.
    pub libraries: PathBuf,
    /// How it was found.
    pub found: Found,
}

/// How a libtorch was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Among the packages beside this program.
    Beside,
    /// By the variable.
    Variable,
    /// It is the one that this program was built with.
    Built,
    /// A Python told of it.
    Python,
}

impl Found {
    /// In words, as `kfood doctor` has it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Beside => "beside this program",
            Self::Variable => "by LIBTORCH",
            Self::Built => "where this program was built",
            Self::Python => "by asking python3",
        }
    }
}

impl Libtorch {
    /// Looks for one.
    ///
    /// # Errors
    /// When there is none of the right version, with the places that were looked at; or when `LIBTORCH` names something else.
    pub fn find() -> Result<Self> {
        Search::of_this_program().find()
    }

    /// Lets a command find it. One that finds it by itself is left as it is.
    pub fn lend(&self, command: &mut Command) {
        if self.found == Found::Built {
            return;
        }
        let others = env::var_os(SEARCHED).filter(|others| !others.is_empty());
        let others = others.iter().flat_map(env::split_paths);
        let all = env::join_paths([self.libraries.clone()].into_iter().chain(others));
        // A folder with a colon in its name cannot be in a list, and alone it would be two.
        command.env(
            SEARCHED,
            all.unwrap_or_else(|_| self.libraries.clone().into()),
        );
    }
}

/// Where is looked.
struct Search {
    /// The real path of this program.
    program: PathBuf,
    /// `LIBTORCH`.
    variable: Option<OsString>,
    /// The folder of libraries that this program was built with.
    built: Option<PathBuf>,
}

impl Search {
    fn of_this_program() -> Self {
        Self {
            // Links are followed, as those of `pipx` are.
            program: env::current_exe().unwrap_or_default(),
            variable: env::var_os("LIBTORCH").filter(|folder| !folder.is_empty()),
            built: option_env!("KFOOD_BUILT_WITH_LIBTORCH").map(PathBuf::from),
        }
    }

    fn find(&self) -> Result<Libtorch> {
        let mut others = Vec::new();
        let found = |libraries, found| Ok(Libtorch { libraries, found });
        for folder in beside(&self.program) {
            if let Some(libraries) = fitting(&folder, &mut others) {
                return found(libraries, Found::Beside);
            }
        }
        if let Some(folder) = &self.variable {
            let libraries = named(Path::new(folder))?;
            // Of a build that goes on, the two are one, and the worker needs no help.
            let how = match self.built.as_ref() == Some(&libraries) {
                true => Found::Built,
                false => Found::Variable,
            };
            return found(libraries, how);
        }
        let built = self.built.as_deref().and_then(Path::parent);
        if let Some(libraries) = built.and_then(|folder| fitting(folder, &mut others)) {
            return found(libraries, Found::Built);
        }
        for python in self.pythons() {
            let folder = ask_python::torch_of(&python);
            if let Some(libraries) = folder.and_then(|folder| fitting(&folder, &mut others)) {
                return found(libraries, Found::Python);
            }
        }
        Err(self.none(&others))
    }

    /// The Python beside this program, where it is in a virtual environment, and that of the path.
    fn pythons(&self) -> Vec<PathBuf> {
        let beside = self.program.with_file_name("python3");
        let beside = beside.is_file().then_some(beside);
        beside.into_iter().chain(["python3".into()]).collect()
    }

    /// There is none: what was looked at, and what was found instead.
    fn none(&self, others: &[String]) -> Error {
        let beside = self.program.ancestors().nth(2).unwrap_or(Path::new("/"));
        let mut places = vec![
            format!(
                "beside this program (`{}/lib/python3.*/site-packages/torch`)",
                shown_path(beside)
            ),
            "`LIBTORCH` (not set)".to_owned(),
        ];
        let built = self.built.as_ref();
        places.extend(built.map(|b| format!("where it was built (`{}`)", shown_path(b))));
        places.push("what `python3` imports".to_owned());
        let instead = match others {
            [] => String::new(),
            others => format!("; found {}", others.join(", ")),
        };
        let message = format!(
            "there is no libtorch {} for `kfood-worker`: looked at {}{instead}",
            minor(LIBTORCH),
            places.join(", "),
        );
        Error::failed(message).help(format!(
            "install it: `pip install 'torch=={}.*'`",
            minor(LIBTORCH)
        ))
    }
}

/// The folders of a package `torch` that goes with a program in `bin`: of a virtual environment, a system or a person
/// (`pip install --user`), and of `pip install --target`, where our own package lies beside it.
fn beside(program: &Path) -> Vec<PathBuf> {
    let Some(root) = program.parent().and_then(Path::parent) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    // In a virtual environment `lib64` is a link to `lib`: it is looked through once.
    let mut libraries = ["lib", "lib64"]
        .map(|name| fs::canonicalize(root.join(name)).ok())
        .to_vec();
    libraries.dedup();
    for library in libraries.into_iter().flatten() {
        let Ok(entries) = fs::read_dir(library) else {
            continue;
        };
        let mut pythons: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        let is_python = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("python3")
        };
        pythons.retain(is_python);
        pythons.sort();
        for python in pythons {
            // Debian's Python has its packages in the second.
            found.extend(["site-packages", "dist-packages"].map(|p| python.join(p).join("torch")));
        }
    }
    if root.join("kfood/__init__.py").is_file() {
        found.push(root.join("torch"));
    }
    found
}

/// The libraries of a libtorch that fits; of one that doesn't, `others` keeps the version and the place.
fn fitting(folder: &Path, others: &mut Vec<String>) -> Option<PathBuf> {
    let libraries = libtorch_libraries(folder)?;
    let Some(other) = other_version(folder) else {
        return Some(libraries);
    };
    others.push(format!("{} in `{}`", shown(&other), shown_path(folder)));
    None
}

/// The version of a libtorch that does not fit. One that says none is taken: the build takes it, too.
fn other_version(folder: &Path) -> Option<String> {
    let version = libtorch_folder_version(folder)?;
    (minor(&version) != minor(LIBTORCH)).then_some(version)
}

/// `2.11` of `2.11.0+cpu`.
fn minor(version: &str) -> &str {
    let mut dots = version.match_indices(['.', '+']).map(|(at, _)| at);
    dots.nth(1).map_or(version, |at| &version[..at])
}

/// The libraries of the folder that `LIBTORCH` names.
fn named(folder: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let wanted = minor(LIBTORCH);
    let help = format!("set it to the folder `torch` of a PyTorch {wanted}, or unset it");
    let wrong = |what: String| {
        let folder = shown_path(folder);
        Error::failed(format!("`LIBTORCH` is `{folder}`, {what}")).help(help)
    };
    let Some(libraries) = libtorch_libraries(&absolute) else {
        return Err(wrong("and there is no libtorch in it".to_owned()));
    };
    match other_version(&absolute) {
        Some(other) => Err(wrong(format!(
            "a libtorch {}, and kfood needs {wanted}",
            shown(&other)
        ))),
        None => Ok(libraries),
    }
}

#[cfg(test)]
mod tests;
