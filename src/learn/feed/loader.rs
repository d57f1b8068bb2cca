//! The batches of a pass: which images in which order, as tensors on the device.

use std::{sync::mpsc, thread};

use tch::{Device, Tensor};

use super::{
    batch::{Batch, Targets, one_hot},
    inputs::Inputs,
    mix, noise,
    order::{Shown, order},
    sampler::{Draw, Sampler, centre},
};
use crate::{
    error::Result, learn::picture::Augmented, model::Drops, record::Transform, settings::Training,
};

/// Makes the batches of a training and of its validation.
pub(crate) struct Loader<'a> {
    pub(crate) training: &'a Training,
    pub(crate) inputs: &'a Inputs,
    pub(crate) transform: &'a Transform,
    sampler: Sampler<'a>,
    /// The class of every row of the pack, i64 on the device.
    classes: Tensor,
    /// What the network drops in training.
    drops: Drops,
}

/// Batches that lie ready while a step runs.
const AHEAD: usize = 2;

impl<'a> Loader<'a> {
    /// For a device.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn new(
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
            drops: Drops::default(),
        })
    }

    /// The same for a network that drops these in training.
    pub(crate) fn dropping(self, drops: Drops) -> Self {
        Self { drops, ..self }
    }

    /// What epoch `epoch` (from 1) shows of the training part, in its order, batch by batch.
    pub(crate) fn order(&self, epoch: u32) -> Vec<Vec<Shown>> {
        let class = |row| self.inputs.class(row);
        let order = order(self.training, epoch, &self.inputs.train, class);
        training_batches(&order, self.training.batch_size.get() as usize)
            .into_iter()
            .map(<[Shown]>::to_vec)
            .collect()
    }

    /// The rows of the validation part, batch by batch.
    pub(crate) fn validation(&self) -> Vec<Vec<usize>> {
        let rows = self.inputs.validation.as_slice();
        rows.chunks(self.training.batch_size.get() as usize)
            .map(<[usize]>::to_vec)
            .collect()
    }

    /// These batches as epoch `epoch` of training sees them, in order, each made while the step before it runs.
    ///
    /// # Errors
    /// When a row cannot be read or libtorch refuses, and those of `step`.
    pub(crate) fn training(
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
        let mut shown = batches.iter();
        self.each(
            batches,
            |shown| shown.row,
            |shown| draw.augmented(source, shown.row, shown.repeat),
            |mut batch| {
                let shown = shown.next().map_or(&[][..], Vec::as_slice);
                if let (Some(first), true) = (shown.first(), self.training.mix.is_some()) {
                    batch = self.mixed(batch, epoch, *first)?;
                }
                let (seed, device) = (self.training.seed, self.classes.device());
                batch.noise = noise::draw(&self.drops, seed, epoch, shown, device)?;
                step(batch)
            },
        )
    }

    /// These rows under the transform of evaluation, likewise.
    ///
    /// # Errors
    /// As [`Loader::training`].
    pub(crate) fn evaluation(
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
            noise: None,
        })
    }

    /// The batch as `mix` makes it, by what is drawn for its first image.
    fn mixed(&self, batch: Batch, epoch: u32, first: Shown) -> Result<Batch> {
        let Batch {
            images,
            targets: Targets { classes, .. },
            noise,
        } = batch;
        let soft = one_hot(&classes, self.inputs.classes.len() as i64)?;
        let (_, _, height, width) = images.size4()?;
        let Some(drawn) = mix::draw(self.training, epoch, first, [height, width]) else {
            let soft = Some(soft);
            return Ok(Batch {
                images,
                targets: Targets { classes, soft },
                noise,
            });
        };
        let (images, soft) = drawn.apply(images, &soft)?;
        let targets = Targets {
            classes: soft.f_argmax(1, false)?,
            soft: Some(soft),
        };
        Ok(Batch {
            images,
            targets,
            noise,
        })
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
