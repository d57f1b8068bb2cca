//! `[preprocess.x]`: images to `pixels.pack`.

use std::{cell::Cell, collections::HashMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    ToStage,
    dataset::{folders, list},
    past,
};
use crate::{
    config::{self, DataPath},
    data::{
        COMPARED_SIDE, Fill, JPEG_BY_COMPONENTS, JPEG_DECODER, Look, Pack, Place, Unfinished,
        Watch,
        audit::{CloserLook, Fingerprint, Shelf, find_kept},
        scan_names,
    },
    digest::Digest,
    error::{Error, Result},
    files::{self, FileList, read_json, write_json},
    record::{ImageColumns, ImageCount, Images, LookAlikes, Part, Photographs},
    settings::{Quality, Unreadable},
    stage::{Context, Input, Past, Reuse, Stage},
    text::shown,
};

/// Decodes and resizes every image of a data set into one pack. Who is in which part is no input.
pub struct PreprocessStage {
    id: String,
    settings: config::Preprocess,
    dataset: config::Dataset,
}

impl PreprocessStage {
    /// From its settings in a pipeline, and those of its dataset, which say where the files are.
    #[must_use]
    pub fn new(id: &str, settings: &config::Preprocess, dataset: &config::Dataset) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
            dataset: dataset.clone(),
        }
    }
}

impl ToStage for config::Preprocess {
    fn to_stage(&self, id: &str, pipeline: &config::Pipeline) -> Option<Box<dyn Stage>> {
        match super::settings(pipeline, &self.dataset)? {
            config::Settings::Dataset(dataset) => {
                Some(Box::new(PreprocessStage::new(id, self, dataset)))
            }
            _ => None,
        }
    }

    fn written_value(setting: &str, value: &str) -> Option<String> {
        match setting {
            // How it is done: `quality` and the build of kfood decide it.
            "fast" | "jpeg_decoder" => None,
            "unreadable" if value == "\"drop, with codes\"" => Some("\"drop\"".to_owned()),
            _ => Some(value.to_owned()),
        }
    }
}

impl Stage for PreprocessStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "preprocess"
    }

    fn version(&self) -> u32 {
        6
    }

    fn settings(&self) -> serde_json::Value {
        let config::Preprocess {
            pixels,
            unreadable,
            storage,
            // An input, which is in the key by its content.
            dataset: _,
        } = &self.settings;
        let mut settings = serde_json::json!({
            "pixels": pixels,
            // Why a file was dropped was once written in words; with `fail` nothing is dropped.
            "unreadable": match unreadable {
                Unreadable::Fail => "fail",
                Unreadable::Drop => "drop, with codes",
            },
            "storage": storage,
        });
        // The other decoder gives slightly other pixels: rows of the two must not mix.
        if JPEG_DECODER != "libjpeg-turbo" {
            settings["jpeg_decoder"] = JPEG_DECODER.into();
        }
        // So must those that were resized as components and those that were resized as colours.
        if JPEG_BY_COMPONENTS && pixels.quality == Quality::Fast {
            settings["fast"] = "components".into();
        }
        settings
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input::stage("images", &self.settings.dataset, Images::FILE)]
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[Pack::FILE, Photographs::FILE, LookAlikes::FILE]
    }

    fn reuses(&self) -> Reuse {
        Reuse::OtherInputs(&["unreadable"])
    }

    fn written(&self, setting: &str) -> String {
        past::written(setting)
    }

    fn written_value(&self, setting: &str, value: &str) -> Option<String> {
        config::Preprocess::written_value(setting, value)
    }

    fn changed(&self, role: &str, before: &Path, now: &Path) -> Option<String> {
        past::changed(role, before, now)
    }

    /// By the images that were decoded then: rows that were taken over cost nothing. Of those that are there now some may be
    /// taken over too, so that it is the most.
    fn estimate(&self, past: &Past<'_>) -> Option<f64> {
        if !past::same(&self.settings(), past.settings, &["/resize"]) {
            return None;
        }
        let work: Option<Work> = read_json(&past.folder.join(WORK)).ok();
        let now: Option<ImageCount> = past.now.get("images").and_then(|path| read_json(path).ok());
        match (work, now) {
            (Some(Work { decoded: 0 }), _) => None,
            (Some(work), Some(now)) => Some(past.seconds * now.images as f64 / work.decoded as f64),
            _ => past::by_images(past),
        }
    }

    fn resumes(&self, state: &Path) -> Option<String> {
        Some(format!("goes on from {}", Unfinished::told(state)?))
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let images = ImageColumns::read(&context.inputs["images"], context.out)?;
        let fill = Fill {
            images: &images,
            pixels: self.settings.pixels,
            storage: self.settings.storage,
            unreadable: self.settings.unreadable,
            unfinished: Some(Unfinished {
                state: context.state,
                others: context.unfinished,
                settings: self.makes_rows(),
            }),
            earlier: context.earlier,
            tell: context.tell,
            stop: context.stop,
        };
        let resize = self.settings.pixels.resize;
        // A row that shows a part of its photograph is no measure of likeness: all of it is compared.
        let (width, height) = match resize.shows_all() {
            true => (resize.width() as usize, resize.height() as usize),
            false => (COMPARED_SIDE as usize, COMPARED_SIDE as usize),
        };
        let decoded = Cell::new(0);
        let watching = Watching {
            shelf: Shelf::create(context.out, images.len())?,
            width,
            height,
        };
        let filled = fill.run(
            &context.out.join(Pack::FILE),
            |wanted| {
                decoded.set(wanted.len());
                places(&self.dataset, &images, wanted)
            },
            &watching,
        )?;
        write_json(&context.out.join(Photographs::FILE), &filled.photographs)?;
        let work = Work {
            decoded: decoded.get(),
        };
        write_json(&context.out.join(WORK), &work)?;
        let compared = filled.compared();
        drop(filled.photographs);
        let compares = !resize.shows_all();
        let pack = Pack::open(if compares { &compared } else { &filled.pack })?;
        let closer = |i| Ok(CloserLook::of(&pack.row(i)?, width, height));
        let sources = |which| images.digests(which);
        let look_alikes = find_kept(&watching.shelf, sources, closer, context.stop)?;
        write_json(&context.out.join(LookAlikes::FILE), &look_alikes)?;
        // Last: until here an interrupted run goes on from these rows.
        let made = [(&filled.pack, true), (&compared, compares)];
        for (path, _) in made.into_iter().filter(|(_, is)| *is) {
            let to = context.out.join(path.file_name().unwrap_or_default());
            fs::rename(path, &to).map_err(|e| Error::io("move", path, e))?;
        }
        files::sync_folder(context.out)
    }
}

impl PreprocessStage {
    /// Of all that makes a row beside its photograph; what becomes of unreadable files is not among it.
    fn makes_rows(&self) -> Digest {
        let mut settings = self.settings();
        if let Some(settings) = settings.as_object_mut() {
            settings.remove("unreadable");
        }
        Digest::of(format!("{} {settings}", self.version()).as_bytes())
    }
}

/// Puts the fingerprints of rows away while they are made.
struct Watching {
    shelf: Shelf,
    /// Of what is compared.
    width: usize,
    height: usize,
}

impl Watch for Watching {
    fn see(&self, i: usize, look: Look<'_>) -> Result<()> {
        let compared = look.compared.unwrap_or(look.pixels);
        let (width, height) = (self.width, self.height);
        let fingerprint = Fingerprint::with_digest(compared, look.digest, width, height);
        self.shelf.put(i, &fingerprint)
    }

    fn repeat(&self, of: usize, i: usize) -> Result<()> {
        self.shelf.repeat(of, i)
    }
}

/// What the work was, beside the result and no part of it.
const WORK: &str = "work.json";

/// `work.json`.
#[derive(Serialize, Deserialize)]
struct Work {
    /// Images that were read; the rows of the others were taken over.
    decoded: usize,
}

/// Where the images of a data set lie as it is now, by their paths in `images.json`.
///
/// # Errors
/// When a folder or a file of the data set is missing or cannot be used.
pub fn photographs(dataset: &config::Dataset) -> Result<HashMap<String, Place>> {
    let found = list(dataset)?.images.into_iter();
    Ok(found.map(|f| (f.name, f.place)).collect())
}

/// What says where the wanted images are, by their places among these.
type Where = Box<dyn Fn(usize) -> Place + Sync>;

/// Where the wanted images are: names are NFC, a disk may spell them decomposed, so the folders are looked through again.
fn places(dataset: &config::Dataset, images: &ImageColumns, wanted: &[u32]) -> Result<Where> {
    let gone = |path: &str| {
        let path = shown(path);
        Error::failed(format!("`{path}` is gone since the data set was listed"))
            .help("run again once the files stay as they are")
    };
    let mut paths = images.paths();
    let Some(lists) = plain_folders(dataset)? else {
        let mut found = photographs(dataset)?;
        let place = |i: &u32| {
            let path = paths.get(*i as usize)?;
            found.remove(path).ok_or_else(|| gone(path))
        };
        let places: Vec<Place> = wanted.iter().map(place).collect::<Result<_>>()?;
        return Ok(Box::new(move |k| places[k].clone()));
    };
    // Of a million images their places in the lists are kept, and not a path each.
    let place = |i: &u32| {
        let path = paths.get(*i as usize)?;
        let mut lists = (0_u32..).zip(&lists);
        let found = lists.find_map(|(l, list)| Some((l, list.find(path)? as u32)));
        found.ok_or_else(|| gone(path))
    };
    let places: Vec<(u32, u32)> = wanted.iter().map(place).collect::<Result<_>>()?;
    Ok(Box::new(move |k| {
        let (list, file) = places[k];
        Place::File(lists[list as usize].get(file as usize).path())
    }))
}

/// The images of a data set of plain folders; `None` of any other.
fn plain_folders(dataset: &config::Dataset) -> Result<Option<Vec<FileList>>> {
    if dataset.manifest.is_some() {
        return Ok(None);
    }
    let list = |(part, folder): (Part, &DataPath)| match folder.path.is_dir() {
        true => scan_names(&folder.path, part),
        false => Ok(None),
    };
    folders(dataset).map(list).collect()
}
