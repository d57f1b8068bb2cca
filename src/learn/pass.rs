//! One pass over images: a training epoch, or validation.

use tch::{Device, Kind, Reduction, Tensor};

use super::{
    affine::Size,
    batch::{Draw, evaluation_batch, training_batch},
    inputs::Inputs,
    optimizer::Optimizer,
    progress::Progress,
    tally::Tally,
};
use crate::{
    data::epoch_order,
    error::{Error, Result},
    event::Tell,
    model::ResNet,
    native::Autocast,
    record::{Measure, Transform},
    settings::Training,
    stop::Stop,
};

/// What every pass of a training needs.
pub(super) struct Pass<'a> {
    pub(super) training: &'a Training,
    pub(super) inputs: &'a Inputs,
    pub(super) transform: &'a Transform,
    pub(super) device: Device,
    pub(super) bf16: bool,
    pub(super) tell: Tell<'a>,
    pub(super) stop: &'a Stop,
}

impl Pass<'_> {
    /// Epoch `epoch` (from 1) of training, at this learning rate.
    ///
    /// # Errors
    /// When a stop was requested, the loss is no longer a number, or libtorch refuses.
    pub(super) fn train(
        &self,
        model: &ResNet,
        optimizer: &mut Optimizer,
        epoch: u32,
        lr: f64,
    ) -> Result<Measure> {
        let order: Vec<usize> = epoch_order(self.training.seed, epoch, self.inputs.train.len())
            .into_iter()
            .map(|place| self.inputs.train[place])
            .collect();
        let batches = training_batches(&order, self.training.batch_size.get() as usize);
        let draw = Draw {
            augment: &self.training.augment,
            seed: self.training.seed,
            epoch,
        };
        let size = Size::new(self.inputs.pack.width(), self.inputs.pack.height());
        let mut progress = self.progress(epoch, "", batches.iter().map(|b| b.len()).sum());
        let mut tally = Tally::new(self.device)?;
        for rows in batches {
            self.stop.check()?;
            let images = training_batch(
                &self.inputs.pixels(rows)?,
                rows,
                size,
                &draw,
                &self.transform.normalize,
                self.device,
            )?;
            let targets = self.inputs.targets(rows, self.device)?;
            optimizer.clear_gradients()?;
            let logits = self.forward(model, &images, true)?;
            let loss = cross_entropy(&logits, &targets, self.training.label_smoothing.get())?;
            loss.f_backward()?;
            optimizer.step(lr)?;
            tally.add(&loss, &logits, &targets)?;
            if progress.at(tally.images()) {
                self.check(tally.read()?, epoch)?;
            }
        }
        optimizer.clear_gradients()?;
        self.check(tally.read()?, epoch)
    }

    /// The validation part under the transform of evaluation; `None` where there is none.
    ///
    /// # Errors
    /// As [`Pass::train`].
    pub(super) fn validate(&self, model: &ResNet, epoch: u32) -> Result<Option<Measure>> {
        let rows = &self.inputs.validation;
        if rows.is_empty() {
            return Ok(None);
        }
        let _guard = tch::no_grad_guard();
        let (width, height) = (self.inputs.pack.width(), self.inputs.pack.height());
        let mut progress = self.progress(epoch, ", validation", rows.len());
        let mut tally = Tally::new(self.device)?;
        for rows in rows.chunks(self.training.batch_size.get() as usize) {
            self.stop.check()?;
            let pixels = self.inputs.pixels(rows)?;
            let images = evaluation_batch(
                &pixels,
                rows.len(),
                height,
                width,
                self.transform,
                self.device,
            )?;
            let targets = self.inputs.targets(rows, self.device)?;
            let logits = self.forward(model, &images, false)?;
            tally.add(&cross_entropy(&logits, &targets, 0.0)?, &logits, &targets)?;
            progress.at(tally.images());
        }
        self.check(tally.read()?, epoch).map(Some)
    }

    /// Logits in f32, whatever the arithmetic.
    fn forward(&self, model: &ResNet, images: &Tensor, train: bool) -> Result<Tensor> {
        let autocast = if self.bf16 {
            Some(Autocast::bf16(self.device)?)
        } else {
            None
        };
        let logits = model.forward(images, train);
        drop(autocast);
        Ok(logits.f_to_kind(Kind::Float)?)
    }

    fn progress(&self, epoch: u32, pass: &str, images: usize) -> Progress<'_> {
        let what = format!("epoch {epoch}/{}{pass}", self.training.epochs.get());
        Progress::new(self.tell, what, images)
    }

    fn check(&self, measure: Measure, epoch: u32) -> Result<Measure> {
        if measure.loss.is_finite() {
            return Ok(measure);
        }
        Err(Error::failed(format!(
            "the loss is no longer a number ({}) in epoch {epoch} of {}",
            measure.loss,
            self.training.epochs.get()
        ))
        .help("lower `lr`, add warm-up (`schedule.constant = { warmup_epochs = 3 }`), or set `normalize`"))
    }
}

/// The order in batches. A last batch of a single image is left out of its epoch: the statistics of one image are none that
/// BatchNorm could use (they have no spread where the last feature map is one pixel), and another epoch shows that image.
fn training_batches(order: &[usize], size: usize) -> Vec<&[usize]> {
    let mut batches: Vec<_> = order.chunks(size).collect();
    if size > 1 && batches.len() > 1 && batches.last().is_some_and(|b| b.len() == 1) {
        batches.pop();
    }
    batches
}

fn cross_entropy(logits: &Tensor, targets: &Tensor, label_smoothing: f64) -> Result<Tensor> {
    // -100 is PyTorch's "ignore this one", which no class is.
    Ok(logits.f_cross_entropy_loss::<Tensor>(
        targets,
        None,
        Reduction::Mean,
        -100,
        label_smoothing,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_batch_of_one_image_is_left_out() {
        let lengths = |n: usize, size: usize| -> Vec<usize> {
            let order: Vec<usize> = (0..n).collect();
            training_batches(&order, size)
                .iter()
                .map(|b| b.len())
                .collect()
        };
        assert_eq!(lengths(9, 4), [4, 4]);
        assert_eq!(lengths(10, 4), [4, 4, 2]);
        assert_eq!(lengths(2, 1), [1, 1]);
    }
}
