//! Which libtorch this process runs with.

use std::{
    ffi::{CStr, c_void},
    fs,
    path::{Path, PathBuf},
};

use crate::native::libtorch_folder_version;

/// The version that this program is built for, as `build.rs` names it.
const BUILT_FOR: &str = env!("KFOOD_LIBTORCH");

/// libtorch's version with its build, such as `2.11.0+cpu`; without the build where the library does not stand in a
/// PyTorch package that says it.
#[must_use]
pub fn libtorch_version() -> String {
    libtorch_library()
        .and_then(|path| version_beside(&path))
        .unwrap_or_else(|| BUILT_FOR.to_owned())
}

fn version_beside(library: &Path) -> Option<String> {
    libtorch_folder_version(library.parent()?.parent()?)
}

/// The file that libtorch's code was loaded from.
#[must_use]
pub fn libtorch_library() -> Option<PathBuf> {
    // SAFETY: all zeros is a valid value of this struct of pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: a symbol that is looked up by name in what is loaded already.
    let inside = unsafe {
        libc::dlsym(
            libc::RTLD_DEFAULT,
            c"_ZN2at18get_cpu_capabilityB5cxx11Ev".as_ptr(),
        )
    };
    // SAFETY: `inside` may be null (nothing is found then), and `info` is a valid place for the answer.
    let found = unsafe { libc::dladdr(inside.cast_const().cast::<c_void>(), &raw mut info) };
    if inside.is_null() || found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr() succeeded, so this is the C string of a path that stays loaded.
    let path = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = PathBuf::from(path.to_str().ok()?);
    Some(fs::canonicalize(&path).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_was_built_for() {
        // Keeps libtorch among the libraries that this test needs.
        assert!(crate::native::cpu_capability().is_ok());
        assert!(libtorch_version().starts_with(BUILT_FOR));
    }
}
