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
/// (`pip install --user`), and of `pip install --target`.
fn beside(program: &Path) -> Vec<PathBuf> {
    let Some(root) = program.parent().and_then(Path::parent) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    // Of a virtual environment the second is the first by another name.
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
    found.push(root.join("torch"));
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
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    /// A machine of a few files.
    struct Machine(TempDir);

    impl Machine {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// A package `torch` of this version; its folder.
        fn torch(&self, folder: &str, version: &str) -> PathBuf {
            let folder = self.path(folder);
            fs::create_dir_all(folder.join("lib")).unwrap();
            let library = if cfg!(target_os = "macos") {
                "libtorch_cpu.dylib"
            } else {
                "libtorch_cpu.so"
            };
            fs::write(folder.join("lib").join(library), "").unwrap();
            fs::write(
                folder.join("version.py"),
                format!("__version__ = '{version}'\n"),
            )
            .unwrap();
            folder
        }

        /// A Python beside the program that knows a package `torch` in this folder.
        fn python(&self, torch: &Path) {
            fs::create_dir_all(self.path("bin")).unwrap();
            let script = format!("#!/bin/sh\nprintf %s '{}'\n", torch.display());
            fs::write(self.path("bin/python3"), script).unwrap();
            fs::set_permissions(self.path("bin/python3"), fs::Permissions::from_mode(0o755))
                .unwrap();
        }

        fn search(&self, variable: Option<&Path>, built: Option<&Path>) -> Result<Libtorch> {
            let search = Search {
                program: self.path("bin/kfood"),
                variable: variable.map(|folder| folder.as_os_str().to_owned()),
                built: built.map(|folder| folder.join("lib")),
            };
            search.find()
        }
    }

    fn of(torch: &Path, found: Found) -> Libtorch {
        Libtorch {
            libraries: torch.join("lib"),
            found,
        }
    }

    #[test]
    fn what_lies_beside_goes_before_the_variable_the_build_and_python() {
        let machine = Machine::new();
        let python = machine.torch("elsewhere/torch", "2.11.0+cu130");
        machine.python(&python);
        assert_eq!(
            machine.search(None, None).unwrap(),
            of(&python, Found::Python)
        );
        let built = machine.torch("checkout/.libtorch/torch", "2.11.0+cpu");
        assert_eq!(
            machine.search(None, Some(&built)).unwrap(),
            of(&built, Found::Built)
        );
        assert_eq!(machine.search(Some(&built), Some(&built)).unwrap().found, Found::Built);
        let named = machine.torch("own/torch", "2.11.3");
        assert_eq!(
            machine.search(Some(&named), Some(&built)).unwrap(),
            of(&named, Found::Variable)
        );
        for place in [
            "lib/python3.9/site-packages/torch",
            "lib64/python3.12/site-packages/torch",
            "lib/python3.13/dist-packages/torch",
            "torch",
        ] {
            let beside = machine.torch(place, "2.11.0");
            let found = machine.search(Some(&named), Some(&built)).unwrap();
            assert_eq!(found, of(&beside, Found::Beside));
            fs::remove_dir_all(beside).unwrap();
        }
    }

    #[test]
    fn another_version_is_passed_over_and_told_where_no_other_place_has_one() {
        let machine = Machine::new();
        machine.torch("lib/python3.12/site-packages/torch", "2.12.0+cpu");
        let python = machine.torch("elsewhere/torch", "1.13.1");
        machine.python(&python);
        let gone = machine.path("gone/torch");
        let search = || Search {
            program: machine.path("bin/kfood"),
            variable: None,
            built: Some(gone.join("lib")),
        };
        let error = search().none(&["2.12.0+cpu in `x`".to_owned(), "1.13.1 in `y`".to_owned()]);
        let message = error.to_string();
        for part in [
            "no libtorch 2.11 for",
            "bin/../lib",
            "`LIBTORCH` (not set)",
            "gone/torch/lib`",
            "found 2.12.0+cpu in `x`, 1.13.1 in `y`",
        ] {
            let part = part.replace("bin/../lib", "/lib/python3.*/site-packages/torch");
            assert!(message.contains(&part), "{part}: {message}");
        }
        assert_eq!(
            error.help_text(),
            Some("install it: `pip install 'torch==2.11.*'`")
        );
        // A fitting one further down the list serves.
        let built = machine.torch("checkout/torch", "2.11.0");
        assert_eq!(
            machine.search(None, Some(&built)).unwrap(),
            of(&built, Found::Built)
        );
    }

    #[test]
    fn a_variable_that_names_something_else_is_an_error() {
        let machine = Machine::new();
        let built = machine.torch("checkout/torch", "2.11.0");
        let nothing = machine
            .search(Some(&machine.path("nothing")), Some(&built))
            .unwrap_err();
        assert!(
            nothing
                .to_string()
                .contains("nothing`, and there is no libtorch in it"),
            "{nothing}"
        );
        let old = machine.torch("old/torch", "2.5.1+cu121");
        let old = machine.search(Some(&old), Some(&built)).unwrap_err();
        assert!(
            old.to_string()
                .contains("old/torch`, a libtorch 2.5.1+cu121, and kfood needs 2.11"),
            "{old}"
        );
        assert!(old.help_text().unwrap().contains("PyTorch 2.11"), "{old:?}");
    }

    #[test]
    fn a_plain_archive_says_its_version_in_another_file_or_not_at_all() {
        let machine = Machine::new();
        let archive = machine.torch("archive", "2.11.0");
        fs::remove_file(archive.join("version.py")).unwrap();
        assert_eq!(
            machine.search(Some(&archive), None).unwrap(),
            of(&archive, Found::Variable)
        );
        fs::write(archive.join("build-version"), "2.4.0+cpu\n").unwrap();
        let error = machine.search(Some(&archive), None).unwrap_err();
        assert!(
            error.to_string().contains("a libtorch 2.4.0+cpu"),
            "{error}"
        );
    }

    #[test]
    fn a_worker_is_told_of_it_before_all_else_unless_it_knows() {
        let torch = Path::new("/somewhere/torch");
        let mut told = Command::new("x");
        of(torch, Found::Python).lend(&mut told);
        let (name, value) = told.get_envs().next().unwrap();
        assert_eq!(name, SEARCHED);
        assert!(
            value
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("/somewhere/torch/lib")
        );
        let mut knows = Command::new("x");
        of(torch, Found::Built).lend(&mut knows);
        assert_eq!(knows.get_envs().next(), None);
    }
}
