//! What is no photograph by its name: one table of what systems leave behind and of files of other kinds.
//!
//! Anything that it does not hold is taken and judged by its content when it is decoded, so that a photograph with an odd name
//! is used and a broken download is reported.

/// Files and folders that systems and storage boxes leave behind, in small letters.
const OF_SYSTEMS: [&str; 37] = [
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "folder.ini",
    "autorun.inf",
    "picasa.ini",
    "zbthumbnail.info",
    "pspbrwse.jbf",
    "bridgecache",
    "icon\r",
    "icon\u{f00d}",
    "__macosx",
    "network trash folder",
    "temporary items",
    "thevolumesettingsfolder",
    "system volume information",
    "$recycle.bin",
    "$recycle",
    "recycler",
    "recycled",
    "recycle.bin",
    "$extend",
    "lost+found",
    "lost.dir",
    "#recycle",
    "#snapshot",
    "@eadir",
    "@__thumb",
    "@tmp",
    "@recycle",
    "@recently-snapshot",
    "@sharebin",
    "~snapshot",
    "__pycache__",
    "wpsettings.dat",
    "indexervolumeguid",
];

/// How such names begin: thumbnails and indexes of Synology, what `chkdsk` found, locks of Office.
const OF_SYSTEMS_BEGIN: [&str; 6] = [
    "synophoto_",
    "synoindex_",
    "synovideo_",
    "@syno",
    "found.00",
    "~$",
];

/// What Windows, Dropbox and macOS tell of a file beside it in a stream of its own, which becomes a file `NAME:STREAM` on another disk
/// or in a zip.
const STREAMS: [&str; 10] = [
    "zone.identifier",
    "encryptable",
    "$data",
    "smartscreen",
    "favicon",
    "oecustomproperty",
    "com.dropbox.attributes",
    "com.dropbox.attrs",
    "afp_afpinfo",
    "afp_resource",
];

/// Whether a name is that of such a stream. WSL and Samba write the `:`, which Windows allows in no name, as a sign of their own.
fn is_stream(small: &str) -> bool {
    let parts = small.rsplit_once([':', '\u{f03a}', '\u{f022}']);
    parts.is_some_and(|(_, stream)| STREAMS.contains(&stream))
}

/// Kinds with the extensions that tell them, in small letters.
const BY_EXTENSION: [(&str, &[&str]); 6] = [
    (
        "unfinished download",
        &[
            "part",
            "partial",
            "filepart",
            "crdownload",
            "download",
            "opdownload",
            "aria2",
            "!ut",
            "!qb",
            "!bt",
            "bc!",
            "tdownload",
            "unfinished",
        ],
    ),
    (
        "checksum",
        &[
            "md5",
            "md5sum",
            "sha",
            "sha1",
            "sha1sum",
            "sha224",
            "sha256",
            "sha256sum",
            "sha384",
            "sha512",
            "sha512sum",
            "sfv",
            "crc",
            "crc32",
            "b2",
            "b3",
            "blake3",
            "par2",
            "sig",
            "asc",
        ],
    ),
    (
        "backup or temporary file",
        &[
            "bak", "backup", "old", "orig", "rej", "tmp", "temp", "swp", "swo", "swn",
        ],
    ),
    (
        "video",
        &[
            "mp4", "m4v", "mov", "avi", "mkv", "webm", "wmv", "flv", "mpg", "mpeg", "3gp", "3g2",
            "mts", "m2ts", "ogv", "vob", "rmvb", "thm", "lrv",
        ],
    ),
    (
        "sound file",
        &[
            "mp3", "wav", "flac", "ogg", "oga", "m4a", "aac", "wma", "opus", "aif", "aiff", "amr",
            "mid", "midi",
        ],
    ),
    (
        "archive",
        &[
            "zipx", "tbz", "tbz2", "bz2", "txz", "xz", "lzma", "zst", "tzst", "lz4", "rar", "egg",
            "alz", "cab", "iso", "dmg", "jar", "cbz", "cbr", "tgz",
        ],
    ),
];

/// Extensions of other files that lie beside photographs, counted each by itself.
const BESIDE: [&str; 70] = [
    "lock",
    "txt",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "ndjson",
    "xml",
    "yaml",
    "yml",
    "toml",
    "ini",
    "cfg",
    "conf",
    "db",
    "sqlite",
    "sqlite3",
    "properties",
    "md",
    "rst",
    "tex",
    "html",
    "htm",
    "css",
    "js",
    "pdf",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "ppt",
    "pptx",
    "hwp",
    "hwpx",
    "odt",
    "rtf",
    "zip",
    "tar",
    "gz",
    "7z",
    "py",
    "pyc",
    "ipynb",
    "sh",
    "bat",
    "ps1",
    "exe",
    "dll",
    "npy",
    "npz",
    "mat",
    "h5",
    "hdf5",
    "pkl",
    "parquet",
    "tfrecord",
    "arrow",
    // Labels that ultralytics has read, beside each part.
    "cache",
    "dvc",
    "pt",
    "pth",
    "onnx",
    "log",
    "crop_area",
    "lnk",
    "url",
    "webloc",
    "torrent",
    "xmp",
    "aae",
];

/// Names of files without an extension that lie beside photographs, in small letters.
const NAMED: [(&str, &str); 9] = [
    ("readme", "text file"),
    ("license", "text file"),
    ("licence", "text file"),
    ("copying", "text file"),
    ("makefile", "text file"),
    ("checksums", "checksum"),
    ("md5sums", "checksum"),
    ("sha256sums", "checksum"),
    ("sha1sums", "checksum"),
];

/// Whether a file or folder is hidden or left behind by a system, by its own name: the kind under which it is counted.
pub(super) fn left_behind(name: &str) -> Option<&'static str> {
    if name.starts_with('.') {
        return Some("hidden");
    }
    let small = name.to_lowercase();
    let of_system = OF_SYSTEMS.contains(&small.as_str())
        || OF_SYSTEMS_BEGIN.iter().any(|b| small.starts_with(b))
        || is_stream(&small);
    of_system.then_some("left behind by systems")
}

/// As [`left_behind`], for a folder, which may also be a download of Safari that has not ended.
pub(super) fn left_behind_folder(name: &str) -> Option<&'static str> {
    let unfinished = extension(name).is_some_and(|e| e == "download" || e == "crdownload");
    left_behind(name).or(unfinished.then_some("unfinished download"))
}

/// The kind of a file that is no photograph by its own name: `video`, or its extension as "`.txt`".
pub(super) fn other_kind(name: &str) -> Option<String> {
    let small = name.to_lowercase();
    if let Some((_, kind)) = NAMED.iter().find(|(named, _)| *named == small) {
        return Some((*kind).to_owned());
    }
    if small.ends_with('~') || small.len() > 2 && small.starts_with('#') && small.ends_with('#') {
        return Some("backup or temporary file".to_owned());
    }
    let extension = extension(name)?;
    let is = |of: &[&str]| of.contains(&extension.as_str());
    if let Some((kind, _)) = BY_EXTENSION.iter().find(|(_, of)| is(of)) {
        return Some((*kind).to_owned());
    }
    if is(&BESIDE) {
        return Some(format!("`.{extension}`"));
    }
    super::parts::of_archive(name).map(|_| "archive".to_owned())
}

/// Whether a name says that it is a zip.
pub(super) fn named_zip(name: &str) -> bool {
    extension(name).is_some_and(|extension| extension == "zip")
}

/// Whether a name says that it is a photograph.
pub(super) fn named_image(name: &str) -> bool {
    const IMAGES: [&str; 22] = [
        "jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "webp", "bmp", "dib", "tif", "tiff",
        "heic", "heif", "avif", "jp2", "jxl", "ppm", "pgm", "pbm", "pnm", "pam",
    ];
    extension(name).is_some_and(|extension| IMAGES.contains(&extension.as_str()))
}

/// The extension in small letters.
fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty()).then(|| extension.trim_end().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_photograph_is_known_by_its_name_whatever_the_case() {
        for name in [
            "@eaDir",
            "@__thumb",
            "x.jpg:Zone.Identifier",
            "x.jpg\u{f03a}Zone.Identifier",
            "Thumbs.db:encryptable",
            "#Recycle",
            "LOST+FOUND",
            "System Volume Information",
            "$recycle.bin",
            "Icon\r",
            "THUMBS.DB",
            "SYNOPHOTO_THUMB_M.jpg",
        ] {
            assert_eq!(left_behind(name), Some("left behind by systems"), "{name}");
        }
        for (name, kind) in [
            ("0.jpg.part", "unfinished download"),
            ("0.JPG.CRDOWNLOAD", "unfinished download"),
            ("0.jpg.md5", "checksum"),
            ("0.jpg~", "backup or temporary file"),
            ("0.jpg.BAK", "backup or temporary file"),
            ("0.MP4", "video"),
            ("X.zip.part1073741824", "archive"),
            ("X.7z.001", "archive"),
            ("readme.TXT", "`.txt`"),
        ] {
            assert_eq!(other_kind(name).as_deref(), Some(kind), "{name}");
        }
        for name in [
            "0.jpg",
            "0",
            "0.jpg.1",
            "a.b.c",
            "사진",
            "12:30.jpg",
            "img.001.jpg",
            "partial",
            "old",
            "0.webp",
        ] {
            assert_eq!(
                (left_behind(name), other_kind(name)),
                (None, None),
                "{name}"
            );
        }
    }
}
