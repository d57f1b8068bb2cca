//! Classes in words.

use crate::record::Labels;

/// "`김밥` (1), `잡채` (2), and 3 more".
pub(super) fn list(labels: &Labels, classes: &[(usize, usize)]) -> String {
    let mut names: Vec<_> = classes
        .iter()
        .take(5)
        .map(|(class, n)| format!("`{}` ({n})", labels.classes[*class]))
        .collect();
    if classes.len() > 5 {
        names.push(format!("and {} more", classes.len() - 5));
    }
    names.join(", ")
}
