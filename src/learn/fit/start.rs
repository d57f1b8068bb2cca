//! Where a training starts: the model, and the transform that its checkpoints carry.

use tch::Device;

use super::taken_over;
use crate::{
    error::{Error, Result},
    event::{StageEvent, Tell},
    learn::{
        feed::Inputs,
        picture::{Size, shown_size},
    },
    model::{self, Drops, ModelState, Network, layout::head},
    record::{Fit, ModelFile, SourceMatch, Start, Transform},
    seed::Seed,
    settings::{Augment, MeanStd, NetworkSettings, Normalize, Side, TransferHead},
};

/// Where a training starts.
pub(crate) struct Started {
    /// As the first epoch finds it.
    pub(crate) model: Network,
    /// What happens to a photograph before it.
    pub(crate) transform: Transform,
    /// What a step drops of it.
    pub(crate) drops: Drops,
    /// What was taken of a source.
    pub(crate) source: Option<SourceMatch>,
}

/// The model as the first epoch finds it.
pub(crate) fn start(job: &Fit, inputs: &Inputs, device: Device, tell: Tell<'_>) -> Result<Started> {
    let classes = inputs.classes.len();
    let seed = job.training.seed;
    let own = |inputs| normalization(&job.training.normalize, inputs);
    let mut taken = None;
    let (mut model, settings, normalize) = match &job.start {
        Start::Scratch(settings) => {
            let model = Network::of(settings, classes, seed, device);
            (model, *settings, own(inputs)?)
        }
        Start::Transfer {
            model: file,
            train_layers,
            stochastic_depth,
            dropout,
            keep_normalize,
            head,
            ..
        } => {
            let source = model::load_network(file)?;
            for note in &source.notes {
                tell(StageEvent::Note(note.clone()));
            }
            let mut model = Network::from_state(&source.state, source.arch, device)?;
            taken = Some(take_over(
                &mut model,
                *head,
                (file, &source),
                inputs,
                (seed, tell),
            )?);
            model.freeze(*train_layers)?;
            let settings = NetworkSettings::of(source.arch).with(*stochastic_depth, *dropout);
            let settings = settings.map_err(|(message, help)| Error::usage(message).help(help))?;
            let said = source.info.map(|info| info.transform.normalize);
            let normalize = if *keep_normalize {
                kept(said, file, inputs)?
            } else {
                own(inputs)?
            };
            (model, settings, normalize)
        }
    };
    check_batch_norm(job, &model, inputs)?;
    model.to_channels_last();
    let transform = Transform {
        pixels: job.pixels,
        center_crop: center_crop(&job.training.augment)?,
        test_resolution: job.training.test_resolution.map(Side::get),
        normalize,
    };
    let drops = model.drops(&settings);
    Ok(Started {
        model,
        transform,
        drops,
        source: taken,
    })
}

/// Gives a source's network a head for the classes of the data, and tells what was taken of it.
fn take_over(
    model: &mut Network,
    head: TransferHead,
    (file, source): (&ModelFile, &ModelState),
    inputs: &Inputs,
    (seed, tell): (Seed, Tell<'_>),
) -> Result<SourceMatch> {
    let classes = inputs.classes.len();
    let carried = match head {
        TransferHead::New => {
            model.replace_head(classes, seed);
            Vec::new()
        }
        TransferHead::ByName => carry_head(model, source, &inputs.classes, seed)?,
    };
    let found = matched(file, source, classes, carried);
    for line in taken_over::lines(&found) {
        tell(StageEvent::Note(line));
    }
    let side = inputs.size().width.min(inputs.size().height);
    if let Some(note) = taken_over::of_size(file, u32::try_from(side).unwrap_or(0)) {
        tell(StageEvent::Note(note));
    }
    Ok(found)
}

/// A head whose classes begin with those of the same name in the source. Gives their names.
fn carry_head(
    model: &mut Network,
    source: &ModelState,
    classes: &[String],
    seed: Seed,
) -> Result<Vec<String>> {
    let Some(info) = source.info.as_ref().filter(|_| source.has_head) else {
        let message =
            "`head = \"by_name\"`, and the source does not say which classes it tells apart";
        let help = "take a stage or a file that kfood exported, or leave `head` out";
        return Err(Error::usage(message).help(help));
    };
    let carried = model.replace_head_by_name(classes, &source.state, &info.classes, seed)?;
    if carried.is_empty() {
        let message = "`head = \"by_name\"`, and no class is called as one of the source's is";
        return Err(Error::usage(message).help("leave `head` out"));
    }
    Ok(carried)
}

/// What was taken of a source, for the record.
fn matched(
    file: &ModelFile,
    source: &ModelState,
    classes: usize,
    carried: Vec<String>,
) -> SourceMatch {
    let new: Vec<String> = head(source.arch, 1)
        .into_iter()
        .map(|slot| slot.name)
        .collect();
    SourceMatch {
        pretrained: file.pretrained.clone(),
        arch: source.arch,
        taken: source.state.len() - new.len(),
        left_over: source.left_over.clone(),
        reshaped: source
            .reshaped
            .iter()
            .filter(|name| !new.contains(name))
            .cloned()
            .collect(),
        halves: source.halves,
        new,
        source_classes: source.has_head.then_some(source.classes),
        classes,
        carried,
    }
}

/// A single small image leaves BatchNorm nothing to take statistics of.
fn check_batch_norm(job: &Fit, model: &Network, inputs: &Inputs) -> Result<()> {
    // The first epoch shows the smallest images.
    let Size { width, height } = shown_size(&job.training, inputs.size(), 1);
    let single = job.training.batch_size.get() == 1 && width <= 32 && height <= 32;
    if single && model.has_batch_norm() {
        return Err(Error::usage(format!(
            "`batch_size` = 1 at {width} x {height} pixels leaves BatchNorm a single value to take statistics of"
        ))
        .help("use a `batch_size` of at least 2"));
    }
    Ok(())
}

/// The mean and standard deviation that a setting stands for.
///
/// # Errors
/// When the pack cannot be read.
pub(crate) fn normalization(setting: &Normalize, inputs: &Inputs) -> Result<MeanStd> {
    Ok(match setting {
        Normalize::None => MeanStd::IDENTITY,
        Normalize::Dataset => inputs.pack.mean_std(&inputs.train)?,
        Normalize::Imagenet => MeanStd::IMAGENET,
        Normalize::Given(given) => *given,
    })
}

/// The normalisation that a transfer from this file keeps.
///
/// # Errors
/// When the file cannot be read, or neither it nor the pipeline says one.
pub(crate) fn kept_normalization(file: &ModelFile, inputs: &Inputs) -> Result<MeanStd> {
    let source = model::load_network(file)?;
    let said = source.info.map(|info| info.transform.normalize);
    kept(said, file, inputs)
}

fn kept(said: Option<MeanStd>, file: &ModelFile, inputs: &Inputs) -> Result<MeanStd> {
    let given = file.normalize.as_ref();
    let given = given.map(|n| normalization(n, inputs)).transpose()?;
    said.or(given).ok_or_else(|| {
        Error::usage(format!(
            "`{}` does not say how its pixels are normalised",
            file.path.display()
        ))
        .help("give `normalize` in the pipeline file, such as `normalize = \"imagenet\"`")
    })
}

/// The one centre crop, which evaluation repeats.
pub(crate) fn center_crop(augment: &[Augment]) -> Result<Option<u32>> {
    let mut sides = augment.iter().filter_map(|item| match item {
        Augment::CenterCrop(side) => Some(side.get()),
        _ => None,
    });
    let side = sides.next();
    if sides.next().is_some() {
        return Err(Error::usage(
            "`augment` has more than one `center_crop`, and evaluation repeats only one",
        )
        .help("keep the last of them"));
    }
    Ok(side)
}
