//! Where a training starts: the model, and the transform that its checkpoints carry.

use tch::Device;

use crate::{
    error::{Error, Result},
    event::{StageEvent, Tell},
    learn::feed::Inputs,
    model::{self, ResNet},
    record::{Fit, ModelFile, Start, Transform},
    settings::{Augment, MeanStd, Normalize, Side},
};

/// The model as the first epoch finds it, and what happens to a photograph before it.
pub(crate) fn start(
    job: &Fit,
    inputs: &Inputs,
    device: Device,
    tell: Tell<'_>,
) -> Result<(ResNet, Transform)> {
    let classes = inputs.classes.len();
    let seed = job.training.seed;
    let own = |inputs| normalization(&job.training.normalize, inputs);
    let (mut model, normalize) = match &job.start {
        Start::Scratch {
            arch,
            zero_init_residual,
        } => {
            let mut model = ResNet::new(*arch, classes, seed, device);
            if *zero_init_residual {
                model.zero_init_residual();
            }
            (model, own(inputs)?)
        }
        Start::Transfer {
            model: file,
            train_layers,
            keep_normalize,
            ..
        } => {
            let source = model::load_network(file)?;
            for note in &source.notes {
                tell(StageEvent::Note(note.clone()));
            }
            let mut model = ResNet::from_state(&source.state, source.arch, device)?;
            model.replace_head(classes, seed);
            model.freeze(*train_layers);
            let said = source.info.map(|info| info.transform.normalize);
            let normalize = if *keep_normalize {
                kept(said, file, inputs)?
            } else {
                own(inputs)?
            };
            (model, normalize)
        }
    };
    model.to_channels_last();
    let transform = Transform {
        pixels: job.pixels,
        center_crop: center_crop(&job.training.augment)?,
        test_resolution: job.training.test_resolution.map(Side::get),
        normalize,
    };
    Ok((model, transform))
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
