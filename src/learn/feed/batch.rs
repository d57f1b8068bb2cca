//! The images of a step and what they show.

use tch::{Kind, Tensor};

use crate::{error::Result, model::Noise};

/// A step's images and what they show.
pub(crate) struct Batch {
    /// f32 [n, 3, height, width], normalised, in channels_last order on the device.
    pub(crate) images: Tensor,
    /// Their classes.
    pub(crate) targets: Targets,
    /// What is dropped of them on their way through the network; throughout a training that drops anything.
    pub(crate) noise: Option<Noise>,
}

/// What the images of a batch show.
pub(crate) struct Targets {
    /// i64 [n] on the device; where images are mixed, the class with the larger share.
    pub(crate) classes: Tensor,
    /// The share of every class, f32 [n, classes] on the device; throughout a training that mixes, or the recorded step would
    /// not fit its last epochs.
    pub(crate) soft: Option<Tensor>,
}

impl Batch {
    /// The number of images.
    pub(crate) fn len(&self) -> usize {
        self.images.size().first().map_or(0, |n| *n as usize)
    }

    /// Whether the tensors have the same shapes.
    pub(crate) fn like(&self, other: &Self) -> bool {
        self.images.size() == other.images.size() && self.images.kind() == other.images.kind()
    }

    /// Tensors of the same shapes and values in places of their own.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn places(&self) -> Result<Self> {
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
            noise: self.noise.as_ref().map(places).transpose()?,
        })
    }

    /// Takes over the values of another batch of the same shape.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn copy(&mut self, from: &Self) -> Result<()> {
        let _guard = tch::no_grad_guard();
        self.images.f_copy_(&from.images)?;
        self.targets.classes.f_copy_(&from.targets.classes)?;
        if let (Some(soft), Some(from)) = (&mut self.targets.soft, &from.targets.soft) {
            soft.f_copy_(from)?;
        }
        if let (Some(noise), Some(from)) = (&mut self.noise, &from.noise) {
            for (to, from) in [
                (&mut noise.depth, &from.depth),
                (&mut noise.dropout, &from.dropout),
            ] {
                if let (Some(to), Some(from)) = (to, from) {
                    to.f_copy_(from)?;
                }
            }
        }
        Ok(())
    }
}

fn places(noise: &Noise) -> Result<Noise> {
    let place = |tensor: &Option<Tensor>| -> Result<Option<Tensor>> {
        let place = tensor.as_ref().map(|tensor| tensor.f_clone(tensor));
        Ok(place.transpose()?)
    };
    Ok(Noise {
        depth: place(&noise.depth)?,
        dropout: place(&noise.dropout)?,
    })
}

/// f32 [n, classes] of i64 [n]. By comparison, for `one_hot` looks at its values on the host.
pub(crate) fn one_hot(classes: &Tensor, n: i64) -> Result<Tensor> {
    let all = Tensor::f_arange(n, (Kind::Int64, classes.device()))?;
    let same = classes.f_unsqueeze(1)?.f_eq_tensor(&all)?;
    Ok(same.f_to_kind(Kind::Float)?)
}
