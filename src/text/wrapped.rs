//! Sentences in lines that end between words.

use unicode_width::UnicodeWidthStr;

/// A text in lines of at most so many columns, indented; a word that is wider stands alone.
#[must_use]
pub fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().map_or(0, |line| line.width());
        let fits = indent + last + 1 + word.width() <= width;
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if fits => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let indent = " ".repeat(indent);
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.map(|line| format!("{indent}{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_hangul_takes_two_columns() {
        assert_eq!(wrapped("one two three", 2, 9), "  one two\n  three\n");
        assert_eq!(wrapped("김치 찌개 a", 0, 9), "김치 찌개\na\n");
        assert_eq!(
            wrapped("a wider-than-all b", 0, 5),
            "a\nwider-than-all\nb\n"
        );
        assert_eq!(wrapped("", 2, 9), "");
    }
}
