//! What a training reads: the pack, the labels, the split.

use std::path::Path;

use tch::{Device, Tensor};

use super::usable::usable;
use crate::{
    data::Pack,
    digest::Digest,
    error::{Error, Result},
    files,
    learn::picture::Size,
    record::{Data, Labels, Part, Provenance, Split},
    text::count,
};

/// Opened and checked against each other.
pub(crate) struct Inputs {
    pub(crate) pack: Pack,
    /// Class names in the order of the head's outputs.
    pub(crate) classes: Vec<String>,
    /// The class of every image.
    targets: Vec<i64>,
    /// Rows of the training part, ascending.
    pub(crate) train: Vec<usize>,
    /// Rows of the validation part, ascending.
    pub(crate) validation: Vec<usize>,
    /// Images of both parts that are left out, for they cannot be decoded.
    pub(crate) dropped: u64,
    pub(crate) provenance: Provenance,
}

impl Inputs {
    /// The size of a row.
    pub(crate) fn size(&self) -> Size {
        Size::new(self.pack.width(), self.pack.height())
    }

    /// Opens all three; `source` is the model that the training starts from.
    ///
    /// # Errors
    /// When one cannot be read, they do not belong together, or there is too little to train on.
    pub(crate) fn open(data: &Data, source: Option<&Path>) -> Result<Self> {
        let pack = Pack::open(&data.pack)?;
        let labels: Labels = files::read_json(&data.labels)?;
        let split: Split = files::read_json(&data.split)?;
        let images = [pack.len(), labels.labels.len(), split.assignments.len()];
        if images != [pack.len(); 3] {
            return Err(Error::failed(format!(
                "the pack has {} images, the labels {} and the split {}: they are not of one data set",
                images[0], images[1], images[2]
            )));
        }
        if split.folds.is_some() != data.fold.is_some() {
            return Err(Error::usage(match split.folds {
                Some(n) => format!("the split has {n} folds, and no `fold` is named"),
                None => "the split has no folds, and a `fold` is named".to_owned(),
            }));
        }
        let usable = |part| {
            let classes: Vec<_> = labels.labels.iter().map(|l| l.class as usize).collect();
            let rows = split.members(part, data.fold);
            usable(&pack, part, rows, &classes, &labels.classes)
        };
        let train = usable(Part::Train)?;
        let validation = usable(Part::Validation)?;
        let dropped = train.dropped + validation.dropped;
        let (train, validation) = (train.rows, validation.rows);
        if train.len() < 2 {
            return Err(Error::failed(format!(
                "the training part has {}, and a training needs at least 2",
                count(train.len(), "image")
            )));
        }
        Ok(Self {
            pack,
            targets: labels.labels.iter().map(|l| i64::from(l.class)).collect(),
            classes: labels.classes,
            train,
            validation,
            dropped,
            provenance: Provenance {
                pack: Digest::of_file(&data.pack)?,
                labels: Digest::of_file(&data.labels)?,
                split: Digest::of_file(&data.split)?,
                fold: data.fold,
                source: source.map(Digest::of_file).transpose()?,
            },
        })
    }

    /// What the image of a row shows.
    pub(crate) fn class(&self, row: usize) -> i64 {
        self.targets[row]
    }

    /// Images of the training part by class.
    pub(crate) fn train_counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.classes.len()];
        for row in &self.train {
            counts[self.targets[*row] as usize] += 1;
        }
        counts
    }

    /// The class of every image, i64 [n].
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn targets(&self, device: Device) -> Result<Tensor> {
        Ok(Tensor::f_from_slice(&self.targets)?.f_to_device(device)?)
    }
}
