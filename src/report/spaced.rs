//! Some of many.

/// Places 0 to `n`, or `most` of them evenly spaced with both ends.
pub(super) fn spaced(n: usize, most: usize) -> impl Iterator<Item = usize> {
    let shown = n.min(most);
    (0..shown).map(move |i| {
        if shown < 2 {
            0
        } else {
            i * (n - 1) / (shown - 1)
        }
    })
}
