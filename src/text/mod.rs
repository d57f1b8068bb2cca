//! Words for people: names that are safe to show, counts with their noun, numbers that are easy to take in, lists that end.
//!
//! A name comes from a file, a folder or a list, so anything may stand in it. What reaches a terminal or a message goes
//! through [`shown`] (text) or [`shown_path`] (paths): nothing in it can move the cursor, ring, break a line or hide.

mod counts;
mod hidden;
mod lists;
mod names;
mod numbers;
mod shortened;
mod terminal;
mod utf32;
mod wrapped;

pub use counts::{count, either, plural};
pub use hidden::is_hidden;
pub use lists::{and_more, first_few, first_items, first_lines, in_one_line, more};
pub use names::{bounded, escaped, for_a_shell, shown, shown_apart, shown_path};
pub use numbers::{bytes, fixed, number};
pub use shortened::shortened;
pub use terminal::{json_safe, safe_lines};
pub use utf32::utf32;
pub use wrapped::wrapped;
