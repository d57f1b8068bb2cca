//! Paths in a job file: a text where they are one, else their bytes. A path need not be UTF-8.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a path is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes { bytes: Vec<u8> },
}

impl From<&Path> for Written {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes {
                bytes: path.as_os_str().as_bytes().to_vec(),
            },
        }
    }
}

impl From<Written> for PathBuf {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self::from(text),
            Written::Bytes { bytes } => Self::from(OsString::from_vec(bytes)),
        }
    }
}

/// For `#[serde(with = …)]` on a path.
///
/// # Errors
/// Those of the format.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    Written::from(path).serialize(serializer)
}

/// For `#[serde(with = …)]` on a path.
///
/// # Errors
/// Those of the format.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Written::deserialize(deserializer).map(PathBuf::from)
}

/// For `#[serde(with = …)]` on a list of paths.
pub mod list {
    use super::{Deserialize, Deserializer, Path, PathBuf, Serializer, Written};

    /// As for one.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        let written = paths.iter().map(|path| Written::from(Path::new(path)));
        serializer.collect_seq(written)
    }

    /// As for one.
    ///
    /// # Errors
    /// Those of the format.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<PathBuf>, D::Error> {
        let written = Vec::<Written>::deserialize(deserializer)?;
        Ok(written.into_iter().map(PathBuf::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Job {
        #[serde(with = "super")]
        out: PathBuf,
        #[serde(with = "super::list")]
        images: Vec<PathBuf>,
    }

    #[test]
    fn any_path_comes_back_and_a_text_stays_one() {
        let odd = PathBuf::from(OsString::from_vec(b"a/\xb1\xe8.jpg".to_vec()));
        let job = Job {
            out: "/tmp/김밥".into(),
            images: vec![odd.clone(), "b.jpg".into()],
        };
        let text = serde_json::to_string(&job).unwrap();
        assert!(text.contains(r#""out":"/tmp/김밥""#), "{text}");
        let back: Job = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (back.out, back.images),
            (job.out, vec![odd, "b.jpg".into()])
        );
    }
}
