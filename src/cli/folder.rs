//! Folders that a person names for good: in `kfood.toml`, in an environment variable, for a remote cache.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    text::shown_path,
};

/// A folder as it is meant: `~` is the home folder, and a relative one is one in `root`. `name` is what names it, for an error.
///
/// # Errors
/// When it holds what a shell would have replaced and nobody did: another person's home, a variable.
pub(super) fn meant(place: &Path, name: &str, root: &Path) -> Result<PathBuf> {
    let first = place.components().next().map(|first| first.as_os_str());
    let first = first.unwrap_or_default().to_string_lossy();
    let unexpanded = |what: &str| {
        let message = format!("{name} is `{}`: {what}", shown_path(place));
        Error::usage(message).help("write the whole path, such as `/data/kfood-cache`")
    };
    match &*first {
        "~" => {
            let home = env::var_os("HOME").filter(|home| !home.is_empty());
            let home = home.ok_or_else(|| unexpanded("`~` is unknown, for HOME is not set"))?;
            let below = place.strip_prefix("~").unwrap_or(Path::new(""));
            Ok(PathBuf::from(home).join(below))
        }
        other if other.starts_with('~') || other.contains('$') => {
            Err(unexpanded(&format!("`{other}` was not expanded")))
        }
        other if begins_elsewhere(other) => {
            let message = format!(
                "{name} is `{}`: an address or a path of Windows, expected a folder of this machine",
                shown_path(place)
            );
            Err(Error::usage(message).help(
                "write the whole path, such as `/data/kfood-cache`; a remote cache in an object store is `s3://BUCKET/PLACE`, `gs://…` or `az://…`",
            ))
        }
        _ => Ok(root.join(place)),
    }
}

/// Whether the first part of a path is that of an address (`s3:`, `https:`) or of a disk of Windows. `./s3:x` is a folder all the same.
fn begins_elsewhere(first: &str) -> bool {
    let Some((scheme, rest)) = first.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    let is_disk = scheme.len() == 1 && scheme.chars().all(|c| c.is_ascii_alphabetic());
    let known = ["s3", "gs", "az", "http", "https", "file"];
    (is_scheme && (rest.is_empty() || known.contains(&scheme)))
        || (is_disk && (rest.is_empty() || rest.starts_with('\\')))
}
