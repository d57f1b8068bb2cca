//! The batches of a pass: which images in which order, as tensors on the device.

use std::{sync::mpsc, thread};

use tch::{Device, Tensor};

use super::{
    augment::Augmented,
    batch::{Draw, Sampler, centre},
    criterion::one_hot,
    inputs::Inputs,
    mix,
    order::{Shown, order},
};
use crate::{error::Result, record::Transform, settings::Training};

/// A step's images and what they show.
pub(super) struct Batch {
    /// f32 [n, 3, height, width], normalised, in channels_last order on the device.
    pub(super) images: Tensor,
    /// Their classes.
    pub(super) targets: Targets,
}

/// What the images of a batch show.
pub(super) struct Targets {
    /// i64 [n] on the device; where images are mixed, the class with the larger share.
    pub(super) classes: Tensor,
    /// The share of every class, f32 [n, classes] on the device; throughout a training that mixes, or the recorded step would
    /// not fit its last epochs.
    pub(super) soft: Option<Tensor>,
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
                soft: self
                    .targets
                    .soft
                    .as_ref()
                    .map(|s| s.f_clone(s))
                    .transpose()?,
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
        if let (Some(soft), Some(from)) = (&mut self.targets.soft, &from.targets.soft) {
            soft.f_copy_(from)?;
        }
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

    /// What epoch `epoch` (from 1) shows of the training part, in its order, batch by batch.
    pub(super) fn order(&self, epoch: u32) -> Vec<Vec<Shown>> {
        let class = |row| self.inputs.class(row);
        let order = order(self.training, epoch, &self.inputs.train, class);
        training_batches(&order, self.training.batch_size.get() as usize)
            .into_iter()
            .map(<[Shown]>::to_vec)
            .collect()
    }

    /// The rows of the validation part, batch by batch.
    pub(super) fn validation(&self) -> Vec<Vec<usize>> {
        let rows = self.inputs.validation.as_slice();
        rows.chunks(self.training.batch_size.get() as usize)
            .map(<[usize]>::to_vec)
            .collect()
    }

    /// These batches as epoch `epoch` of training sees them, in order, each made while the step before it runs.
    ///
    /// # Errors
    /// When a row cannot be read or libtorch refuses, and those of `step`.
    pub(super) fn training(
        &self,
        batches: &[Vec<Shown>],
        epoch: u32,
        mut step: impl FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        let draw = Draw {
            augment: &self.training.augment,
            progressive_resizing: self.training.progressive_resizing,
            seed: self.training.seed,
            epoch,
        };
        let source = self.sampler.host.source();
        let mut firsts = batches.iter().filter_map(|batch| batch.first());
        self.each(
            batches,
            |shown| shown.row,
            |shown| draw.augmented(source, shown.row, shown.repeat),
            |batch| match firsts.next() {
                Some(first) if self.training.mix.is_some() => {
                    step(self.mixed(batch, epoch, *first)?)
                }
                _ => step(batch),
            },
        )
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
        self.each(batches, |row| *row, |_| centre.clone(), step)
    }

    fn each<T: Sync>(
        &self,
        batches: &[Vec<T>],
        row: impl Fn(&T) -> usize + Sync,
        draw: impl Fn(&T) -> Augmented + Sync,
        mut step: impl FnMut(Batch) -> Result<()>,
    ) -> Result<()> {
        thread::scope(|scope| {
            // Dropped at a failing step: the thread then ends at its next batch.
            let (sender, receiver) = mpsc::sync_channel(AHEAD);
            let (row, draw, host) = (&row, &draw, self.sampler.host);
            scope.spawn(move || {
                for batch in batches {
                    let rows: Vec<usize> = batch.iter().map(row).collect();
                    let drawn: Vec<_> = batch.iter().map(draw).collect();
                    let prepared = host.prepare(&rows, &drawn);
                    let failed = prepared.is_err();
                    if sender.send(prepared).is_err() || failed {
                        break;
                    }
                }
            });
            for (batch, prepared) in batches.iter().zip(receiver) {
                let images = self.sampler.finish(prepared?)?;
                let rows: Vec<i64> = batch.iter().map(|shown| row(shown) as i64).collect();
                step(self.batch(images, &rows)?)?;
            }
            Ok(())
        })
    }

    fn batch(&self, images: Tensor, rows: &[i64]) -> Result<Batch> {
        let rows = Tensor::f_from_slice(rows)?.f_to_device(self.classes.device())?;
        let classes = self.classes.f_index_select(0, &rows)?;
        Ok(Batch {
            images,
            targets: Targets {
                classes,
                soft: None,
            },
        })
    }

    /// The batch as `mix` makes it, by what is drawn for its first image.
    fn mixed(&self, batch: Batch, epoch: u32, first: Shown) -> Result<Batch> {
        let Batch {
            images,
            targets: Targets { classes, .. },
        } = batch;
        let soft = one_hot(&classes, self.inputs.classes.len() as i64)?;
        let (_, _, height, width) = images.size4()?;
        let Some(drawn) = mix::draw(self.training, epoch, first, [height, width]) else {
            let soft = Some(soft);
            return Ok(Batch {
                images,
                targets: Targets { classes, soft },
            });
        };
        let (images, soft) = drawn.apply(images, &soft)?;
        let targets = Targets {
            classes: soft.f_argmax(1, false)?,
            soft: Some(soft),
        };
        Ok(Batch { images, targets })
    }
}

/// The order in batches. A last batch of a single image is left out of its epoch: the statistics of one image are none that
/// BatchNorm could use (they have no spread where the last feature map is one pixel), and another epoch shows that image.
fn training_batches<T>(order: &[T], size: usize) -> Vec<&[T]> {
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
