//! Changes of colour as tensor arithmetic on values from 0 to 1: torchvision's v2 functionals for floats, for many images at
//! once, each with an amount of its own.
//!
//! The arithmetic is written once ([`Operation::act`]). On a GPU the images of a batch that take the same operation at the same
//! place of their lists are picked out, changed together and put back ([`Plan`]). On a CPU one image's list runs on one core
//! while the image lies in its cache ([`each`]): there the batch would only be read from memory again for every step.

mod blur;
mod equalize;
mod hue;
mod operation;

use std::collections::BTreeMap;

use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use crate::{error::Result, native::use_one_thread};

pub(crate) use operation::Operation;

/// An operation with its amount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Color {
    pub(crate) operation: Operation,
    pub(crate) amount: f64,
}

impl Color {
    pub(crate) const fn new(operation: Operation, amount: f64) -> Self {
        Self { operation, amount }
    }
}

/// Changes images of f32 [n, 3, height, width] on the CPU in place, each by its own list and then by `then`, on a thread of its own.
/// An image without changes is left alone, by `then` too.
///
/// # Errors
/// When libtorch refuses, and those of `then`.
pub(crate) fn each(
    images: &Tensor,
    lists: &[&[Color]],
    then: impl Fn(&Tensor) -> Result<()> + Sync,
) -> Result<()> {
    let mut work = Vec::new();
    for (i, colors) in lists.iter().enumerate() {
        if !colors.is_empty() {
            work.push((images.f_narrow(0, i as i64, 1)?, *colors));
        }
    }
    work.into_par_iter().try_for_each(|(mut place, colors)| {
        use_one_thread();
        let _guard = tch::no_grad_guard();
        // A plane for each channel: arithmetic on one channel then runs along memory.
        let mut image = place.f_contiguous()?;
        for color in colors {
            let amount = Tensor::f_from_slice(&[color.operation.number(color.amount)])?;
            image = color
                .operation
                .act(image, &amount.f_reshape([1, 1, 1, 1])?)?;
        }
        then(&image)?;
        place.f_copy_(&image)?;
        Ok(())
    })
}

/// The changes of a batch in the order in which a GPU makes them; made ahead, on the host.
pub(crate) struct Plan {
    groups: Vec<Group>,
    /// i64: the images of all groups, one group behind the other.
    images: Tensor,
    /// f32: their amounts.
    amounts: Tensor,
}

struct Group {
    operation: Operation,
    first: i64,
    len: i64,
}

impl Plan {
    /// For images of these lists; `None` where no image changes.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn new(lists: &[&[Color]], device: Device) -> Result<Option<Self>> {
        let longest = lists.iter().map(|colors| colors.len()).max().unwrap_or(0);
        let (mut groups, mut images, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
        for place in 0..longest {
            let mut same: BTreeMap<Operation, Vec<(i64, f32)>> = BTreeMap::new();
            for (i, colors) in (0..).zip(lists) {
                if let Some(color) = colors.get(place) {
                    let amount = color.operation.number(color.amount);
                    same.entry(color.operation).or_default().push((i, amount));
                }
            }
            for (operation, members) in same {
                groups.push(Group {
                    operation,
                    first: images.len() as i64,
                    len: members.len() as i64,
                });
                images.extend(members.iter().map(|m| m.0));
                amounts.extend(members.iter().map(|m| m.1));
            }
        }
        if groups.is_empty() {
            return Ok(None);
        }
        let [images, amounts] = [
            Tensor::f_from_slice(&images)?,
            Tensor::f_from_slice(&amounts)?,
        ];
        // From pinned memory the copy to a GPU waits for nothing.
        let pinned = |tensor: Tensor| {
            if device.is_cuda() {
                tensor.f_pin_memory(device)
            } else {
                Ok(tensor)
            }
        };
        Ok(Some(Self {
            groups,
            images: pinned(images)?,
            amounts: pinned(amounts)?,
        }))
    }

    /// Changes `images` of f32 [n, 3, height, width] in place.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn apply(&self, images: &mut Tensor) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let device = images.device();
        let all = self.images.f_to_device_(device, Kind::Int64, true, false)?;
        let amounts = self
            .amounts
            .f_to_device_(device, Kind::Float, true, false)?;
        for group in &self.groups {
            let index = all.f_narrow(0, group.first, group.len)?;
            let amount = amounts.f_narrow(0, group.first, group.len)?;
            let picked = images.f_index_select(0, &index)?.f_contiguous()?;
            let amount = amount.f_reshape([group.len, 1, 1, 1])?;
            let changed = group.operation.act(picked, &amount)?;
            let _ = images.f_index_copy_(0, &index, &changed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
