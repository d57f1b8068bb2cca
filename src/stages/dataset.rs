//! `[dataset.x]`: class folders or a CSV list to `images.json` and `labels.json`.

use std::collections::{BTreeSet, HashMap};

use crate::{
    config::{self, DataPath},
    data::{Found, Listing, read_manifest, scan_folder},
    error::{Error, Result},
    event::StageEvent,
    files::write_json,
    name::one_of,
    record::{Image, Images, Label, Labels, Part},
    stage::{Context, Input, InputFile, Stage},
};

/// Lists images and classes; reads no pixel, since the engine digests the files.
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

impl Stage for DatasetStage {
    fn id(&self) -> &str {
        &self.id
    }

    fn kind(&self) -> &'static str {
        "dataset"
    }

    fn version(&self) -> u32 {
        1
    }

    /// Nothing: where the files lie is not content, and what they are is input.
    fn settings(&self) -> serde_json::Value {
        serde_json::json!({})
    }

    fn inputs(&self) -> Vec<Input> {
        let given = [
            ("train", self.settings.train.is_some()),
            ("test", self.settings.test.is_some()),
            ("manifest", self.settings.manifest.is_some()),
            ("listed", self.settings.manifest.is_some()),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        given.map(|(role, _)| Input::files(role)).collect()
    }

    fn files(&self, role: &str) -> Result<Vec<InputFile>> {
        let settings = &self.settings;
        let listing = match (role, &settings.train, &settings.test, &settings.manifest) {
            ("train", Some(folder), _, _) => scan(folder, Part::Train)?,
            ("test", _, Some(folder), _) => scan(folder, Part::Test)?,
            ("listed", _, _, Some(csv)) => listed(csv)?,
            ("manifest", _, _, Some(csv)) => {
                return Ok(vec![InputFile {
                    name: "manifest.csv".to_owned(),
                    path: present_file(csv)?.path.clone(),
                }]);
            }
            _ => return Ok(Vec::new()),
        };
        let file = |found: Found| InputFile {
            name: found.name,
            path: found.place.file().to_owned(),
        };
        let mut files: Vec<_> = listing.images.into_iter().map(file).collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    fn outputs(&self) -> &'static [&'static str] {
        &["images.json", "labels.json"]
    }

    fn run(&self, context: &Context<'_>) -> Result<()> {
        let listing = list(&self.settings)?;
        let classes = classes(&listing)?;
        let labels = labels(&listing, classes);
        let images = digested(&listing, context)?;
        write_json(&context.out.join("images.json"), &images)?;
        write_json(&context.out.join("labels.json"), &labels)?;
        if listing.passed_over.total() > 0 {
            (context.tell)(StageEvent::Note(listing.passed_over.to_string()));
        }
        let images = images.images.len();
        let classes = labels.classes.len();
        (context.tell)(StageEvent::Note(format!(
            "{images} images in {classes} classes"
        )));
        Ok(())
    }
}

/// Everything that a data set names, in the order of `images.json`.
///
/// # Errors
/// When a folder or a file is missing or cannot be used.
pub(super) fn list(settings: &config::Dataset) -> Result<Listing> {
    let mut listing = Listing::default();
    if let Some(folder) = &settings.train {
        listing.append(scan(folder, Part::Train)?);
    }
    if let Some(folder) = &settings.test {
        listing.append(scan(folder, Part::Test)?);
    }
    if let Some(csv) = &settings.manifest {
        listing.append(listed(csv)?);
    }
    Ok(listing)
}

fn scan(folder: &DataPath, part: Part) -> Result<Listing> {
    if !folder.path.is_dir() {
        return Err(missing(
            folder,
            "folder",
            "put one folder per class with its images there",
        ));
    }
    scan_folder(&folder.path, part)
}

fn listed(csv: &DataPath) -> Result<Listing> {
    read_manifest(&present_file(csv)?.path)
}

fn present_file(csv: &DataPath) -> Result<&DataPath> {
    if csv.path.is_file() {
        return Ok(csv);
    }
    Err(missing(
        csv,
        "file",
        "put a CSV with the columns `path,label` or `path,label,part` there",
    ))
}

/// The error for data that is not there, at the place in the pipeline file that names it.
fn missing(data: &DataPath, what: &str, help: &str) -> Error {
    let (written, path) = (&data.written, data.path.display());
    let found = if data.path.exists() {
        format!("`{written}` is no {what} ({path})")
    } else {
        format!("the {what} `{written}` is missing ({path})")
    };
    Error::placed(data.location.render(&found, Some(help)))
}

/// The class names in code point order.
fn classes(listing: &Listing) -> Result<Vec<String>> {
    let of = |part| -> BTreeSet<&str> {
        let images = listing.images.iter().filter(|i| i.part == part);
        images.map(|i| i.class.as_str()).collect()
    };
    let (train, test) = (of(Part::Train), of(Part::Test));
    if !train.is_empty() && !test.is_empty() && train != test {
        let only = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| match a.difference(b).count() {
            0 => "none".to_owned(),
            n => format!("{n} ({})", names(a.difference(b).copied())),
        };
        return Err(Error::failed(format!(
            "`train` and `test` differ in classes; only in `train`: {}; only in `test`: {}",
            only(&train, &test),
            only(&test, &train)
        ))
        .help("give both parts the same class folders, spelt alike"));
    }
    let all: BTreeSet<&str> = train.union(&test).copied().collect();
    if all.len() < 2 {
        return Err(Error::failed(format!(
            "there is only one class, {}; nothing can be told apart",
            one_of(all.iter().copied())
        ))
        .help("name the folder that holds the class folders, and put two classes or more there"));
    }
    Ok(all.into_iter().map(str::to_owned).collect())
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut quoted: Vec<_> = names.map(|n| format!("`{n}`")).collect();
    let more = quoted.len().saturating_sub(10);
    if more > 0 {
        quoted.truncate(10);
        quoted.push(format!("and {more} more"));
    }
    quoted.join(", ")
}

fn labels(listing: &Listing, classes: Vec<String>) -> Labels {
    let place: HashMap<&str, u32> = (0..).zip(&classes).map(|(i, c)| (c.as_str(), i)).collect();
    let label = |found: &Found| Label {
        part: found.part,
        class: place[found.class.as_str()],
    };
    let labels = listing.images.iter().map(label).collect();
    Labels {
        classes,
        labels,
        ..Labels::default()
    }
}

/// Joins the listing with the digests that the engine took.
fn digested(listing: &Listing, context: &Context<'_>) -> Result<Images> {
    let files = context.files.values().flatten();
    let by_name: HashMap<&str, _> = files.map(|f| (f.name.as_str(), f)).collect();
    let image = |found: &Found| {
        let file = by_name.get(found.name.as_str()).ok_or_else(|| {
            Error::failed(format!(
                "`{}` appeared while the data set was being listed",
                found.place
            ))
            .help("run again once the files stay as they are")
        })?;
        Ok(Image {
            path: found.name.clone(),
            digest: file.digest,
            bytes: file.bytes,
            crop: found.crop,
        })
    };
    let images: Result<_> = listing.images.iter().map(image).collect();
    Ok(Images { images: images? })
}
