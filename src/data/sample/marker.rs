//! `sample.json`: says that a sample is whole.

use serde::{Deserialize, Serialize};

use super::{Item, SampleSettings};
use crate::{
    digest::{Digest, Parts},
    seed::Seed,
};

/// Written last: with it, and files of the sizes it knows, nothing is left to draw.
pub(super) const MARKER: &str = "sample.json";

/// Raised when the same settings draw other images or another list, so that a sample of before is drawn anew.
const VERSION: u32 = 1;

/// The content of [`MARKER`].
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    version: u32,
    seed: Seed,
    train_per_class: u32,
    test_per_class: u32,
    planted: u32,
    /// Of the names and sizes of all images. To read their content would take long; a sample is no place to edit images in.
    files: Digest,
}

impl Marker {
    /// For images of these sizes, one for each item.
    pub(super) fn new(settings: &SampleSettings, items: &[Item], sizes: &[u64]) -> Self {
        let mut files = Parts::new("kfood 2026 sample");
        for (item, size) in items.iter().zip(sizes) {
            files.part(&item.path).part(size.to_le_bytes());
        }
        Self {
            version: VERSION,
            seed: settings.seed,
            train_per_class: settings.train_per_class,
            test_per_class: settings.test_per_class,
            planted: settings.planted,
            files: files.finish(),
        }
    }
}
