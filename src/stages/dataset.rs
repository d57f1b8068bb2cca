//! `[dataset.x]`: class folders, zips of them or a list to `images.json` and `labels.json`.

use std::{
    collections::{BTreeSet, HashMap},
    sync::atomic::{AtomicU64, Ordering},
};

use rayon::prelude::*;

use super::{
    ToStage,
    classes::classes,
    copies,
    corrections::{asked, correct, corrected, present_corrections},
};
use crate::{
    config::{self, DataPath},
    data::{self, Exclusion, Found, Listing, Place, Reading, is_tsv, is_zip, read_manifest},
    digest::Digest,
    error::{Error, Result},
    event::StageEvent,
    files::{FileList, write_json},
    record::{Image, Images, Label, Labels, Looked, Part},
    settings::FolderLevel,
    stage::{Context, DigestedFiles, Input, Stage},
    text::{count, shown_path},
};

/// Lists images and classes. The engine digests the files; only what lies in a zip is read and digested here.
pub struct DatasetStage {
    id: String,
    settings: config::Dataset,
}

impl DatasetStage {
    /// From its settings in a pipeline.
    #[must_use]
    pub fn new(id: &str, settings: &config::Dataset) -> Self {
        Self {
            id: id.to_owned(),
            settings: settings.clone(),
        }
    }
}

impl ToStage for config::Dataset {
    fn to_stage(&self, id: &str, _: &config::Pipeline) -> Option<Box<dyn Stage>> {
        Some(Box::new(DatasetStage::new(id, self)))
    }
}

impl Stage for DatasetStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "dataset"
    }

    fn version(&self) -> u32 {
        5
    }

    /// Only what is done with the files: where they lie is not content, and what they are is input.
    fn settings(&self) -> serde_json::Value {
        let config::Dataset {
            crop_area,
            class,
            group,
            train: _,
            validation: _,
            test: _,
            manifest: _,
            exclude: _,
            corrections: _,
            correct_test,
        } = &self.settings;
        let mut settings = serde_json::json!({});
        if *crop_area {
            settings["crop"] = "area".into();
        }
        // The deepest folder is the class where nothing is said, and `first` is a level.
        if let Some(depth) = class.and_then(level) {
            settings["class"] = depth.into();
        }
        if let Some(group) = *group {
            settings["group"] = level(group).map_or("deepest".into(), Into::into);
        }
        // Not asked for is not named: earlier data sets keep their keys.
        if *correct_test {
            settings["correct_test"] = true.into();
        }
        settings
    }

    /// What cannot be read is judged with what cannot be decoded.
    fn may_be_lost(&self, role: &str) -> bool {
        role != "manifest"
    }

    fn inputs(&self) -> Vec<Input> {
        let given = [
            ("train", self.settings.train.is_some()),
            ("validation", self.settings.validation.is_some()),
            ("test", self.settings.test.is_some()),
            ("manifest", self.settings.manifest.is_some()),
            ("listed", self.settings.manifest.is_some()),
            ("exclude", self.settings.exclude.is_some()),
            ("corrections", self.settings.corrections.is_some()),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        given.map(|(role, _)| Input::files(role)).collect()
    }

    fn files(&self, role: &str) -> Result<FileList> {
        let settings = &self.settings;
        let beside = match role {
            "exclude" => settings.exclude.as_ref().map(present_exclude),
            "corrections" => settings.corrections.as_ref().map(present_corrections),
            _ => None,
        };
        if let Some(list) = beside.transpose()? {
            let extension = if is_tsv(&list.path) { "tsv" } else { "csv" };
            return Ok(FileList::of(&format!("{role}.{extension}"), &list.path));
        }
        let mut listing = match (role, &settings.manifest) {
            ("listed", Some(list)) => listed(list)?,
            ("manifest", Some(list)) => {
                // Its extension says how it is read.
                let extension = if is_tsv(&list.path) { "tsv" } else { "csv" };
                let name = format!("manifest.{extension}");
                return Ok(FileList::of(&name, &present_file(list)?.path));
            }
            _ => match folders(settings).find(|(given, _)| given.name() == role) {
                Some((role, folder)) => {
                    all_present(settings)?;
                    if settings.exclude.is_none() {
                        return data::scan_files(&folder.path, role, reading(settings));
                    }
                    data::scan(&folder.path, role, reading(settings))?
                }
                None => return Ok(FileList::default()),
            },
        };
        exclude(settings, &mut listing)?;
        Ok(listing.into_files())
    }

    fn asks(&self, role: &str) -> Option<String> {
        match role {
            "corrections" => asked(&self.settings),
            _ => None,
        }
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[Images::FILE, Labels::FILE]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let mut listing = list(&self.settings)?;
        let (classes, mut warnings) = classes(&listing)?;
        let corrected = corrected(&self.settings, &mut listing, &classes)?;
        let mut labels = labels(&listing, classes);
        correct(&mut labels, &corrected, self.settings.correct_test);
        let images = digested(&listing, context)?;
        write_json(&context.out.join(Images::FILE), &images)?;
        write_json(&context.out.join(Labels::FILE), &labels)?;
        warnings.extend(copies::under_two_classes(&images, &labels));
        warnings.extend(copies::in_test(&images, &labels));
        let looked = looked(&listing, warnings, context);
        for warning in &looked.warnings {
            (context.tell)(StageEvent::Warning(warning.clone()));
        }
        for note in looked.lines() {
            (context.tell)(StageEvent::Note(note));
        }
        write_json(&context.out.join(Looked::FILE), &looked)?;
        let images = count(images.images.len(), "image");
        let classes = count(labels.classes.len(), "class");
        (context.tell)(StageEvent::Note(format!("{images} in {classes}")));
        Ok(())
    }
}

/// Everything that a data set names, in the order of `images.json`.
///
/// # Errors
/// When a folder or a file is missing or cannot be used.
pub(super) fn list(settings: &config::Dataset) -> Result<Listing> {
    all_present(settings)?;
    let mut listing = Listing::default();
    for (role, folder) in folders(settings) {
        listing.append(data::scan(&folder.path, role, reading(settings))?);
    }
    if let Some(list) = &settings.manifest {
        listing.append(listed(list)?);
    }
    let all = listing.images.len();
    exclude(settings, &mut listing)?;
    if let (Some(list), true) = (&settings.exclude, listing.images.is_empty() && all > 0) {
        let message = format!(
            "`exclude` leaves nothing: it names all {} of the data set",
            count(all, "image")
        );
        let help = "take rows out of the list";
        return Err(Error::placed(list.location.render(&message, Some(help))));
    }
    Ok(listing)
}

fn reading(settings: &config::Dataset) -> Reading {
    Reading {
        crop_area: settings.crop_area,
        class: settings.class,
        group: settings.group,
    }
}

/// The number of a folder from the root; none of the deepest one.
fn level(of: FolderLevel) -> Option<u32> {
    match of {
        FolderLevel::Deepest => None,
        FolderLevel::First => Some(1),
        FolderLevel::Level(level) => Some(level.get()),
    }
}

/// Takes the photographs out that are to be left out.
fn exclude(settings: &config::Dataset, listing: &mut Listing) -> Result<()> {
    match &settings.exclude {
        Some(list) => Exclusion::read(&present_exclude(list)?.path, &list.root)?.apply(listing),
        None => Ok(()),
    }
}

fn present_exclude(list: &DataPath) -> Result<&DataPath> {
    if list.path.is_file() {
        return Ok(list);
    }
    let help = "put a list with the column `path` there; `kfood data FILE --exclude-list OUT.csv` writes one";
    Err(missing(list, "file", help))
}

/// The folders and zips that a data set names.
pub(super) fn folders(settings: &config::Dataset) -> impl Iterator<Item = (Part, &DataPath)> {
    let given = [
        (Part::Train, &settings.train),
        (Part::Validation, &settings.validation),
        (Part::Test, &settings.test),
    ];
    let given = given.into_iter();
    given.filter_map(|(role, folder)| Some((role, folder.as_ref()?)))
}

/// Every folder that is missing is told, not just the first.
fn all_present(settings: &config::Dataset) -> Result<()> {
    let absent = folders(settings).filter_map(|(_, folder)| absent(folder));
    Error::joined(absent.collect()).map_or(Ok(()), Err)
}

/// What is to be put where, if there is neither a folder nor a zip.
fn absent(folder: &DataPath) -> Option<Error> {
    if folder.path.is_dir() || is_zip(&folder.path) {
        return None;
    }
    let ending = folder.path.extension();
    let zip = ending.is_some_and(|e| e.eq_ignore_ascii_case("zip"));
    let (what, put) = if zip {
        ("zip", "put a zip of one folder per class there".to_owned())
    } else {
        let put = "put one folder per class with its images there";
        let way = data::archive_way_out(&folder.path).filter(|_| folder.path.exists());
        ("folder", way.unwrap_or_else(|| put.to_owned()))
    };
    Some(missing(folder, what, &put))
}

fn listed(list: &DataPath) -> Result<Listing> {
    let list = present_file(list)?;
    read_manifest(&list.path, &list.root)
}

fn present_file(csv: &DataPath) -> Result<&DataPath> {
    if csv.path.is_file() {
        return Ok(csv);
    }
    Err(missing(
        csv,
        "file",
        "put a CSV or TSV with the columns `path,label` or `path,label,part` there",
    ))
}

/// The error for data that is not there, at the place in the pipeline file that names it.
pub(super) fn missing(data: &DataPath, what: &str, help: &str) -> Error {
    let (written, path) = (&data.written, shown_path(&data.path));
    let found = if data.path.exists() {
        format!("`{written}` is no {what} ({path})")
    } else {
        format!("the {what} `{written}` is missing ({path})")
    };
    let help = match variable(written) {
        Some(name) => format!("{help}, or set `{name}` to where your data lie"),
        None => help.to_owned(),
    };
    Error::placed(data.location.render(&found, Some(&help)))
}

/// The first variable of a path as written: `KFOOD_DATA` of `${KFOOD_DATA:-data}/train`.
fn variable(written: &str) -> Option<&str> {
    let (_, rest) = written.split_once("${")?;
    rest.split([':', '}']).next()
}

/// What there is to tell of the look at the files.
fn looked(listing: &Listing, of_classes: Vec<String>, context: &Context<'_>) -> Looked {
    let files = context.files.values().flat_map(DigestedFiles::lost);
    let unreadable = files.map(|(file, why)| (file.name(), why.to_owned()));
    Looked {
        warnings: listing.warnings.iter().cloned().chain(of_classes).collect(),
        notes: listing.notes.clone(),
        passed_over: listing.passed_over.by_kind().clone(),
        unreadable: unreadable.collect(),
    }
}

fn labels(listing: &Listing, classes: Vec<String>) -> Labels {
    let place: HashMap<&str, u32> = (0..).zip(&classes).map(|(i, c)| (c.as_str(), i)).collect();
    let label = |found: &Found| Label {
        part: match found.part {
            Part::Train | Part::Validation => Part::Train,
            Part::Test => Part::Test,
        },
        class: place[found.class.as_str()],
    };
    let labels = listing.images.iter().map(label).collect();
    let images = (0..).zip(&listing.images);
    Labels {
        classes,
        labels,
        groups: numbers(listing, |found| found.group.as_deref()),
        sources: numbers(listing, |found| found.source.as_deref()),
        validation: images
            .filter(|(_, found)| found.part == Part::Validation)
            .map(|(i, _)| i)
            .collect(),
        ..Labels::default()
    }
}

/// Names as their places in code point order, one for each image; nothing where no image has one.
fn numbers<'a>(
    listing: &'a Listing,
    name: impl Fn(&'a Found) -> Option<&'a str>,
) -> Vec<Option<u32>> {
    let names: BTreeSet<&str> = listing.images.iter().filter_map(&name).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let places: HashMap<&str, u32> = names.into_iter().zip(0..).collect();
    let number = |found| name(found).map(|name| places[name]);
    listing.images.iter().map(number).collect()
}

/// Joins the listing with the digests that the engine took, and takes those of what lies in zips.
fn digested(listing: &Listing, context: &Context<'_>) -> Result<Images> {
    let known = |name: &str| {
        context.files.values().find_map(|files| {
            let found = files.get(files.list().find(name)?);
            Some((found.digest, found.bytes))
        })
    };
    let in_zips = |found: &&Found| matches!(found.place, Place::Zip { .. });
    let total = listing.images.iter().filter(in_zips).count() as u64;
    let done = AtomicU64::new(0);
    let image = |found: &Found| {
        let (digest, bytes) = match &found.place {
            Place::File(_) => known(&found.name).ok_or_else(|| {
                Error::failed(format!(
                    "`{}` appeared while the data set was being listed",
                    found.place
                ))
                .help("run again once the files stay as they are")
            })?,
            Place::Zip { archive, entry } => {
                context.stop.check()?;
                let read = archive.digest(*entry);
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if done.is_multiple_of(512) {
                    (context.tell)(StageEvent::Progress {
                        what: "hashing".to_owned(),
                        done,
                        total,
                        unit: "images".to_owned(),
                    });
                }
                match read {
                    Ok(read) => read,
                    Err(_) if archive.has_changed() => {
                        return Err(Error::failed(format!(
                            "`{}` changed while the data set was being listed",
                            shown_path(archive.path())
                        ))
                        .help("run again once the files stay as they are"));
                    }
                    // A damaged entry is a file that is no image: preprocess judges it with the others.
                    Err(why) => (Digest::of(why.to_string().as_bytes()), 0),
                }
            }
        };
        Ok(Image {
            path: found.name.clone(),
            digest,
            bytes,
            crop: found.crop,
        })
    };
    let images: Vec<Result<_>> = listing.images.par_iter().map(image).collect();
    let images: Result<_> = images.into_iter().collect();
    Ok(Images { images: images? })
}
