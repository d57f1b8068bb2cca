//! What the terminal that standard error is can show.

use std::env;

use terminal_size::terminal_size_of;
use unicode_width::UnicodeWidthStr;

/// Columns where a terminal does not say how many it has.
const COLUMNS: u16 = 80;

/// The columns of the terminal that lines may have now: it may have been made narrower since, and the last one stays free, for some
/// terminals go on below as soon as it is written.
pub(super) fn columns() -> usize {
    let found = terminal_size_of(std::io::stderr()).map(|(width, _)| width.0);
    usize::from(found.filter(|n| *n > 1).unwrap_or(COLUMNS)) - 1
}

/// Whether it shows ASCII alone: its kind, or the locale where one is set, says so.
pub(super) fn is_ascii() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    only_ascii(&set("TERM").unwrap_or_default(), locale.as_deref())
}

fn only_ascii(term: &str, locale: Option<&str>) -> bool {
    let unicode = locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    !unicode || matches!(term, "dumb" | "linux" | "vt100" | "vt220" | "ansi")
}

/// Each line in lines that end between words where it is too long; those that follow are indented further.
pub(super) fn folded(text: &str, columns: usize) -> String {
    let lines = text.split('\n').map(|line| folded_line(line, columns));
    lines.collect::<Vec<_>>().join("\n")
}

fn folded_line(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start().len();
    let mut text = " ".repeat(indent);
    let mut column = indent;
    // What stands between words stays, such as the blanks of a table.
    for word in line[indent..].split_inclusive(' ') {
        if column > indent && column + word.trim_end().width() > columns {
            text.truncate(text.trim_end().len());
            text += "\n";
            text += &" ".repeat(indent + 2);
            column = indent + 2;
        }
        text += word;
        column += word.width();
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_more_than_ascii_unless_it_says_otherwise() {
        assert!(!only_ascii("xterm-256color", None));
        assert!(!only_ascii("xterm", Some("ko_KR.UTF-8")));
        assert!(!only_ascii("screen", Some("C.utf8")));
        assert!(only_ascii("xterm", Some("C")));
        assert!(only_ascii("linux", Some("ko_KR.UTF-8")));
    }

    #[test]
    fn a_long_line_goes_on_further_to_the_right() {
        assert_eq!(folded("  a short one", 20), "  a short one");
        let folded = folded("  net: one two three four", 16);
        assert_eq!(folded, "  net: one two\n    three four");
        // What begins a line of its own keeps it, as in a list that was cut off.
        let list = super::folded(
            "  net: one two three\n  a.jpg b.jpg c.jpg\n  … and 8 more",
            16,
        );
        assert_eq!(
            list,
            "  net: one two\n    three\n  a.jpg b.jpg\n    c.jpg\n  … and 8 more"
        );
    }
}
