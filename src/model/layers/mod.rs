//! What networks are put together from. Each layer computes, and shows its tensors by name.

mod batch_norm;
mod conv;
mod layer_norm;
mod linear;
mod parameter;
mod source;

use tch::Tensor;

pub(super) use self::{
    batch_norm::{BatchNorm, Counts},
    conv::Conv,
    layer_norm::LayerNorm,
    linear::Linear,
    parameter::Parameter,
    source::{Source, entry},
};

/// One entry of a state dict as a network holds it.
pub(super) enum Item<'a> {
    /// Something trained.
    Parameter(&'a Parameter),
    /// The running mean or variance of a BatchNorm.
    Statistic(&'a Tensor),
    /// The training batches that a BatchNorm has seen.
    Counts(&'a std::rc::Rc<Counts>),
}

/// Is shown every entry by its name, in torchvision's order.
pub(super) type See<'a> = dyn FnMut(String, Item<'_>) + 'a;
