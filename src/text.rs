//! Words for people: names that are safe to show, counts with their noun, numbers that are easy to take in.
//!
//! A name comes from a file, a folder or a list, so anything may stand in it. What reaches a terminal or a message goes
//! through [`shown`] (text) or [`shown_path`] (paths): nothing in it can move the cursor, ring, break a line or hide.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    path::{Component, Path},
};

/// Longer names are cut in the middle, in characters. Names of files and classes are far shorter.
const LONGEST_NAME: usize = 300;
/// Longer paths are cut in the middle, in characters; no path that a system takes without tricks is longer.
const LONGEST_PATH: usize = 4_096;

/// A name as it may reach a terminal or a message.
///
/// Control characters, invisible ones and blanks that are not the plain one become `\n`, `\x1b`, `\u{200b}`; a plain
/// blank at either end `\x20`, for nobody sees it there. A name longer than 300 characters is cut in the middle, with
/// how many are left out. A name without any of these is itself.
#[must_use]
pub fn shown(name: &str) -> String {
    let count = name.chars().count();
    if count > LONGEST_NAME {
        return cut(name, count, LONGEST_NAME);
    }
    ends(name)
}

/// A path as it may reach a terminal or a message: as [`shown`], with bytes that are no UTF-8 as `\xb1`.
#[must_use]
pub fn shown_path(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    let text = decoded(path.as_os_str());
    let count = text.chars().count();
    if count > LONGEST_PATH {
        return cut(&text, count, LONGEST_PATH);
    }
    // A blank at the end of a component in the middle hides as well as one at the very end.
    let odd = |c: Component<'_>| {
        let part = c.as_os_str().as_encoded_bytes();
        part.first() == Some(&b' ') || part.last() == Some(&b' ')
    };
    if !path.components().any(odd) {
        return ends(&text);
    }
    let parts: Vec<_> = text.split('/').map(ends).collect();
    parts.join("/")
}

/// Whole lines for a terminal: what would steer it (control characters, marks of direction) is escaped, line breaks and tabs
/// stay. The last door before printing; it can't know which line break belongs to a name, so names go through [`shown`] first.
#[must_use]
pub fn safe_lines(text: &str) -> String {
    let fine = |c: char| matches!(c, '\n' | '\t') || !steers(c);
    if text.chars().all(fine) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if fine(c) {
            safe.push(c);
        } else {
            escape(c, &mut safe);
        }
    }
    safe
}

/// The text of a JSON document in which every character that would steer a terminal is written as JSON escapes it, so that it
/// stays the same document.
#[must_use]
pub fn json_safe(json: &str) -> String {
    if !json.chars().any(|c| steers(c) && c != '\n') {
        return json.to_owned();
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if steers(c) && c != '\n' {
            // All of them lie in the first plane.
            let written = write!(safe, "\\u{:04x}", c as u32);
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a character steers a terminal or the direction of what follows.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Two names that look alike, shown so that they don't: what differs stands escaped in both.
#[must_use]
pub fn shown_apart(one: &str, other: &str) -> (String, String) {
    let (a, b): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - front;
    let back = a.iter().rev().zip(b.iter().rev());
    let back = back.take(most).take_while(|(x, y)| x == y).count();
    let of = |chars: &[char]| {
        let mut text = ends(&chars[..front].iter().collect::<String>());
        for c in &chars[front..chars.len() - back] {
            // Letters that anybody can tell apart stay.
            if c.is_ascii_graphic() {
                text.push(*c);
            } else {
                escape(*c, &mut text);
            }
        }
        text + &ends(&chars[chars.len() - back..].iter().collect::<String>())
    };
    (of(&a), of(&b))
}

/// Whether a character is not seen, moves what is seen, or is a blank other than the plain one: control characters, line and
/// paragraph separators, marks of direction, zero-width characters, fillers, selectors, tags, wide and narrow blanks.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    if c.is_control() || c.is_whitespace() {
        return true;
    }
    // Unicode's Default_Ignorable_Code_Point, its format characters, and the braille blank.
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A count with its noun: "1 image", "2 images", "1,043 photographs".
#[must_use]
pub fn count(n: impl TryInto<u64>, noun: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {}", number(n), plural(n, noun))
}

/// The noun alone: "image" of one, "images" of none or many; so "class", "entry", "copy", "is", "it".
#[must_use]
pub fn plural(n: impl TryInto<u64>, noun: &str) -> String {
    if n.try_into().unwrap_or(u64::MAX) == 1 {
        return noun.to_owned();
    }
    let irregular = match noun {
        "is" => Some("are"),
        "was" => Some("were"),
        "has" => Some("have"),
        "does" => Some("do"),
        "epoch" => Some("epochs"),
        "it" => Some("they"),
        "this" => Some("these"),
        "its" => Some("their"),
        _ => None,
    };
    if let Some(word) = irregular {
        return word.to_owned();
    }
    let vowel = |c: Option<char>| c.is_some_and(|c| "aeiou".contains(c));
    match noun.strip_suffix('y') {
        Some(stem) if !vowel(stem.chars().next_back()) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// The word for one or for several: `either(n, "looks", "look")`.
#[must_use]
pub fn either<'a>(n: impl TryInto<u64>, one: &'a str, several: &'a str) -> &'a str {
    if n.try_into().unwrap_or(u64::MAX) == 1 {
        one
    } else {
        several
    }
}

/// The first few names in backticks and how many more there are: "`a`, `b` and 3 more".
pub fn first_few<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut names = names.into_iter();
    let few: Vec<_> = names
        .by_ref()
        .take(most)
        .map(|n| format!("`{}`", shown(n)))
        .collect();
    match names.count() {
        0 => few.join(", "),
        more => format!("{} and {} more", few.join(", "), number(more as u64)),
    }
}

/// A whole number with its thousands apart: `33,593`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Every hidden character escaped, and a blank at either end.
fn ends(name: &str) -> String {
    let edge = name.starts_with(' ') || name.ends_with(' ');
    if !edge && !name.chars().any(is_hidden) {
        return name.to_owned();
    }
    let bare = name.trim_matches(' ');
    let front = name.len() - name.trim_start_matches(' ').len();
    let back = name.len() - front - bare.len();
    let mut text = "\\x20".repeat(front);
    for c in bare.chars() {
        if is_hidden(c) {
            escape(c, &mut text);
        } else {
            text.push(c);
        }
    }
    text + &"\\x20".repeat(back)
}

/// The beginning and the end of a text of `count` characters, and how many are between them.
fn cut(text: &str, count: usize, most: usize) -> String {
    let (front, back) = (most * 2 / 3, most / 6);
    let first: String = text.chars().take(front).collect();
    let last: String = text.chars().skip(count - back).collect();
    let between = number((count - front - back) as u64);
    format!(
        "{} … ({between} more characters) … {}",
        ends(&first),
        ends(&last)
    )
}

fn escape(c: char, text: &mut String) {
    let written = match c {
        '\n' => text.write_str("\\n"),
        '\r' => text.write_str("\\r"),
        '\t' => text.write_str("\\t"),
        '\0'..='\u{7f}' => write!(text, "\\x{:02x}", c as u32),
        _ => write!(text, "\\u{{{:x}}}", c as u32),
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

/// Valid UTF-8 as it is, every other byte as `\xb1`.
fn decoded(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let written = write!(text, "\\x{byte:02x}");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
    text
}

/// A size in decimal units: `980 B`, `1.2 MB`, `5.1 GB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1_000.0;
    let mut units = ["kB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or("kB");
    for larger in units {
        if value < 999.95 {
            break;
        }
        value /= 1_000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_numbers_are_grouped() {
        let of = [0, 999, 1000, 33_593, 1_234_567].map(number);
        assert_eq!(of, ["0", "999", "1,000", "33,593", "1,234,567"]);
    }

    #[test]
    fn a_plain_name_is_shown_as_it_is() {
        for name in ["김밥", "beef tartare", "a/b c.jpg", "C:\\data", "é", ""] {
            assert_eq!(shown(name), name);
            assert_eq!(shown_path(Path::new(name)), name);
        }
    }

    #[test]
    fn nothing_in_a_name_moves_the_cursor_or_hides() {
        let cases = [
            ("a\u{1b}[31mb", "a\\x1b[31mb"),
            ("a\rb\nc\td\u{7}", "a\\rb\\nc\\td\\x07"),
            ("김밥\u{200b}", "김밥\\u{200b}"),
            ("\u{feff}a\u{202e}b", "\\u{feff}a\\u{202e}b"),
            ("a\u{a0}b\u{3000}c", "a\\u{a0}b\\u{3000}c"),
            ("\u{3164}", "\\u{3164}"),
            ("a\u{9b}b\u{2028}c", "a\\u{9b}b\\u{2028}c"),
            (" 김밥  ", "\\x20김밥\\x20\\x20"),
            ("  ", "\\x20\\x20"),
        ];
        for (name, text) in cases {
            assert_eq!(shown(name), text);
            assert_eq!(shown(text), text, "shown twice is shown once");
        }
    }

    #[test]
    fn a_blank_at_the_end_of_a_folder_is_seen() {
        assert_eq!(shown_path(Path::new("김밥 /a b.jpg")), "김밥\\x20/a b.jpg");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(OsStr::from_bytes(b"a/\xb1\xe8/0\x1b.jpg"));
        assert_eq!(shown_path(path), "a/\\xb1\\xe8/0\\x1b.jpg");
    }

    #[test]
    fn a_very_long_name_is_cut_in_the_middle() {
        let text = shown(&format!("begin{}end", "밥".repeat(50_000)));
        assert!(text.starts_with("begin밥") && text.ends_with("밥end"));
        assert!(text.contains("(49,758 more characters)"), "{text}");
        assert!(text.chars().count() < 300);
    }

    #[test]
    fn lines_keep_their_breaks_and_lose_what_steers_a_terminal() {
        assert_eq!(safe_lines("a:\n  b\tc"), "a:\n  b\tc");
        assert_eq!(safe_lines("a\u{1b}]0;x\u{7}\n"), "a\\x1b]0;x\\x07\n");
    }

    #[test]
    fn json_stays_the_same_document() {
        let json = "{\n  \"a\": \"\u{9b}31m\u{202e}\u{7f}\"\n}";
        assert_eq!(
            json_safe(json),
            "{\n  \"a\": \"\\u009b31m\\u202e\\u007f\"\n}"
        );
    }

    #[test]
    fn names_that_look_alike_are_told_apart() {
        let apart = |a: &str, b: &str| shown_apart(a, b);
        let own = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(apart("김밥", "김밥 "), own("김밥", "김밥\\x20"));
        assert_eq!(apart("Kimbap", "kimbap"), own("Kimbap", "kimbap"));
        assert_eq!(apart("a\u{391}b", "aAb"), own("a\\u{391}b", "aAb"));
        assert_eq!(apart("aa", "a"), own("aa", "a"));
    }

    #[test]
    fn a_count_agrees_with_its_noun() {
        assert_eq!(
            [0, 1, 2, 1_043].map(|n| count(n, "image")),
            ["0 images", "1 image", "2 images", "1,043 images"]
        );
        let many = [
            "class", "entry", "key", "copy", "batch", "epoch", "is", "it", "has",
        ]
        .map(|w| plural(2, w));
        assert_eq!(
            many,
            [
                "classes", "entries", "keys", "copies", "batches", "epochs", "are", "they", "have"
            ]
        );
        assert_eq!(plural(1_usize, "class"), "class");
        assert_eq!(either(1_u64, "looks", "look"), "looks");
    }

    #[test]
    fn a_long_list_is_cut_off_with_a_count() {
        assert_eq!(first_few(["a", "b\n"], 2), "`a`, `b\\n`");
        assert_eq!(first_few(["a", "b", "c", "d"], 2), "`a`, `b` and 2 more");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [0, 999, 1_000, 33_593, 1_234_567].map(number),
            ["0", "999", "1,000", "33,593", "1,234,567"]
        );
    }
}
