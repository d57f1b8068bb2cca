//! The batches of a pass: which images in which order, as tensors on the device.

use tch::{Device, Tensor};

use super::{
    affine::Size,
    batch::{Draw, evaluation_batch, training_batch},
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
    pub(super) device: Device,
}

impl Loader<'_> {
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

    /// These rows as epoch `epoch` of training sees them.
    ///
    /// # Errors
    /// When a row cannot be read or libtorch refuses.
    pub(super) fn training(&self, rows: &[usize], epoch: u32) -> Result<Batch> {
        let draw = Draw {
            augment: &self.training.augment,
            seed: self.training.seed,
            epoch,
        };
        let size = Size::new(self.inputs.pack.width(), self.inputs.pack.height());
        let images = training_batch(
            &self.inputs.pixels(rows)?,
            rows,
            size,
            &draw,
            &self.transform.normalize,
            self.device,
        )?;
        self.batch(images, rows)
    }

    /// These rows under the transform of evaluation.
    ///
    /// # Errors
    /// As [`Loader::training`].
    pub(super) fn evaluation(&self, rows: &[usize]) -> Result<Batch> {
        let (width, height) = (self.inputs.pack.width(), self.inputs.pack.height());
        let images = evaluation_batch(
            &self.inputs.pixels(rows)?,
            rows.len(),
            height,
            width,
            self.transform,
            self.device,
        )?;
        self.batch(images, rows)
    }

    fn batch(&self, images: Tensor, rows: &[usize]) -> Result<Batch> {
        let classes = self.inputs.targets(rows, self.device)?;
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
