//! Names that are safe to show: nothing in one can move a cursor, ring, break a line or hide.

use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt::Write as _,
    path::{Component, Path},
};

use super::{
    hidden::{escape, is_hidden},
    number,
};

/// Longer names are cut in the middle, in characters. Names of files and classes are far shorter.
const LONGEST_NAME: usize = 300;

/// Longer paths are cut in the middle, in characters; no path that a system takes without tricks is longer.
const LONGEST_PATH: usize = 4_096;

/// As one word of a shell.
#[must_use]
pub fn for_a_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

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
    escaped(name)
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
        return escaped(&text);
    }
    let parts: Vec<_> = text.split('/').map(escaped).collect();
    parts.join("/")
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
        let mut text = escaped(&chars[..front].iter().collect::<String>());
        for c in &chars[front..chars.len() - back] {
            // Letters that anybody can tell apart stay.
            if c.is_ascii_graphic() {
                text.push(*c);
            } else {
                escape(*c, &mut text);
            }
        }
        text + &escaped(&chars[chars.len() - back..].iter().collect::<String>())
    };
    (of(&a), of(&b))
}

/// A name as in [`shown`], however long: for a file, where a cut name would name nothing.
#[must_use]
pub fn escaped(name: &str) -> String {
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

/// A message whose literals, which stand in backticks, may be of any length: those of more than 300 characters are cut in the middle,
/// with how many are left out, and so is what is still longer than any message.
#[must_use]
pub fn bounded(message: &str) -> Cow<'_, str> {
    if message.len() <= LONGEST_NAME {
        return Cow::Borrowed(message);
    }
    let piece = |piece: &str| match piece.chars().count() {
        count if count > LONGEST_NAME => cut(piece, count, LONGEST_NAME),
        _ => piece.to_owned(),
    };
    let literals = message.split('`').enumerate();
    let short = literals.map(|(i, text)| {
        if i % 2 == 1 {
            piece(text)
        } else {
            text.to_owned()
        }
    });
    let short = short.collect::<Vec<_>>().join("`");
    match short.chars().count() {
        count if count > LONGEST_PATH => Cow::Owned(cut(&short, count, LONGEST_PATH)),
        _ => Cow::Owned(short),
    }
}

/// The beginning and the end of a text of `count` characters, and how many are between them.
fn cut(text: &str, count: usize, most: usize) -> String {
    let (front, back) = (most * 2 / 3, most / 6);
    let first: String = text.chars().take(front).collect();
    let last: String = text.chars().skip(count - back).collect();
    let between = number((count - front - back) as u64);
    format!(
        "{} … ({between} more characters) … {}",
        escaped(&first),
        escaped(&last)
    )
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn names_that_look_alike_are_told_apart() {
        let apart = |a: &str, b: &str| shown_apart(a, b);
        let own = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(apart("김밥", "김밥 "), own("김밥", "김밥\\x20"));
        assert_eq!(apart("Kimbap", "kimbap"), own("Kimbap", "kimbap"));
        assert_eq!(apart("a\u{391}b", "aAb"), own("a\\u{391}b", "aAb"));
        assert_eq!(apart("aa", "a"), own("aa", "a"));
    }
}
