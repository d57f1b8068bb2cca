//! Lists that are cut off, with how many more there are: no list of somebody's files fills a screen.

use std::fmt::Display;

use super::{number, shown};

/// The first few names in backticks and how many more there are: "`a`, `b` and 3 more".
pub fn first_few<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let quoted = |name: &str| format!("`{}`", shown(name));
    first_items(names.into_iter().map(quoted), most)
}

/// The first few items as they are and how many more there are: "a, b and 3 more".
pub fn first_items(items: impl IntoIterator<Item = impl Display>, most: usize) -> String {
    let (few, rest) = divided(items, most);
    let few = few.join(", ");
    match rest {
        0 => few,
        rest => format!("{few} {}", more(rest)),
    }
}

/// A line below a sentence for each of the first few items, and one for how many more there are: "\n  a\n  b\n  … and 3 more".
pub fn first_lines(items: impl IntoIterator<Item = impl Display>, most: usize) -> String {
    let (few, more) = divided(items, most);
    let mut text = String::new();
    for item in few {
        text += &format!("\n  {item}");
    }
    if more > 0 {
        text += &format!("\n  {}", and_more(more));
    }
    text
}

/// A message in one line: its first line, with the first item of the list that it leads to: "3 of 96 files cannot be used, such as `a`:
/// empty file".
pub fn in_one_line(message: &str) -> String {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default().trim_end();
    let Some(leads) = first.strip_suffix(':') else {
        return first.to_owned();
    };
    let mut items = lines.map(str::trim).filter(|line| !line.is_empty());
    match (items.next(), items.next()) {
        (None, _) => leads.to_owned(),
        (Some(only), None) => format!("{leads}: {only}"),
        (Some(first), Some(_)) => format!("{leads}, such as {first}"),
    }
}

/// What stands below a list that was cut off: "… and 1,099 more".
#[must_use]
pub fn and_more(rest: u64) -> String {
    format!("… {}", more(rest))
}

/// What stands at the end of a list that was cut off: "and 1,099 more".
#[must_use]
pub fn more(rest: u64) -> String {
    format!("and {} more", number(rest))
}

/// The first few, and how many follow.
fn divided(items: impl IntoIterator<Item = impl Display>, most: usize) -> (Vec<String>, u64) {
    let mut items = items.into_iter();
    let few = items.by_ref().take(most).map(|item| item.to_string());
    (few.collect(), items.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_off_with_a_count() {
        assert_eq!(first_few(["a", "b\n"], 2), "`a`, `b\\n`");
        assert_eq!(first_few(["a", "b", "c", "d"], 2), "`a`, `b` and 2 more");
    }

    #[test]
    fn a_message_in_one_line_names_the_first_of_its_list() {
        assert_eq!(in_one_line("the disk is full"), "the disk is full");
        assert_eq!(
            in_one_line("1 of 9 cannot be used:\n  `a`: empty"),
            "1 of 9 cannot be used: `a`: empty"
        );
        assert_eq!(
            in_one_line("2 of 9 cannot be used:\n  `a`: empty\n  `b`: empty\n"),
            "2 of 9 cannot be used, such as `a`: empty"
        );
        assert_eq!(in_one_line("these:"), "these");
        assert_eq!(in_one_line(""), "");
    }

    #[test]
    fn a_long_list_of_lines_is_cut_off_with_a_count() {
        assert_eq!(first_lines(["a", "b"], 2), "\n  a\n  b");
        let many = (0..1_100).map(|n| format!("{n}.jpg"));
        assert_eq!(first_lines(many, 1), "\n  0.jpg\n  … and 1,099 more");
    }
}
