//! What a network is built from.

use std::collections::HashMap;

use tch::{Device, Kind, Tensor};

use super::{
    super::{
        StateDict, TensorData,
        layout::{Role, Slot},
        tensor::to_tensor,
    },
    Parameter,
};

/// A checked state dict: every name of the layout is there.
pub(in crate::model) struct Source<'a> {
    state: &'a StateDict,
    roles: HashMap<&'a str, Role>,
    device: Device,
}

impl<'a> Source<'a> {
    pub(in crate::model) fn new(state: &'a StateDict, slots: &'a [Slot], device: Device) -> Self {
        let roles = slots.iter().map(|slot| (slot.name.as_str(), slot.role));
        Self {
            state,
            roles: roles.collect(),
            device,
        }
    }

    /// Whether there is a tensor of that name.
    pub(in crate::model) fn has(&self, name: &str) -> bool {
        self.state.get(name).is_some()
    }

    /// A buffer: f32, without gradient.
    pub(super) fn buffer(&self, name: &str) -> Tensor {
        to_tensor(entry(self.state, name), self.device).to_kind(Kind::Float)
    }

    /// A parameter: f32, with gradient.
    pub(in crate::model) fn parameter(&self, name: &str) -> Parameter {
        let role = self.roles.get(name).copied().unwrap_or(Role::Weight);
        Parameter::new(self.buffer(name).set_requires_grad(true), role)
    }

    /// An i64 scalar.
    pub(super) fn count(&self, name: &str) -> i64 {
        entry(self.state, name).as_i64().unwrap_or_default()
    }
}

/// A tensor of a checked state dict.
pub(in crate::model) fn entry<'a>(state: &'a StateDict, name: &str) -> &'a TensorData {
    // `file::check` and `init::state` give every name of the layout.
    state
        .get(name)
        .expect("the state dict was checked against the layout")
}
