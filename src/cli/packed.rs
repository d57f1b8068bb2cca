//! A data set under a preprocess stage, read back from the cache.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    config::{Pipeline, Settings},
    data::Pack,
    error::Result,
    exec::Summary,
    files,
    record::{Assignment, Images, Labels, LookAlikes, Looked, Part, Photographs, Split},
    report::{ImageLook, Overview, Seen},
    settings::Leaks,
};

/// What is known of it.
pub(super) struct Packed {
    data: String,
    dataset: String,
    pub(super) images: Images,
    pub(super) labels: Labels,
    pub(super) photographs: Photographs,
    pub(super) look_alikes: LookAlikes,
    pub(super) pack: Pack,
}

impl Packed {
    /// Of the preprocess instance `data` over the dataset instance `dataset`.
    ///
    /// # Errors
    /// When one of the two has no result, or it cannot be read.
    pub(super) fn read(summary: &Summary, data: &str, dataset: &str) -> Result<Self> {
        let output = |id, name| summary.output(id, name);
        Ok(Self {
            data: data.to_owned(),
            dataset: dataset.to_owned(),
            images: files::read_json(&output(dataset, Images::FILE)?)?,
            labels: files::read_json(&output(dataset, Labels::FILE)?)?,
            photographs: files::read_json(&output(data, Photographs::FILE)?)?,
            look_alikes: files::read_json(&output(data, LookAlikes::FILE)?)?,
            pack: Pack::open(&output(data, Pack::FILE)?)?,
        })
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        Seen {
            images: &self.images,
            labels: &self.labels,
            photographs: &self.photographs,
            look_alikes: &self.look_alikes,
        }
    }

    /// How it looks. The mean of its pixels is of at most so many images of the training part.
    ///
    /// # Errors
    /// When a row of the pack is damaged.
    pub(super) fn overview(
        &self,
        pipeline: &Pipeline,
        summary: &Summary,
        most: usize,
    ) -> Result<Overview> {
        let train = self.usable().filter(|row| {
            let part = self.labels.given_for(*row);
            matches!(part, Some(Part::Train | Part::Validation))
        });
        let train: Vec<usize> = train.collect();
        let rows = spread(&train, most);
        let mean_std = self.pack.mean_std(&rows)?;
        let mut overview = Overview::new(&self.data, &self.dataset, self.seen(), mean_std);
        overview.pixels_of = (rows.len() < train.len()).then_some(rows.len() as u64);
        overview.leaks.left_out_by = leaving_out(pipeline, &self.dataset);
        // Results of earlier versions have no such file, and it is no part of the result.
        let images = summary.output(&self.dataset, Images::FILE)?;
        let beside = images.with_file_name(Looked::FILE);
        overview.looked = files::read_json(&beside).unwrap_or_default();
        Ok(overview)
    }

    /// What may drift from part to part, by path; colours of at most so many images of each part. Parts are those of the split, if any.
    ///
    /// # Errors
    /// When a row of the pack is damaged.
    pub(super) fn looks(
        &self,
        split: Option<&Split>,
        most: usize,
    ) -> Result<BTreeMap<String, ImageLook>> {
        use Part::{Test, Train, Validation};
        let mut rows = Vec::new();
        for part in [Train, Validation, Test] {
            let of_part: Vec<usize> = self
                .usable()
                .filter(|row| self.part(split, *row) == Some(part))
                .collect();
            rows.extend(spread(&of_part, most));
        }
        let colours = rows.par_iter().map(|row| {
            let [red, green, blue] = self.pack.mean_std(&[*row])?.mean;
            let light = red + green + blue;
            let share = |of: f64| if light > 0.0 { of / light } else { 1.0 / 3.0 };
            Ok((*row, (share(red), share(blue))))
        });
        let colours: BTreeMap<usize, (f64, f64)> = colours.collect::<Result<_>>()?;
        let look = |row: usize| {
            let seen = self.photographs.photographs.get(row)?;
            let (width, height) = (f64::from(seen.width), f64::from(seen.height));
            let look = ImageLook {
                part: self.part(split, row)?,
                brightness: f64::from(seen.brightness),
                short_side: width.min(height),
                aspect: width / height.max(1.0),
                colour: colours.get(&row).copied(),
            };
            Some((self.images.images.get(row)?.path.clone(), look))
        };
        Ok(self.usable().filter_map(look).collect())
    }

    /// Where an image belongs: in folds, which take turns, where the data set gives it to.
    fn part(&self, split: Option<&Split>, row: usize) -> Option<Part> {
        let given = self.labels.given_for(row);
        match split.map(|split| split.assignments.get(row)) {
            None | Some(Some(Assignment::Fold(_))) => given,
            Some(Some(Assignment::Train)) => Some(Part::Train),
            Some(Some(Assignment::Validation)) => Some(Part::Validation),
            Some(Some(Assignment::Test)) => Some(Part::Test),
            Some(Some(Assignment::LeftOut) | None) => None,
        }
    }

    /// The rows that were not dropped.
    fn usable(&self) -> impl Iterator<Item = usize> {
        let dropped = |row: &usize| {
            let photograph = self.photographs.photographs.get(*row);
            photograph.is_none_or(|p| p.dropped.is_some())
        };
        (0..self.labels.labels.len()).filter(move |row| !dropped(row))
    }
}

/// At most so many of them, evenly spread.
fn spread(rows: &[usize], most: usize) -> Vec<usize> {
    let n = rows.len().min(most);
    (0..n).map(|i| rows[i * rows.len() / n]).collect()
}

/// The splits of a data set that leave copies of test images out.
fn leaving_out(pipeline: &Pipeline, dataset: &str) -> Vec<String> {
    let splits = pipeline.instances.iter().filter_map(|i| match &i.settings {
        Settings::Split(split) if split.dataset == dataset && split.leaks == Leaks::Group => {
            Some(i.id.clone())
        }
        _ => None,
    });
    splits.collect()
}
