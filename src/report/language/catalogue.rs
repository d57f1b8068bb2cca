//! A catalogue of sentences in two languages.

use std::collections::BTreeMap;

use regex_lite::Regex;

/// Parts of parts are looked up so deep.
const DEEPEST: u8 = 8;

/// Sentences with what varies, and their translations.
pub(super) struct Catalogue {
    pairs: Vec<Pair>,
}

struct Pair {
    english: &'static str,
    translation: &'static str,
    /// The whole sentence, what varies in groups; none where nothing does.
    pattern: Option<Regex>,
    /// The names of those groups, and whether what stands there is translated too.
    groups: Vec<(&'static str, bool)>,
    /// Whether it holds for cells of tables too.
    of_cells: bool,
    /// Whether a page says it by itself; it is no sentence of a document.
    of_page: bool,
}

impl Catalogue {
    /// From its text: pairs of lines, `#` before remarks. A pair that cannot be understood is left out; a test holds that there is none.
    pub(super) fn read(text: &'static str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        let lines: Vec<&'static str> = lines.collect();
        let pairs = lines
            .chunks_exact(2)
            .filter_map(|pair| Pair::of(pair[0], pair[1]));
        Self {
            pairs: pairs.collect(),
        }
    }

    /// A sentence that is in it.
    pub(super) fn sentence(&self, text: &str) -> Option<String> {
        self.find(text, false, DEEPEST)
    }

    /// What a cell of a table says, where it is no name.
    pub(super) fn cell(&self, text: &str) -> Option<String> {
        self.find(text, true, DEEPEST)
    }

    /// What a page says by itself, as it is written.
    pub(super) fn plain(&self) -> BTreeMap<&'static str, &'static str> {
        let pairs = self.pairs.iter().filter(|pair| pair.of_page);
        pairs.map(|pair| (pair.english, pair.translation)).collect()
    }

    fn find(&self, text: &str, cell: bool, deep: u8) -> Option<String> {
        let pairs = self
            .pairs
            .iter()
            .filter(|pair| !pair.of_page && (!cell || pair.of_cells));
        pairs
            .into_iter()
            .find_map(|pair| self.told(pair, text, deep))
    }

    fn told(&self, pair: &Pair, text: &str, deep: u8) -> Option<String> {
        let Some(pattern) = &pair.pattern else {
            return (pair.english == text).then(|| pair.translation.to_owned());
        };
        let found = pattern.captures(text)?;
        let mut told = pair.translation.to_owned();
        for (place, (name, translated)) in pair.groups.iter().enumerate() {
            let part = found.get(place + 1).map_or("", |part| part.as_str());
            let part = match deep.checked_sub(1).filter(|_| *translated) {
                Some(deep) => self
                    .find(part, false, deep)
                    .unwrap_or_else(|| part.to_owned()),
                None => part.to_owned(),
            };
            // Braces of a name are no place for another part.
            told = told.replace(&format!("{{{name}}}"), &part.replace('{', "\u{1}"));
        }
        Some(told.replace('\u{1}', "{"))
    }
}

impl Pair {
    fn of(english: &'static str, translation: &'static str) -> Option<Self> {
        let cells = english.strip_prefix("| ");
        let (of_cells, english) = (cells.is_some(), cells.unwrap_or(english));
        let page = english.strip_prefix("> ");
        let (of_page, english) = (page.is_some(), page.unwrap_or(english));
        let mut groups = Vec::new();
        let mut pattern = String::from("^");
        let mut rest = english;
        while let Some(start) = rest.find(['{', '(']) {
            let (open, close) = if rest[start..].starts_with('{') {
                ('{', '}')
            } else {
                ('(', ')')
            };
            pattern += &regex_lite::escape(&rest[..start]);
            let end = start + rest[start..].find(close)?;
            let inside = &rest[start + 1..end];
            rest = &rest[end + 1..];
            if open == '(' {
                // One of both words, or brackets of the sentence.
                pattern += &match inside.split_once('|') {
                    Some((one, other)) => format!(
                        "(?:{}|{})",
                        regex_lite::escape(one),
                        regex_lite::escape(other)
                    ),
                    None => {
                        rest = &english[english.len() - rest.len() - inside.len() - 1..];
                        "\\(".to_owned()
                    }
                };
                continue;
            }
            let (name, of) = match inside.strip_suffix('#') {
                Some(name) => (name, r"(-?[\d.,]+(?:e-?\d+)?%?)"),
                None => (inside.trim_end_matches('*'), "(.+?)"),
            };
            groups.push((name, inside.ends_with('*')));
            pattern += of;
        }
        pattern += &regex_lite::escape(rest);
        let varies = !groups.is_empty() || english.contains('|');
        Some(Self {
            english,
            translation,
            pattern: if varies {
                Some(Regex::new(&format!("(?s){pattern}$")).ok()?)
            } else {
                None
            },
            groups,
            of_cells,
            of_page,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_the_catalogue_is_understood_and_names_the_same_parts() {
        let text = include_str!("korean.txt");
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len() % 2, 0);
        for pair in lines.chunks_exact(2) {
            let read = Pair::of(pair[0], pair[1]).unwrap_or_else(|| panic!("{}", pair[0]));
            for (name, _) in &read.groups {
                // What a rest holds may be left out; everything else is told.
                assert!(
                    read.translation.contains(&format!("{{{name}}}")),
                    "{}: {name}",
                    pair[0]
                );
            }
            let hangul = |c: char| ('가'..='힣').contains(&c);
            let told = read.translation.replace(|c: char| !hangul(c), "");
            // Of what is made of translated parts alone the parts are Korean.
            let same = pair[0].contains("*}")
                || pair[0] == "> {a} taken for {b}"
                || [
                    "| {value#}% ({low#} to {high#})",
                    "| {low#}% to {high#}%",
                    "| {value#} ({low#} to {high#})",
                ]
                .contains(&pair[0]);
            assert!(!told.is_empty() || same, "{}", pair[1]);
        }
    }

    #[test]
    fn brackets_numbers_and_words_of_choice_are_told_apart() {
        let known =
            Catalogue::read("{n#} image(s|) (of {x})\n{x} 중 {n}장\n{a*} and {b}\n{b}, {a}");
        assert_eq!(known.sentence("3 images (of net)").unwrap(), "net 중 3장");
        assert_eq!(known.sentence("1 image (of {n})").unwrap(), "{n} 중 1장");
        assert_eq!(known.sentence("x images (of net)"), None);
        assert_eq!(
            known.sentence("2 images (of a) and c").unwrap(),
            "c, a 중 2장"
        );
    }
}
