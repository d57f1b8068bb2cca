//! A trained tensor.

use std::cell::RefCell;

use tch::Tensor;

use super::super::layout::Role;

/// A trained tensor, and what training passes compute with.
pub(in crate::model) struct Parameter {
    pub(in crate::model) value: Tensor,
    pub(in crate::model) role: Role,
    /// Training passes compute with it in place of the value.
    copy: RefCell<Option<Tensor>>,
}

impl Parameter {
    pub(super) fn new(value: Tensor, role: Role) -> Self {
        Self {
            value,
            role,
            copy: RefCell::new(None),
        }
    }

    /// What a pass computes with.
    pub(super) fn used(&self, train: bool) -> Tensor {
        let copy = self.copy.borrow();
        let used = copy.as_ref().filter(|_| train).unwrap_or(&self.value);
        used.shallow_clone()
    }

    /// Whether its layer computes with a copy where there is one: convolutions and linear layers do, norms and scales do not.
    pub(in crate::model) fn takes_copy(&self) -> bool {
        matches!(
            self.role,
            Role::Weight | Role::Bias | Role::HeadWeight | Role::HeadBias
        )
    }

    /// From now on training passes compute with this.
    pub(in crate::model) fn compute_with(&self, copy: Option<Tensor>) {
        *self.copy.borrow_mut() = copy;
    }

    /// Whether passes leave a gradient.
    pub(in crate::model) fn train(&self, on: bool) {
        let _ = self.value.set_requires_grad(on);
        if let Some(copy) = &*self.copy.borrow() {
            let _ = copy.set_requires_grad(on);
        }
    }

    /// Gives the weight of a convolution memory in channels_last order. `set_data` and not a new tensor: an optimizer may already
    /// hold a clone.
    pub(in crate::model) fn channels_last(&self) {
        if self.value.dim() != 4 {
            return;
        }
        let last = self
            .value
            .detach()
            .permute([0, 2, 3, 1])
            .contiguous()
            .permute([0, 3, 1, 2]);
        self.value.shallow_clone().set_data(&last);
    }
}
