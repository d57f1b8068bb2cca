//! A folder of libtorch, as PyTorch's package `torch` and the plain archive have it: its version, its libraries.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    fs,
    path::{Path, PathBuf},
};

/// The folder of the libraries, where the one is in it that a worker cannot do without.
#[must_use]
pub fn libtorch_libraries(folder: &Path) -> Option<PathBuf> {
    let libraries = folder.join("lib");
    let needed = libraries.join(format!("{DLL_PREFIX}torch_cpu{DLL_SUFFIX}"));
    needed.is_file().then_some(libraries)
}

/// The version with its build, such as `2.11.0+cpu`: `version.py` of a PyTorch package says it, `build-version` of a plain archive.
/// `None` where neither is there.
#[must_use]
pub fn libtorch_folder_version(folder: &Path) -> Option<String> {
    let line = match fs::read_to_string(folder.join("version.py")) {
        Ok(text) => {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix("__version__ = ").map(str::to_owned))?
        }
        Err(_) => fs::read_to_string(folder.join("build-version")).ok()?,
    };
    let version = line.trim().trim_matches(['\'', '"']);
    (!version.is_empty()).then(|| version.to_owned())
}
