//! What an evaluation reads, opened and held against each other.

use super::leaks::Leaking;
use crate::{
    data::Pack,
    digest::{Digest, Parts},
    error::{Error, Result},
    event::{StageEvent, Tell},
    files,
    learn::feed::{Usable, usable},
    model::{self, ModelState},
    record::{Evaluate, Images, Labels, LookAlikes, Part, Split, Transform},
    settings::{MeanStd, Normalize},
    text::{count, either, first_few, number, shown},
};

/// Everything that belongs together.
pub(super) struct EvaluationInputs {
    pub(super) pack: Pack,
    /// One model, or the members of an ensemble.
    pub(super) members: Vec<Member>,
    /// Class names in the order of the model's outputs.
    pub(super) classes: Vec<String>,
    /// The class of every image of the data set.
    pub(super) labels: Vec<usize>,
    /// The path of every image of the data set.
    pub(super) paths: Vec<String>,
    pub(super) parts: Vec<Members>,
    /// Rows of the training part, evaluated or not, ascending.
    pub(super) train: Vec<usize>,
    /// Look-alikes of training images, where they were looked for.
    pub(super) leaking: Option<Leaking>,
}

/// One model with its transform, the same for every part.
pub(super) struct Member {
    pub(super) model: ModelState,
    pub(super) transform: Transform,
}

/// The images of one part.
pub(super) struct Members {
    pub(super) part: Part,
    /// Rows of the pack, ascending.
    pub(super) rows: Vec<usize>,
    /// Images that belong to it and were dropped, for they cannot be decoded.
    pub(super) dropped: u64,
    /// Of their paths and class names.
    pub(super) digest: Digest,
}

impl EvaluationInputs {
    /// # Errors
    /// When something cannot be read, belongs to other data, or a part is empty.
    pub(super) fn open(job: &Evaluate, tell: Tell<'_>) -> Result<Self> {
        let pack = Pack::open(&job.data.pack)?;
        let labels: Labels = files::read_json(&job.data.labels)?;
        let images: Images = files::read_json(&job.images)?;
        let split: Split = files::read_json(&job.data.split)?;
        check_counts(&pack, &labels, &images, &split)?;
        let mut members = Vec::new();
        for mut model in model::load_members(&job.model)? {
            for note in &model.notes {
                tell(StageEvent::Note(note.clone()));
            }
            check_classes(job, &mut model, &labels.classes, tell)?;
            let transform = transform(job, &model, &pack, &split)?;
            members.push(Member { model, transform });
        }
        let alike: LookAlikes = files::read_json(&job.look_alikes)?;
        let leaking = Leaking::new(alike, &labels, &split, job.data.fold)?;
        let mut inputs = Self {
            pack,
            leaking,
            train: split.members(Part::Train, job.data.fold),
            members,
            labels: labels.labels.iter().map(|l| l.class as usize).collect(),
            classes: labels.classes,
            paths: images.images.into_iter().map(|i| i.path).collect(),
            parts: Vec::new(),
        };
        if let Some(label) = inputs.labels.iter().find(|l| **l >= inputs.classes.len()) {
            return Err(Error::failed(format!(
                "`{}` has a label of class {label}, and only {} classes",
                job.data.labels.display(),
                inputs.classes.len()
            )));
        }
        inputs.parts = inputs.asked(job, &split, tell)?;
        if let Some(warning) = inputs.copies_in_test() {
            tell(StageEvent::Warning(warning));
        }
        Ok(inputs)
    }

    /// The parts that are asked for and there, in order.
    fn asked(&self, job: &Evaluate, split: &Split, tell: Tell<'_>) -> Result<Vec<Members>> {
        let mut parts = Vec::new();
        for part in Part::ALL {
            let asked = job.on.contains(&part);
            let optional = part == Part::Test && job.test_if_there;
            if asked && !(optional && split.members(part, job.data.fold).is_empty()) {
                parts.push(self.members(part, split, job.data.fold, tell)?);
            }
        }
        if parts.is_empty() {
            return Err(Error::usage("there is no image in any part to evaluate on")
                .help("give the data set a test part, or the split `test = 0.1`"));
        }
        Ok(parts)
    }

    /// Says that more than one in a hundred test images look like training images.
    fn copies_in_test(&self) -> Option<String> {
        let test = self.parts.iter().find(|p| p.part == Part::Test)?;
        let leaking = self.leaking.as_ref()?;
        let like = |row: &&usize| leaking.like_train(**row).is_some();
        let copies = test.rows.iter().filter(like);
        let (all, n) = (test.rows.len(), copies.clone().count());
        let row = *copies.clone().next()?;
        let (other, _) = leaking.like_train(row)?;
        (n * 100 > all).then(|| {
            format!(
                "{} of {} ({:.1}%) {} like images that were trained on, such as `{}` (like `{}`): what is told of the test part is too good; `leaks = \"group\"` in the split leaves such training images out",
                number(n as u64),
                count(all, "test image"),
                100.0 * n as f64 / all as f64,
                either(n, "looks", "look"),
                shown(&self.paths[row]),
                shown(self.paths.get(other as usize).map_or("", String::as_str)),
            )
        })
    }

    fn members(
        &self,
        part: Part,
        split: &Split,
        fold: Option<u32>,
        tell: Tell<'_>,
    ) -> Result<Members> {
        if let (Some(folds), None, true) = (split.folds, fold, part != Part::Test) {
            return Err(Error::usage(format!(
                "the split has {folds} folds, and no `fold` says which images are `{}`",
                part.name()
            ))
            .help("set `fold` in the evaluate stage, or evaluate on `test` alone"));
        }
        let rows = split.members(part, fold);
        if rows.is_empty() {
            let missing = match part {
                Part::Train => "the split leaves nothing to train on",
                Part::Validation => "give the split a larger `validation` share or more images",
                Part::Test => "give the data set a test part, or the split `test = 0.1`",
            };
            return Err(
                Error::usage(format!("there is no image in `{}`", part.name()))
                    .help(format!("{missing}, or leave `{}` out of `on`", part.name())),
            );
        }
        let Usable {
            rows,
            dropped,
            warning,
        } = usable(&self.pack, part, rows, &self.labels, &self.classes)?;
        if let Some(warning) = warning {
            tell(StageEvent::Warning(warning));
        }
        let mut parts = Parts::new("kfood 2026 evaluation members");
        for row in &rows {
            parts.part(&self.paths[*row]);
            parts.part(&self.classes[self.labels[*row]]);
        }
        Ok(Members {
            part,
            rows,
            dropped,
            digest: parts.finish(),
        })
    }
}

fn check_counts(pack: &Pack, labels: &Labels, images: &Images, split: &Split) -> Result<()> {
    let counts = [
        pack.len(),
        labels.labels.len(),
        images.images.len(),
        split.assignments.len(),
    ];
    if counts == [pack.len(); 4] {
        return Ok(());
    }
    Err(Error::failed(format!(
        "the pack has {} images, the labels {}, the list of images {} and the split {}: they are not of one data set",
        counts[0], counts[1], counts[2], counts[3]
    )))
}

/// The model must tell the same classes apart. A PyTorch file names none: the pipeline gives them, in whatever order its
/// outputs have; else their number must agree, and the order is taken on trust, which is said.
fn check_classes(
    job: &Evaluate,
    model: &mut ModelState,
    data: &[String],
    tell: Tell<'_>,
) -> Result<()> {
    let path = job.model.path.display();
    match (&model.info, &job.model.classes) {
        (Some(_), Some(_)) => Err(Error::usage(format!(
            "`{path}` says its classes itself, and `classes` is given too"
        ))
        .help("leave `classes` out")),
        (Some(info), None) if info.classes == data => Ok(()),
        (Some(info), None) => Err(other_classes(&info.classes, data)),
        (None, _) if model.classes != data.len() => Err(Error::usage(format!(
            "the model has {} outputs, and the data set {} classes",
            model.classes,
            data.len()
        ))
        .help(OTHER_DATA)),
        (None, Some(given)) => {
            let place = |class: &String| given.iter().position(|c| c == class);
            let order: Option<Vec<usize>> = data.iter().map(place).collect();
            let order = order.filter(|order| order.len() == given.len());
            let order = order.ok_or_else(|| other_classes(given, data))?;
            model.reorder_outputs(&order)
        }
        (None, None) => {
            tell(StageEvent::Warning(
                "the model file names no classes: its outputs are taken to be the data set's classes in code point order; `classes = [...]` says another order".to_owned(),
            ));
            Ok(())
        }
    }
}

const OTHER_DATA: &str =
    "evaluate on the data set that the model was trained for, or transfer it to this one";

/// The error that lists how the classes of a model and of a data set differ.
fn other_classes(model: &[String], data: &[String]) -> Error {
    let only = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter().filter(|c| !b.contains(c)).cloned().collect()
    };
    let (model_only, data_only) = (only(model, data), only(data, model));
    let differences = match (model_only.as_slice(), data_only.as_slice()) {
        ([], []) => "the same names in another order".to_owned(),
        (a, []) => format!("only the model knows {}", listed(a)),
        ([], b) => format!("only the data set has {}", listed(b)),
        (a, b) => format!(
            "only the model knows {}; only the data set has {}",
            listed(a),
            listed(b)
        ),
    };
    Error::usage(format!(
        "the model was trained for other classes than the data set has: {differences}"
    ))
    .help(OTHER_DATA)
}

/// The first few names, and how many more.
fn listed(names: &[String]) -> String {
    first_few(names.iter().map(String::as_str), 5)
}

/// The checkpoint's transform, if the pack was made by it; for a file without one the pack's resize and the given normalisation.
fn transform(job: &Evaluate, model: &ModelState, pack: &Pack, split: &Split) -> Result<Transform> {
    let (width, height) = (
        job.pixels.resize.width() as usize,
        job.pixels.resize.height() as usize,
    );
    if (pack.width(), pack.height()) != (width, height) {
        return Err(Error::failed(format!(
            "`{}` holds images of {} x {} pixels, not {width} x {height}",
            job.data.pack.display(),
            pack.width(),
            pack.height()
        )));
    }
    if let Some(info) = &model.info {
        return own_transform(job, info.transform);
    }
    let normalize = match &job.model.normalize {
        Some(Normalize::None) => MeanStd::IDENTITY,
        Some(Normalize::Imagenet) => MeanStd::IMAGENET,
        Some(Normalize::Given(given)) => *given,
        Some(Normalize::Dataset) => pack.mean_std(&split.members(Part::Train, job.data.fold))?,
        None => {
            return Err(Error::usage(format!(
                "`{}` does not say how its pixels are normalised",
                job.model.path.display()
            ))
            .help("give `normalize` in the pipeline file, such as `normalize = \"imagenet\"`"));
        }
    };
    Ok(Transform {
        pixels: job.pixels,
        center_crop: None,
        test_resolution: None,
        normalize,
    })
}

/// What a model says itself, which must be how the pack was made.
fn own_transform(job: &Evaluate, own: Transform) -> Result<Transform> {
    let given = match job.model.normalize {
        Some(Normalize::None) => Some(MeanStd::IDENTITY),
        Some(Normalize::Imagenet) => Some(MeanStd::IMAGENET),
        Some(Normalize::Given(given)) => Some(given),
        Some(Normalize::Dataset) | None => None,
    };
    // A pipeline has to say it of a `.pt` file, which may say it itself: the same twice is no mistake.
    if job.model.normalize.is_some() && given != Some(own.normalize) {
        return Err(Error::usage(format!(
            "`{}` says itself how its pixels are normalised, and the given `normalize` is another",
            job.model.path.display()
        ))
        .help(format!(
            "give what it says: `normalize = {{ mean = {:?}, std = {:?} }}`",
            own.normalize.mean, own.normalize.std
        )));
    }
    if own.pixels != job.pixels {
        return Err(Error::usage(format!(
            "the model was trained on images of {}, and the pack holds images of {}",
            own.pixels, job.pixels
        ))
        .help("evaluate on a preprocess stage with the model's `resize`, `filter` and `quality` (`data = …`)"));
    }
    Ok(own)
}
