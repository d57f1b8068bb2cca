//! Classes in words.

use crate::{record::Labels, text::first_items};

/// "`김밥` (1), `잡채` (2) and 3 more".
pub(super) fn list(labels: &Labels, classes: &[(usize, usize)]) -> String {
    let name = |(class, n): &(usize, usize)| format!("`{}` ({n})", labels.classes[*class]);
    first_items(classes.iter().map(name), 5)
}
