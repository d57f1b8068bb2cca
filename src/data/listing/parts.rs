//! Archives that are not read in place, and parts of archives: what to do with them, as a command.

use std::path::Path;

use super::walk::first_bytes;
use crate::{
    files::folder_of,
    text::{for_a_shell, shown, shown_path},
};

/// What an archive, or the part of one, is by its name, and how a folder or a whole zip is made of it. Nothing for a plain
/// `.zip`, and for anything else.
pub(super) fn of_archive(name: &str) -> Option<(&'static str, String)> {
    let (stem, last) = name.rsplit_once('.')?;
    let last = last.to_lowercase();
    part_of_archive(stem, &last).or_else(|| whole_archive(name, stem, &last))
}

/// Whether what stands before the last dot ends so.
fn inner(stem: &str, ends: &[&str]) -> bool {
    let stem = stem.to_lowercase();
    ends.iter().any(|end| stem.ends_with(end))
}

/// A part of a divided archive: `.part0`, `.001`, `.z01`, `.r00`.
fn part_of_archive(stem: &str, last: &str) -> Option<(&'static str, String)> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let of_three = number(last) && last.len() == 3;
    let after = |sign: char, digits: usize| {
        let rest = last.strip_prefix(sign);
        rest.is_some_and(|n| number(n) && n.len() >= digits)
    };
    // The offsets in the names of AI Hub's parts are of different lengths: in the order of letters they are no order.
    let join = |wild: &str| {
        let folder = for_a_shell(stem);
        format!(
            "join the parts: `printf '%s\\0' {folder}{wild} | sort -zV | xargs -0 cat > {folder}`"
        )
    };
    if last.strip_prefix("part").is_some_and(number) {
        return Some(("a part of a divided archive", join(".part*")));
    }
    if of_three && inner(stem, &[".7z"]) {
        let first = for_a_shell(&format!("{stem}.001"));
        let way = format!("unpack them from the first one: `7z x {first}`");
        return Some(("a part of a divided 7z archive", way));
    }
    if of_three && inner(stem, &[".zip", ".tar", ".tgz", ".gz", ".rar"]) {
        return Some(("a part of a divided archive", join(".[0-9]*")));
    }
    if after('z', 2) {
        let (zip, whole) = (format!("{stem}.zip"), format!("{stem}-whole.zip"));
        let (zip, whole) = (for_a_shell(&zip), for_a_shell(&whole));
        let way = format!("join the parts: `zip -s 0 {zip} --out {whole}`");
        return Some(("a part of a divided zip", way));
    }
    if after('r', 2) && last.len() == 3 {
        let first = for_a_shell(&format!("{stem}.rar"));
        let way = format!("unpack them from the first one: `unrar x {first}`");
        return Some(("a part of a divided RAR archive", way));
    }
    None
}

/// An archive in one file.
fn whole_archive(name: &str, stem: &str, last: &str) -> Option<(&'static str, String)> {
    let (whole, folder) = (for_a_shell(name), for_a_shell(stem));
    let tar = |stem: &str| {
        let folder = for_a_shell(stem);
        let unpack = format!("unpack it: `mkdir -p {folder} && tar -xf {whole} -C {folder}`");
        Some(("a tar archive", unpack))
    };
    let (what, way) = match last {
        "tar" | "tgz" | "tbz" | "tbz2" | "txz" | "tzst" => return tar(stem),
        "gz" | "bz2" | "xz" | "zst" | "lzma" if inner(stem, &[".tar"]) => {
            return tar(&stem[..stem.len() - ".tar".len()]);
        }
        "gz" => ("a gzip archive", format!("`gunzip -k {whole}`")),
        "7z" => ("a 7z archive", format!("`7z x {whole} -o{folder}`")),
        "rar" => ("a RAR archive", format!("`unrar x {whole} {folder}/`")),
        "alz" => (
            "an ALZ archive",
            format!("`mkdir -p {folder} && unalz -d {folder} {whole}`"),
        ),
        "egg" => {
            let way = "unpack it with ALZip or Bandizip".to_owned();
            return Some(("an EGG archive", way));
        }
        _ => return None,
    };
    Some((what, format!("unpack it: {way}")))
}

/// What an archive or a part of one is by the name of its file, and the way out with the folder in which to take it.
pub(super) fn way_out(path: &Path) -> Option<(&'static str, String)> {
    let (what, way) = of_archive(&path.file_name()?.to_string_lossy())?;
    let help = format!(
        "in `{}` {}; then name the zip or folder that comes of it",
        shown_path(folder_of(path)),
        shown(&way)
    );
    Some((what, help))
}

/// What to do about an archive that cannot be read in place, or a part of one, by the name of its file.
#[must_use]
pub fn archive_way_out(path: &Path) -> Option<String> {
    way_out(path).map(|(_, help)| help)
}

/// What a file that is named `.zip` is instead, by its first bytes.
pub(super) fn instead_of_zip(path: &Path) -> Option<&'static str> {
    let head = first_bytes(path, 512)?;
    if head.is_empty() {
        return Some("an empty file");
    }
    let text = String::from_utf8_lossy(head.trim_ascii_start()).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("<!doctype html") || text.starts_with("<html") || text.contains("<head") {
        return Some("an HTML page, most likely what a web site shows instead of the download");
    }
    const KNOWN: [(&[u8], &str); 6] = [
        (
            b"\x1f\x8b",
            "a gzip archive (`tar -xzf` unpacks a `.tar.gz`)",
        ),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive (`7z x` unpacks it)"),
        (b"Rar!", "a RAR archive (`unrar x` unpacks it)"),
        (b"ALZ\x01", "an ALZ archive (`unalz` unpacks it)"),
        (b"EGGA", "an EGG archive (ALZip and Bandizip unpack it)"),
        (
            b"version https://git-lfs",
            "a Git LFS pointer (`git lfs pull` fetches the file)",
        ),
    ];
    if let Some((_, what)) = KNOWN.iter().find(|(begin, _)| head.starts_with(begin)) {
        return Some(what);
    }
    if text.starts_with('{') || text.starts_with("<?xml") {
        return Some(
            "a text (JSON or XML), most likely an error that a web site gave instead of the download",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_and_parts_of_them_come_with_their_command() {
        let way = |name: &str| of_archive(name).map(|(_, way)| way);
        assert_eq!(
            way("한식 1.zip.part1073741824").unwrap(),
            "join the parts: `printf '%s\\0' '한식 1.zip'.part* | sort -zV | xargs -0 cat > '한식 1.zip'`"
        );
        assert!(way("X.z01").unwrap().contains("`zip -s 0 'X.zip' --out"));
        assert!(way("X.7z.002").unwrap().contains("`7z x 'X.7z.001'`"));
        assert!(
            way("X.tar.gz")
                .unwrap()
                .contains("tar -xf 'X.tar.gz' -C 'X'`")
        );
        assert!(way("X.TAR").unwrap().contains("tar -xf 'X.TAR'"));
        for name in [
            "X.rar",
            "X.part1.rar",
            "X.r00",
            "X.egg",
            "X.alz",
            "X.zip.001",
        ] {
            assert!(way(name).is_some(), "{name}");
        }
        for name in ["X.zip", "x.jpg", "x.001", "x.part", "apart", "x.z"] {
            assert_eq!(way(name), None, "{name}");
        }
    }
}
