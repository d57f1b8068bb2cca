//! Pages in two languages say the same: headings of the same levels in the same order, the same code to the byte, and links to the same places.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{blocks_of, links, pages, prose};

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

/// Where the links of a page lead, whatever the language of the pages: a Korean one counts as its English one, and headings of both have
/// names of their own. What leads to the page itself is left out, as what leads to its other language.
fn places(path: &Path, page: &str) -> BTreeSet<(PathBuf, Option<String>)> {
    let in_english = |to: PathBuf| {
        if is_korean(&to) { english(&to) } else { to }
    };
    let own = in_english(path.to_owned());
    let found = links(path, page).into_iter().map(|(to, anchor)| {
        let translated = is_korean(&to);
        (in_english(to), anchor.filter(|_| !translated))
    });
    found.filter(|(to, _)| *to != own).collect()
}

fn is_korean(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".ko.md")
}

#[test]
fn korean_pages_have_the_headings_the_code_and_the_links_of_the_english_ones() {
    let pages = pages();
    let korean: Vec<_> = pages.keys().filter(|path| is_korean(path)).collect();
    assert!(korean.len() > 1, "{korean:?}");
    for path in korean {
        let other = english(path);
        let (ko, en) = (&pages[path], &pages[&other]);
        let shown = format!("{} and {}", path.display(), other.display());
        assert_eq!(levels(ko), levels(en), "headings of {shown}");
        assert_eq!(places(path, ko), places(&other, en), "links of {shown}");
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
    let korean = Path::new("docs/README.ko.md");
    let en = "[한국어](docs/README.ko.md) [b](docs/b.md#c) [steps](docs/first-steps.md)";
    let ko = "[English](../README.md) [ㄴ](b.md#c) [첫걸음](first-steps.ko.md)";
    let places_of_en = places(Path::new("README.md"), en);
    assert_eq!(places(korean, ko), places_of_en);
    assert_ne!(places(korean, &ko.replace("#c", "")), places_of_en);
}
