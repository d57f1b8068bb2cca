//! What a data set holds more than once, byte for byte.

use std::collections::HashMap;

use crate::{
    digest::Digest,
    record::{Images, Labels, Part},
    text::{count, either, shown},
};

/// Says that one file, byte for byte, is there under two classes: at least one of them is wrong. Empty ones are judged by `unreadable`.
pub(super) fn under_two_classes(images: &Images, labels: &Labels) -> Option<String> {
    let mut first: HashMap<Digest, usize> = HashMap::new();
    let class = |i: usize| labels.labels[i].class as usize;
    let mut conflicts = Vec::new();
    for (i, image) in images
        .images
        .iter()
        .enumerate()
        .filter(|(_, image)| image.bytes > 0)
    {
        let before = *first.entry(image.digest).or_insert(i);
        if class(before) != class(i) {
            conflicts.push((before, i));
        }
    }
    let (a, b) = *conflicts.first()?;
    let told = |i: usize| {
        let (path, class) = (&images.images[i].path, &labels.classes[class(i)]);
        format!("`{}` (`{}`)", shown(path), shown(class))
    };
    let n = conflicts.len();
    Some(format!(
        "{} {} there under another class too, byte for byte, such as {} and {}; `kfood data` with `--exclude-list` lists them",
        count(n, "file"),
        either(n, "is", "are"),
        told(a),
        told(b)
    ))
}

/// Says that more than one in a hundred test images are training or validation images too. An evaluation tells of images that look alike;
/// copies are known before anything is decoded.
pub(super) fn in_test(images: &Images, labels: &Labels) -> Option<String> {
    let is_test = |i: usize| labels.labels[i].part == Part::Test;
    let all = || (images.images.iter().enumerate()).filter(|(_, image)| image.bytes > 0);
    // Of the test part alone, which is small, with what it is a copy of.
    let tested = all().filter(|(i, _)| is_test(*i));
    let mut found: HashMap<&Digest, Option<usize>> =
        tested.map(|(_, image)| (&image.digest, None)).collect();
    for (i, image) in all().filter(|(i, _)| !is_test(*i)) {
        if let Some(of) = found.get_mut(&image.digest) {
            of.get_or_insert(i);
        }
    }
    let tested = all().filter(|(i, _)| is_test(*i));
    let copies = tested.filter_map(|(i, image)| Some((i, (*found.get(&image.digest)?)?)));
    let copies: Vec<_> = copies.collect();
    let tested = labels
        .labels
        .iter()
        .filter(|label| label.part == Part::Test);
    let tested = tested.count();
    let (copy, of) = *copies.first()?;
    let path = |i: usize| shown(&images.images[i].path);
    (copies.len() * 100 > tested).then(|| {
        format!(
            "{} of {} {} there for training too, byte for byte, such as `{}` (`{}`): what is told of the test part is too good; `leaks = \"group\"` in a split leaves such training images out",
            copies.len(),
            count(tested, "test image"),
            either(copies.len(), "is", "are"),
            path(copy),
            path(of)
        )
    })
}
