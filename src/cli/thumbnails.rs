//! Small pictures of the photographs that a document shows.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Deref,
    path::Path,
};

use image::RgbImage;
use rayon::prelude::*;

use super::open::Opened;
use crate::{
    config::{self, Settings},
    data::{Pack, Place, Thumbnails},
    digest::Digest,
    error::Result,
    exec::Summary,
    files,
    record::{Image, Images},
    report::{Document, Photograph, Pictures, Thumbnail},
    stages,
};

/// A pipeline with its results, and what stands in front of the names of its instances in a document.
pub(super) type Origin<'a> = (&'a str, &'a Opened, &'a Summary);

/// Pictures of the photographs of a document: of the files that were judged where they are still there as they were, else of the rows of
/// the pack.
///
/// # Errors
/// When a result in the cache cannot be read.
pub(super) fn pictures(origins: &[Origin<'_>], document: &Document) -> Result<Pictures> {
    let mut by_source: BTreeMap<(&str, &str), Vec<&Photograph>> = BTreeMap::new();
    for photograph in document.photographs() {
        let source = (photograph.dataset.as_str(), photograph.data.as_str());
        by_source.entry(source).or_default().push(photograph);
    }
    let mut thumbnails = BTreeMap::new();
    for ((dataset, data), photographs) in by_source {
        let named = |(prefix, opened, summary): &Origin<'_>| {
            let names = (dataset.strip_prefix(prefix)?, data.strip_prefix(prefix)?);
            // Where the list of the data set is gone, names have to do.
            let listed = summary.output(names.0, Images::FILE).ok()?;
            Some(Source::open(opened, summary, &listed, names))
        };
        let Some(source) = origins.iter().find_map(named).transpose()? else {
            continue;
        };
        let photographs = photographs.par_iter();
        let made = photographs.map_init(Thumbnails::default, |made, photograph| {
            let thumbnail = source.thumbnail(made, &photograph.path)?;
            Ok(thumbnail.map(|thumbnail| ((*photograph).clone(), thumbnail)))
        });
        let made: Vec<Option<_>> = made.collect::<Result<_>>()?;
        thumbnails.extend(made.into_iter().flatten());
    }
    Ok(Pictures {
        thumbnails,
        ..Pictures::default()
    })
}

/// Where the photographs of one data set are.
pub(super) struct Source {
    /// By path: the row of the pack, and what was judged.
    images: HashMap<String, (usize, Image)>,
    /// The files as they are now; none where the data set is gone.
    places: HashMap<String, Place>,
    pack: Option<Pack>,
}

impl Source {
    /// Of a dataset instance, whose list is `listed`, and of a preprocess instance.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub(super) fn open(
        opened: &Opened,
        summary: &Summary,
        listed: &Path,
        (dataset, data): (&str, &str),
    ) -> Result<Self> {
        let Images { images } = files::read_json(listed)?;
        let images = images.into_iter().enumerate();
        let pack = summary.output(data, Pack::FILE).ok();
        Ok(Self {
            images: images.map(|(row, i)| (i.path.clone(), (row, i))).collect(),
            // Data that were moved away are no mistake here: the pack has them.
            places: settings(opened, dataset)
                .and_then(|settings| stages::photographs(settings).ok())
                .unwrap_or_default(),
            pack: pack.and_then(|path| Pack::open(&path).ok()),
        })
    }

    /// The file of an image where the data set is still there, as on disk.
    pub(super) fn place(&self, path: &str) -> Option<&Place> {
        self.places.get(path)
    }

    /// The bytes that were judged, where they are still there.
    fn judged(&self, path: &str, image: &Image) -> Option<impl Deref<Target = [u8]>> {
        let bytes = self.place(path)?.read().ok()?;
        (Digest::of(&bytes) == image.digest).then_some(bytes)
    }

    /// As [`Self::thumbnail`], as pixels.
    pub(super) fn picture(&self, made: &mut Thumbnails, path: &str) -> Result<Option<RgbImage>> {
        let Some((row, image)) = self.images.get(path) else {
            return Ok(None);
        };
        let judged = self.judged(path, image);
        let picture = judged.and_then(|bytes| made.picture(&bytes, image.crop));
        let pack = self.pack.as_ref().filter(|pack| !pack.is_dropped(*row));
        match (picture, pack) {
            (None, Some(pack)) => {
                let pixels = pack.row(*row)?;
                made.row_picture(&pixels, pack.width(), pack.height())
                    .map(Some)
            }
            (picture, _) => Ok(picture),
        }
    }

    fn thumbnail(&self, thumbnails: &mut Thumbnails, path: &str) -> Result<Option<Thumbnail>> {
        let Some((row, image)) = self.images.get(path) else {
            return Ok(None);
        };
        if let Some(bytes) = self.judged(path, image)
            && let Some(jpeg) = thumbnails.of(&bytes, image.crop)?
        {
            let from_pack = false;
            return Ok(Some(Thumbnail { jpeg, from_pack }));
        }
        let Some(pack) = self.pack.as_ref().filter(|pack| !pack.is_dropped(*row)) else {
            return Ok(None);
        };
        let jpeg = Thumbnails::of_row(&pack.row(*row)?, pack.width(), pack.height())?;
        let from_pack = true;
        Ok(Some(Thumbnail { jpeg, from_pack }))
    }
}

fn settings<'a>(opened: &'a Opened, dataset: &str) -> Option<&'a config::Dataset> {
    let instances = &opened.pipeline.instances;
    match &instances.iter().find(|i| i.id == dataset)?.settings {
        Settings::Dataset(settings) => Some(settings),
        _ => None,
    }
}
