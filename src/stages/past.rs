//! What earlier results tell: how an input differs from what it was, and what a run would take.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    data::corrected_in_words,
    digest::{Digest, Parts},
    files::{folder_of, read_json},
    record::{Assignment, ImageColumns, ImageCount, Images, Labels, Part, Split},
    stage::Past,
    text::{count, first_few, plural},
};

/// The name in a pipeline file: what stands together in a key under a name of its own is written without it.
pub(super) fn written(setting: &str) -> String {
    let inner = ["training.", "pixels."];
    let inner = inner.iter().find_map(|outer| setting.strip_prefix(outer));
    inner.unwrap_or(setting).to_owned()
}

/// How an input of labels, images or membership differs from what it was.
pub(super) fn changed(role: &str, before: &Path, now: &Path) -> Option<String> {
    match role {
        "labels" | "images" => images_changed(before, now),
        "split" => split_changed(before, now),
        _ => None,
    }
}

/// Both outputs of a dataset lie beside each other.
fn images_changed(before: &Path, now: &Path) -> Option<String> {
    let read = |path: &Path| -> Option<(ImageColumns, Labels)> {
        let images = path.with_file_name(Images::FILE);
        // Where the folder for temporary files is full or missing, another may do.
        let folders = [
            env::temp_dir(),
            "/tmp".into(),
            "/var/tmp".into(),
            folder_of(path).to_owned(),
        ];
        let images = folders
            .iter()
            .find_map(|folder| ImageColumns::read(&images, folder).ok())?;
        Some((images, read_json(&path.with_file_name(Labels::FILE)).ok()?))
    };
    let ((old_images, old), (new_images, new)) = (read(before)?, read(now)?);
    // As given: corrections are told for themselves.
    let (was_given, is_given) = (old.as_given(), new.as_given());
    let (was, is) = (
        Listed::of(&old_images, &was_given),
        Listed::of(&new_images, &is_given),
    );
    let (old_marks, new_marks) = (was.marks()?, is.marks()?);
    let (was, is) = (was.without(&new_marks)?, is.without(&old_marks)?);
    let mut words = pictures_changed(&was, &is);
    words.extend(classes_changed(&old, &new));
    words.extend(corrections_changed(&old, &new));
    (!words.is_empty()).then(|| words.join(", "))
}

/// Path, class and part of a picture.
type Place = (String, String, Part);

/// Stands for a picture and its place: of a million images these are held, and not where they are.
type Mark = u128;

/// Images with their labels.
struct Listed<'a> {
    images: &'a ImageColumns,
    labels: &'a Labels,
}

impl<'a> Listed<'a> {
    fn of(images: &'a ImageColumns, labels: &'a Labels) -> Self {
        Self { images, labels }
    }

    /// Tells every picture: its digest, path, class and part. `None` where the lists cannot be read.
    fn each(&self, mut tell: impl FnMut(Digest, &str, &str, Part)) -> Option<()> {
        let mut paths = self.images.paths();
        let count = self.images.len().min(self.labels.labels.len());
        for (i, label) in self.labels.labels[..count].iter().enumerate() {
            let class = self.labels.classes.get(label.class as usize);
            let class = class.map_or("", String::as_str);
            tell(
                self.images.digest(i).ok()?,
                paths.get(i).ok()?,
                class,
                label.part,
            );
        }
        Some(())
    }

    /// The marks of all, ascending.
    fn marks(&self) -> Option<Vec<Mark>> {
        let mut marks = Vec::with_capacity(self.images.len());
        self.each(|digest, path, class, part| marks.push(mark(&digest, path, class, part)))?;
        marks.sort_unstable();
        Some(marks)
    }

    /// Those that another list has not, with these marks: what is the same in both is no change. A picture that lies in another class
    /// folder is the same picture: it is known by its content. One may be there several times.
    fn without(&self, others: &[Mark]) -> Option<BTreeMap<Digest, Vec<Place>>> {
        let mut found: BTreeMap<Digest, Vec<Place>> = BTreeMap::new();
        self.each(|digest, path, class, part| {
            let mark = mark(&digest, path, class, part);
            if others.binary_search(&mark).is_err() {
                let place = (path.to_owned(), class.to_owned(), part);
                found.entry(digest).or_default().push(place);
            }
        })?;
        Some(found)
    }
}

fn mark(digest: &Digest, path: &str, class: &str, part: Part) -> Mark {
    let mut parts = Parts::new("kfood 2026 picture and its place");
    parts.part(digest.0).part(path).part(class);
    let whole = parts.part([part as u8]).finish().0;
    let mut mark = [0; 16];
    mark.copy_from_slice(&whole[..16]);
    Mark::from_be_bytes(mark)
}

/// Of the pictures whose places are not in the other list. "2 images moved class", "1 image new", "3 gone".
fn pictures_changed(
    was: &BTreeMap<Digest, Vec<Place>>,
    is: &BTreeMap<Digest, Vec<Place>>,
) -> Vec<String> {
    let (mut moved, mut elsewhere, mut renamed) = (0_usize, 0_usize, 0_usize);
    let (mut added, mut gone) = (0, 0);
    let digests: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    let at = |of: &'_ BTreeMap<Digest, Vec<Place>>, digest| {
        let places = of.get(digest).cloned();
        places.unwrap_or_default()
    };
    for digest in digests {
        let (left, come) = (at(was, digest), at(is, digest));
        for ((_, old_class, old_part), (_, class, part)) in left.iter().zip(&come) {
            match () {
                () if class != old_class => moved += 1,
                () if part != old_part => elsewhere += 1,
                () => renamed += 1,
            }
        }
        // What stays where it is, and what took another's place, is told; the rest is a further copy, or one less.
        added += come.len().saturating_sub(left.len());
        gone += left.len().saturating_sub(come.len());
    }
    let mut words = Vec::new();
    for (n, what) in [
        (moved, "moved class"),
        (elsewhere, "moved to another part"),
        (renamed, "renamed"),
    ] {
        if n > 0 {
            words.push(format!("{} {what}", count(n, "image")));
        }
    }
    for (n, what) in [(added, "new"), (gone, "gone")] {
        match (n, words.is_empty()) {
            (0, _) => {}
            (n, true) => words.push(format!("{} {what}", count(n, "image"))),
            (n, false) => words.push(format!("{n} {what}")),
        }
    }
    words
}

/// "class new: `김밥`", "classes gone: `a`, `b`".
fn classes_changed(old: &Labels, new: &Labels) -> Vec<String> {
    let classes = |labels: &Labels| labels.classes.iter().cloned().collect::<BTreeSet<_>>();
    let (old, new) = (classes(old), classes(new));
    let told = |(word, one, other): (&str, &BTreeSet<String>, &BTreeSet<String>)| {
        let names: Vec<_> = one.difference(other).map(String::as_str).collect();
        let n = names.len();
        (n > 0).then(|| format!("{} {word}: {}", plural(n, "class"), first_few(names, 3)))
    };
    let both = [("new", &new, &old), ("gone", &old, &new)];
    both.into_iter().filter_map(told).collect()
}

/// "17 labels corrected, 3 left out", where corrections are others than before.
fn corrections_changed(old: &Labels, new: &Labels) -> Option<String> {
    let of = |labels: &Labels| (labels.corrected.clone(), labels.left_out.clone());
    (of(old) != of(new)).then(|| corrected_in_words(new.corrected.len(), new.left_out.len()))
}

fn split_changed(before: &Path, now: &Path) -> Option<String> {
    let (old, new): (Split, Split) = (read_json(before).ok()?, read_json(now).ok()?);
    let (was, is) = (old.assignments.len(), new.assignments.len());
    if was != is {
        return Some(format!("of {}, {was} before", count(is, "image")));
    }
    let moved = old.assignments.iter().zip(&new.assignments);
    match moved.filter(|(was, is)| was != is).count() {
        0 => None,
        n => Some(format!("{} of {is} in another part", count(n, "image"))),
    }
}

/// The seconds of an earlier result for as many images as there are now; `None` where it is of another stage.
pub(super) fn by_images(past: &Past<'_>) -> Option<f64> {
    past.own.then(|| past.seconds * ratio(past).unwrap_or(1.0))
}

/// How many images there are now for each one before.
fn ratio(past: &Past<'_>) -> Option<f64> {
    if ["labels", "images"]
        .iter()
        .any(|role| reads_the_same(past, role))
    {
        return Some(1.0);
    }
    let images = |paths: &BTreeMap<String, PathBuf>| {
        let labels = || Some(read_json::<Labels>(paths.get("labels")?).ok()?.labels.len());
        let images = || Some(read_json::<ImageCount>(paths.get("images")?).ok()?.images);
        labels().or_else(images)
    };
    let (was, is) = (images(past.before)?, images(past.now)?);
    (was > 0).then(|| is as f64 / was as f64)
}

/// Whether it reads what it read before. Of a sweep's points, which mostly do, no list is read for each.
fn reads_the_same(past: &Past<'_>, role: &str) -> bool {
    let before = past.before.get(role);
    before.is_some() && before == past.now.get(role)
}

/// The images that a training sees in an epoch, as far as that is known and they may be others than before: the folds of one split
/// have about as many.
pub(super) fn trained_on(past: &Past<'_>, fold: Option<u32>) -> Option<u64> {
    if reads_the_same(past, "split") {
        return None;
    }
    let split: Split = read_json(past.now.get("split")?).ok()?;
    let trains = |assignment: &&Assignment| match assignment {
        Assignment::Train => true,
        Assignment::Fold(of) => Some(*of) != fold,
        _ => false,
    };
    Some(split.assignments.iter().filter(trains).count() as u64)
}

/// Whether what decides how long an image takes is the same in two settings.
pub(super) fn same(one: &Value, other: &Value, keys: &[&str]) -> bool {
    keys.iter()
        .all(|key| one.pointer(key) == other.pointer(key))
}
