//! What a data set looks like: how many images of which class and part, their sizes and brightness, what is odd, and which
//! pictures are there twice.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    record::{Images, Labels, Likeness, LookAlikes, Looked, Pair, Part, Photographs},
    settings::MeanStd,
};

/// The look of one data set under one preprocess stage.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// The preprocess instance.
    pub data: String,
    /// The dataset instance.
    pub dataset: String,
    /// In the order of the class map.
    pub classes: Vec<Class>,
    /// Images of the largest class by those of the smallest, in the training part.
    pub imbalance: Option<f64>,
    /// Images that corrections leave out: they are in no class, and nothing else here is of them.
    pub left_out: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Files by format.
    pub formats: BTreeMap<String, u64>,
    /// Images by the length of their shorter side, `(from, below, images)` in pixels.
    pub short_sides: Vec<(u32, u32, u64)>,
    /// Images by mean brightness, in eight steps of 32 from black to white.
    pub brightness: [u64; 8],
    /// Channel mean and standard deviation of the training part, values from 0 to 1.
    pub mean_std: MeanStd,
    /// Of how many images of that part, evenly spread, where not of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixels_of: Option<u64>,
    /// What is unusual, with the number of files and the first of them.
    pub odd: BTreeMap<String, (u64, String)>,
    /// What the dataset stage told of its look at the files.
    pub looked: Looked,
    /// Files that were dropped, with the reason.
    pub dropped: Vec<(String, String)>,
    /// Pictures that are there more than once.
    pub leaks: Leaks,
}

/// One class.
#[derive(Clone, Debug, Serialize)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Images of the training part that the data set does not give to validation.
    pub train: u64,
    /// Images that the data set itself gives to validation.
    pub validation: u64,
    /// Images of the test part.
    pub test: u64,
}

/// Pictures that are there more than once.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Leaks {
    /// Pairs between parts (training, given validation and test), by likeness.
    pub across: BTreeMap<Likeness, u64>,
    /// Pairs inside a part.
    pub inside: BTreeMap<Likeness, u64>,
    /// Images of the test part with at least one such picture in the training part.
    pub leaked_test_images: u64,
    /// The splits of this data set that leave such copies out (`leaks = "group"`).
    pub left_out_by: Vec<String>,
    /// Pairs whose images have different labels.
    pub conflicts: u64,
    /// The pairs, those across parts first, then conflicts, then the rest.
    pub pairs: Vec<LeakPair>,
}

/// One pair.
#[derive(Clone, Debug, Serialize)]
pub struct LeakPair {
    /// The first image's place in the data set.
    #[serde(skip)]
    pub a: usize,
    /// The second's.
    #[serde(skip)]
    pub b: usize,
    /// The first image.
    pub first: String,
    /// The second.
    pub second: String,
    /// How far they are the same.
    pub likeness: Likeness,
    /// Their correlation.
    pub correlation: f32,
    /// Whether their labels differ.
    pub conflict: bool,
}

/// The records of one data set.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// `images.json`
    pub images: &'a Images,
    /// `labels.json`
    pub labels: &'a Labels,
    /// `photographs.json`
    pub photographs: &'a Photographs,
    /// `look_alikes.json`
    pub look_alikes: &'a LookAlikes,
}

impl Overview {
    /// From the records of a data set; entries beyond the shortest of them are left out.
    #[must_use]
    pub fn new(data: &str, dataset: &str, seen: Seen<'_>, mean_std: MeanStd) -> Self {
        let classes = classes(seen.labels);
        let train = classes.iter().map(|c| c.train).filter(|n| *n > 0);
        let (least, most) = (train.clone().min(), train.max());
        let photographs = &seen.photographs.photographs;
        // In a part: what corrections leave out is not looked at.
        let named = || {
            let named = seen.images.images.iter().zip(photographs).enumerate();
            let in_part = named.filter(|(i, _)| seen.labels.given_for(*i).is_some());
            in_part.map(|(_, named)| named)
        };
        let usable = || {
            let usable = named().filter(|(_, p)| p.dropped.is_none());
            usable.map(|(_, photograph)| photograph)
        };
        let mut formats = BTreeMap::new();
        let mut brightness = [0; 8];
        for photograph in usable() {
            *formats.entry(photograph.format.clone()).or_insert(0) += 1;
            brightness[(photograph.brightness / 32.0).clamp(0.0, 7.0) as usize] += 1;
        }
        let mut odd: BTreeMap<String, (u64, String)> = BTreeMap::new();
        for (image, photograph) in named().filter(|(_, p)| p.dropped.is_none()) {
            for what in &photograph.odd {
                let entry = odd.entry(what.clone());
                entry.or_insert_with(|| (0, image.path.clone())).0 += 1;
            }
        }
        let dropped = named()
            .filter_map(|(image, p)| Some((image.path.clone(), p.dropped.as_ref()?.to_string())));
        Self {
            data: data.to_owned(),
            dataset: dataset.to_owned(),
            imbalance: least
                .zip(most)
                .map(|(least, most)| most as f64 / least as f64),
            classes,
            left_out: seen.labels.left_out.len(),
            bytes: seen.images.images.iter().map(|i| i.bytes).sum(),
            formats,
            short_sides: steps(usable().map(|p| p.width.min(p.height)).collect()),
            brightness,
            mean_std,
            pixels_of: None,
            odd,
            looked: Looked::default(),
            dropped: dropped.collect(),
            leaks: leaks(seen),
        }
    }
}

#[cfg(test)]
impl Overview {
    /// Of no images.
    pub(super) fn empty(data: &str, dataset: &str) -> Self {
        let seen = Seen {
            images: &Images { images: Vec::new() },
            labels: &Labels::default(),
            photographs: &Photographs::default(),
            look_alikes: &LookAlikes {
                images: 0,
                pairs: Vec::new(),
            },
        };
        Self::new(data, dataset, seen, MeanStd::IDENTITY)
    }
}

fn classes(labels: &Labels) -> Vec<Class> {
    let mut classes: Vec<_> = labels
        .classes
        .iter()
        .map(|name| Class {
            name: name.clone(),
            train: 0,
            validation: 0,
            test: 0,
        })
        .collect();
    for (image, label) in labels.labels.iter().enumerate() {
        if let Some(class) = classes.get_mut(label.class as usize) {
            match labels.given_for(image) {
                Some(Part::Train) => class.train += 1,
                Some(Part::Validation) => class.validation += 1,
                Some(Part::Test) => class.test += 1,
                None => {}
            }
        }
    }
    classes
}

/// Images by the power of two below their shorter side, halves of it apart: 64, 96, 128, 192, 256, …
fn steps(sides: Vec<u32>) -> Vec<(u32, u32, u64)> {
    let mut bounds = vec![0, 16];
    while bounds.last().is_some_and(|b| *b < 16_384) {
        let power = bounds[bounds.len() - 1];
        bounds.extend([power + power / 2, power * 2]);
    }
    bounds.push(u32::MAX);
    let count = |from: u32, below: u32| sides.iter().filter(|s| (from..below).contains(*s)).count();
    let steps = bounds.windows(2);
    let steps: Vec<_> = steps
        .map(|w| (w[0], w[1], count(w[0], w[1]) as u64))
        .collect();
    let first = steps.iter().position(|s| s.2 > 0).unwrap_or(0);
    let last = steps.iter().rposition(|s| s.2 > 0).unwrap_or(0);
    if sides.is_empty() {
        return Vec::new();
    }
    steps[first..=last].to_vec()
}

fn leaks(seen: Seen<'_>) -> Leaks {
    let mut leaks = Leaks::default();
    let (images, labels) = (&seen.images.images, &seen.labels.labels);
    let part = |image: usize| seen.labels.given_for(image);
    for pair in &seen.look_alikes.pairs {
        let Pair { a, b, .. } = *pair;
        let (a, b) = (a as usize, b as usize);
        let (Some(first), Some(second)) = (labels.get(a), labels.get(b)) else {
            continue;
        };
        if part(a).is_none() || part(b).is_none() {
            continue;
        }
        let counts = if part(a) == part(b) {
            &mut leaks.inside
        } else {
            &mut leaks.across
        };
        *counts.entry(pair.likeness).or_default() += 1;
        let conflict = first.class != second.class;
        leaks.conflicts += u64::from(conflict);
        leaks.pairs.push(LeakPair {
            a,
            b,
            first: images.get(a).map(|i| i.path.clone()).unwrap_or_default(),
            second: images.get(b).map(|i| i.path.clone()).unwrap_or_default(),
            likeness: pair.likeness,
            correlation: pair.correlation,
            conflict,
        });
    }
    let train = |image: usize| matches!(part(image), Some(Part::Train | Part::Validation));
    // Not by the pairs themselves: of several equal pictures only the first is paired with the others.
    let nearest = seen.look_alikes.nearest(train);
    let test = (0..).zip(&nearest);
    let test = test.filter(|(image, _)| part(*image) == Some(Part::Test));
    leaks.leaked_test_images = test.filter(|(_, like)| like.is_some()).count() as u64;
    let across = |p: &LeakPair| part(p.a) != part(p.b);
    leaks
        .pairs
        .sort_by_key(|p| (!across(p), !p.conflict, p.a, p.b));
    leaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Digest,
        record::{Image, Label, Photograph, Unusable},
    };

    fn overview(pairs: Vec<Pair>) -> Overview {
        let parts = [Part::Train, Part::Train, Part::Train, Part::Test];
        let images = Images {
            images: (0..4)
                .map(|i| Image {
                    path: format!("{i}.jpg"),
                    digest: Digest::of(&[i]),
                    bytes: 500,
                    crop: None,
                })
                .collect(),
        };
        let labels = Labels {
            classes: vec!["김밥".to_owned(), "냉면".to_owned()],
            labels: (0..4)
                .map(|i| Label {
                    part: parts[i],
                    class: u32::from(i == 1),
                })
                .collect(),
            ..Labels::default()
        };
        let photograph = |i: u32| Photograph {
            width: 100 + 100 * i,
            height: 120,
            format: "JPEG".to_owned(),
            brightness: 40.0,
            odd: (i == 2).then(|| "CMYK".to_owned()).into_iter().collect(),
            dropped: (i == 3).then_some(Unusable::Empty),
        };
        Overview::new(
            "pixels",
            "kfood",
            Seen {
                images: &images,
                labels: &labels,
                photographs: &Photographs {
                    photographs: (0..4).map(photograph).collect(),
                },
                look_alikes: &LookAlikes { images: 4, pairs },
            },
            MeanStd::IDENTITY,
        )
    }

    fn pair(a: u32, b: u32, likeness: Likeness) -> Pair {
        Pair {
            a,
            b,
            likeness,
            correlation: 0.98,
        }
    }

    #[test]
    fn images_are_counted_by_class_size_brightness_and_oddity() {
        let text = overview(Vec::new()).document().terminal(None);
        for line in [
            "pixels (kfood): 4 images in 2 classes (1 of them dropped), 2.0 kB",
            "  0  김밥       2     1",
            "largest class has 2.0 times",
            "formats: JPEG 3",
            "   96 to 127  ████████████████████████████████████████ 3",
            "   32 to 63  ",
            "odd: CMYK: 1 (`2.jpg`)",
            "dropped: 1\n  `3.jpg`: empty file",
            "look-alikes: no equal or near files",
        ] {
            let squeezed = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(squeezed(&text).contains(&squeezed(line)), "{line}\n{text}");
        }
    }

    #[test]
    fn leaks_across_parts_come_first_and_conflicts_are_counted() {
        let seen = overview(vec![
            pair(0, 1, Likeness::Near),
            pair(0, 2, Likeness::Pixels),
            pair(2, 3, Likeness::Bytes),
        ]);
        assert_eq!(seen.leaks.leaked_test_images, 1);
        assert_eq!(seen.leaks.conflicts, 1);
        let first = &seen.leaks.pairs[0];
        assert_eq!(
            (first.first.as_str(), first.second.as_str()),
            ("2.jpg", "3.jpg")
        );
        let text = seen.document().terminal(None);
        assert!(
            text.contains("across parts: 1 equal bytes; inside a part: 1 equal pixels, 1 near"),
            "{text}"
        );
        assert!(
            text.contains("leaked: 1 of 1 test image (100.0%)"),
            "{text}"
        );
    }
}
