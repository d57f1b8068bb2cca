//! Pages in two languages say the same: headings of the same levels in the same order, and the same code to the byte.

use std::path::{Path, PathBuf};

use super::{blocks_of, pages, prose};

/// The page that `NAME.ko.md` is in Korean: beside it, or README.md above it.
fn english(korean: &Path) -> PathBuf {
    let name = korean.file_name().unwrap().to_str().unwrap();
    let name = format!("{}.md", name.strip_suffix(".ko.md").unwrap());
    if name == "README.md" {
        PathBuf::from(name)
    } else {
        korean.with_file_name(name)
    }
}

/// The levels of the headings of a page, in their order.
fn levels(page: &str) -> Vec<usize> {
    let hashes = |line: &str| line.len() - line.trim_start_matches('#').len();
    let lines = prose(page).into_iter();
    lines.map(hashes).filter(|n| *n > 0).collect()
}

#[test]
fn korean_pages_have_the_headings_and_the_code_of_the_english_ones() {
    let pages = pages();
    let is_korean = |path: &&PathBuf| path.to_string_lossy().ends_with(".ko.md");
    let korean: Vec<_> = pages.keys().filter(is_korean).collect();
    assert!(korean.len() > 1, "{korean:?}");
    for path in korean {
        let other = english(path);
        let (ko, en) = (&pages[path], &pages[&other]);
        let shown = format!("{} and {}", path.display(), other.display());
        assert_eq!(levels(ko), levels(en), "headings of {shown}");
        let (ko, en) = (blocks_of(ko), blocks_of(en));
        for (ko, en) in ko.iter().zip(&en) {
            assert_eq!(ko, en, "a block of {shown}");
        }
        assert_eq!(ko.len(), en.len(), "blocks of {shown}");
    }
}

#[test]
fn a_heading_that_is_missing_and_code_that_differs_are_seen() {
    let page = "# A\n## B\n```sh\n# no heading\n```\n### C\n";
    assert_eq!(levels(page), [1, 2, 3]);
    assert_eq!(blocks_of(page), ["sh\n# no heading\n"]);
    assert_ne!(blocks_of("```sh\na\n```\n"), blocks_of("```sh\nb\n```\n"));
}
