//! The batches of a pass: which images in which order, as tensors on the device.

use std::{sync::mpsc, thread};

use tch::{Device, Tensor};

use super::{
    augment::Augmented,
    batch::{Draw, Sampler, centre},
    inputs::Inputs,
};
use crate::{data::epoch_order, error::Result, record::Transform, settings::Training};

/// A step's images and what they show.
pub(super) struct Batch {
    /// f32 [n, 3, height, width], normalised, in channels_last order on the device.
    pub(super) images: Tensor,
    /// Their classes.
    pub(super) targets: Targets,
}

/// What the images of a batch show.
pub(super) struct Targets {
    /// i64 [n] on the device.
    pub(super) classes: Tensor,
}

impl Batch {
    /// The number of images.
    pub(super) fn len(&self) -> usize {
        self.images.size().first().map_or(0, |n| *n as usize)
    }

    /// Whether the tensors have the same shapes.
    pub(super) fn like(&self, other: &Self) -> bool {
        self.images.size() == other.images.size() && self.images.kind() == other.images.kind()
    }

    /// Tensors of the same shapes and values in places of their own.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn places(&self) -> Result<Self> {
        Ok(Self {
            images: self.images.f_clone(&self.images)?,
            targets: Targets {
                classes: self.targets.classes.f_clone(&self.targets.classes)?,
            },
        })
    }

    /// Takes over the values of another batch of the same shape.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn copy(&mut self, from: &Self) -> Result<()> {
        let _guard = tch::no_grad_guard();
        self.images.f_copy_(&from.images)?;
        self.targets.classes.f_copy_(&from.targets.classes)?;
        Ok(())
    }
}

/// Makes the batches of a training and of its validation.
pub(super) struct Loader<'a> {
    pub(super) training: &'a Training,
    pub(super) inputs: &'a Inputs,
    pub(super) transform: &'a Transform,
    sampler: Sampler<'a>,
    /// The class of every row of the pack, i64 on the device.
    classes: Tensor,
}

/// Batches that lie ready while a step runs.
const AHEAD: usize = 2;

impl<'a> Loader<'a> {
    /// For a device.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn new(
        training: &'a Training,
        inputs: &'a Inputs,
        transform: &'a Transform,
        device: Device,
    ) -> Result<Self> {
        Ok(Self {
            training,
            inputs,
            transform,
            sampler: Sampler::new(&inputs.pack, &transform.normalize, device)?,
            classes: inputs.targets(device)?,
        })
    }

    /// The rows of the training part in the order of epoch `epoch` (from 1), batch by batch.
    pub(super) fn order(&self, epoch: u32) -> Vec<Vec<usize>> {
        let order: Vec<usize> = epoch_order(self.training.seed, epoch, self.inputs.train.len())
            .into_iter()
            .map(|place| self.inputs.train[place])
            .collect();
        training_batches(&order, self.training.batch_size.get() as usize)
            .into_iter()
            .map(<[usize]>::to_vec)
            .collect()
    }

    /// The rows of the validation part, batch by batch.
    pub(super) fn validation(&self) -> Vec<Vec<usize>> {
        let rows = self.inputs.validation.as_slice();
        rows.chunks(self.training.batch_size.get() as usize)
            .map(<[usize]>::to_vec)
            .collect()
    }

    /// These rows as epoch `epoch` of training sees them, in order, each made while the step before it runs.
    ///
    /// # Errors
    /// When a row cannot be read or libtorch refuses, and those of `step`.
    pub(super) fn training(
        &self,
        batches: &[Vec<usize>],
        epoch: u32,
        step: impl FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        let draw = Draw {
            augment: &self.training.augment,
            seed: self.training.seed,
            epoch,
        };
        let source = self.sampler.host.source();
        self.each(batches, |row| draw.augmented(source, row), step)
    }

    /// These rows under the transform of evaluation, likewise.
    ///
    /// # Errors
    /// As [`Loader::training`].
    pub(super) fn evaluation(
        &self,
        batches: &[Vec<usize>],
        step: impl FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        let centre = Augmented::from(centre(self.sampler.host.source(), self.transform));
        self.each(batches, |_| centre.clone(), step)
    }

    fn each(
        &self,
        batches: &[Vec<usize>],
        draw: impl Fn(usize) -> Augmented + Sync,
        mut step: impl FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        thread::scope(|scope| {
            // Dropped at a failing step: the thread then ends at its next batch.
            let (sender, receiver) = mpsc::sync_channel(AHEAD);
            let (draw, host) = (&draw, self.sampler.host);
            scope.spawn(move || {
                for rows in batches {
                    let drawn: Vec<_> = rows.iter().map(|row| draw(*row)).collect();
                    let prepared = host.prepare(rows, &drawn);
                    let failed = prepared.is_err();
                    if sender.send(prepared).is_err() || failed {
                        break;
                    }
                }
            });
            for (rows, prepared) in batches.iter().zip(receiver) {
                let images = self.sampler.finish(prepared?)?;
                step(self.batch(images, rows)?)?;
            }
            Ok(())
        })
    }

    fn batch(&self, images: Tensor, rows: &[usize]) -> Result<Batch> {
        let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
        let rows = Tensor::f_from_slice(&rows)?.f_to_device(self.classes.device())?;
        let classes = self.classes.f_index_select(0, &rows)?;
        Ok(Batch {
            images,
            targets: Targets { classes },
        })
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
