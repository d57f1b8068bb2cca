//! Where a remote cache is: a folder, or a bucket and a place in it.

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, Result},
    text::{shown, shown_path},
};

/// A place as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A folder that several machines see, absolute.
    Folder(PathBuf),
    /// A bucket of an object store, and a place in it.
    Bucket {
        store: Kind,
        bucket: String,
        /// Without slashes at its ends; it may be empty.
        prefix: String,
    },
}

/// The object stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    S3,
    Gcs,
    Azure,
}

const ACCEPTED: &str =
    "name a folder, or `s3://BUCKET/PLACE`, `gs://BUCKET/PLACE` or `az://CONTAINER/PLACE`";

impl Address {
    /// Understands a place; a relative folder is one in `root`.
    ///
    /// # Errors
    /// When it names none, or holds what belongs into the environment.
    pub(super) fn parse(text: &str, root: &Path) -> Result<Self> {
        let wrong = |what: &str| {
            let message = format!("`{}` is no remote cache: {what}", shown(text));
            Error::usage(message).help(ACCEPTED)
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text {
                "" => Err(wrong("it is empty")),
                folder => Ok(Self::Folder(root.join(folder))),
            };
        };
        let store = match scheme {
            "file" if rest.starts_with('/') => return Ok(Self::Folder(rest.into())),
            "s3" => Kind::S3,
            "gs" => Kind::Gcs,
            "az" => Kind::Azure,
            _ => return Err(wrong("no such kind of store is known")),
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains('@') {
            // Not shown: what stands there may be a password.
            let message = "a remote cache is named without user and password";
            return Err(Error::usage(message).help(
                "name the bucket alone; credentials are taken from the environment, such as AWS_ACCESS_KEY_ID",
            ));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if bucket.is_empty() || !bucket.chars().all(plain) {
            return Err(wrong("it names no bucket"));
        }
        let prefix = prefix.trim_matches('/');
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if prefix.contains(['?', '#']) || (!prefix.is_empty() && prefix.split('/').any(odd)) {
            return Err(wrong("its place in the bucket is none"));
        }
        Ok(Self::Bucket {
            store,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Folder(folder) => shown_path(folder),
            Self::Bucket {
                store,
                bucket,
                prefix,
            } => {
                let scheme = match store {
                    Kind::S3 => "s3",
                    Kind::Gcs => "gs",
                    Kind::Azure => "az",
                };
                let place = format!("{scheme}://{bucket}/{prefix}");
                shown(place.trim_end_matches('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let parsed = Address::parse(text, Path::new("/project"));
        parsed.map_or_else(|e| format!("{e}"), |address| address.shown())
    }

    #[test]
    fn folders_and_buckets_are_told_apart() {
        let good = [
            ("../team", "/project/../team"),
            ("/mnt/team", "/mnt/team"),
            ("file:///mnt/team", "/mnt/team"),
            ("s3://dishes/kfood/", "s3://dishes/kfood"),
            ("gs://dishes", "gs://dishes"),
            ("az://dishes/a/b", "az://dishes/a/b"),
        ];
        for (text, expected) in good {
            assert_eq!(shown(text), expected);
        }
        for text in [
            "",
            "ftp://x/y",
            "s3://",
            "s3://a b",
            "s3://a/../b",
            "s3://a/b?c",
        ] {
            assert!(shown(text).contains("is no remote cache"), "{text}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let told = shown("s3://me:hush@dishes/kfood");
        assert!(
            !told.contains("hush") && told.contains("without user"),
            "{told}"
        );
    }
}
