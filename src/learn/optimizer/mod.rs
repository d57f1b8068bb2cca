//! Optimizers with a state that can be saved.

mod group;
mod rules;
#[cfg(test)]
mod tests;

use tch::{Device, Tensor};

use self::group::{Group, shares};
use crate::{
    error::{Error, Result},
    model::{StateDict, to_data, to_tensor},
    native::{clip_grad_norm, clip_grad_value, set_grad},
    settings::{Optimizer as Settings, Training},
};

/// An optimizer over the trained parameters of a model.
pub(super) struct Optimizer {
    settings: Settings,
    /// `clip_grad_norm` of the training.
    max_norm: Option<f64>,
    /// `clip_grad_value` of the training.
    max_value: Option<f64>,
    /// In the model's order.
    params: Vec<Tensor>,
    groups: Vec<Group>,
}

impl Optimizer {
    /// A fresh one; `params` are leaf tensors that share memory with the model. `by_layer`: layers come to be trained one after
    /// the other, so that each counts its own steps.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn new(
        training: &Training,
        params: Vec<(String, Tensor)>,
        by_layer: bool,
    ) -> Result<Self> {
        let settings = training.optimizer;
        let moved = training.schedule.max_momentum();
        let settings = moved.map_or(settings, |momentum| settings.with_momentum(momentum));
        let device = params.first().map_or(Device::Cpu, |(_, p)| p.device());
        let all = params.iter().map(|(_, p)| p.shallow_clone()).collect();
        let groups = shares(training, params, by_layer);
        Ok(Self {
            settings,
            max_norm: training.clip_grad_norm.map(|v| v.get()),
            max_value: training.clip_grad_value.map(|v| v.get()),
            params: all,
            groups: groups
                .into_iter()
                .map(|share| Group::new(&settings, share, device))
                .collect::<Result<_>>()?,
        })
    }

    /// Forgets all gradients, so that the next backward pass stores instead of adding.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn clear_gradients(&self) -> Result<()> {
        self.params.iter().try_for_each(|p| set_grad(p, None))
    }

    /// Sets the learning rate of the steps that follow.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn set_lr(&mut self, lr: f64) -> Result<()> {
        for group in &mut self.groups {
            let _ = group.lr.f_fill_(lr * group.lr_factor)?;
        }
        Ok(())
    }

    /// Sets the momentum (SGD, RMSprop) or the first beta (Adam, LAMB) of the steps that follow; not 0 to begin with for the
    /// former two, which else keep no buffers for it.
    pub(super) fn set_momentum(&mut self, momentum: f64) {
        self.settings = self.settings.with_momentum(momentum);
    }

    /// Clips the gradients where the training says so, and moves every parameter that has one; waits for nothing.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn apply(&mut self) -> Result<()> {
        if let Some(value) = self.max_value {
            clip_grad_value(&self.params, value)?;
        }
        if let Some(norm) = self.max_norm {
            clip_grad_norm(&self.params, norm)?;
        }
        rules::step(&self.settings, &self.params, &self.groups)
    }

    /// Everything that the next step depends on beside the parameters.
    pub(super) fn state(&self) -> StateDict {
        let mut state = StateDict::new();
        for (name, tensor) in self.tensors() {
            state.insert(name, to_data(tensor));
        }
        state
    }

    /// Takes a saved state over; memory order stays that of the parameters.
    ///
    /// # Errors
    /// When a tensor is missing or of another shape.
    pub(super) fn load(&mut self, state: &StateDict) -> Result<()> {
        let _guard = tch::no_grad_guard();
        for (name, to) in self.tensors() {
            let from = state.get(&name).ok_or_else(|| {
                Error::failed(format!("the optimizer's state has no tensor `{name}`"))
            })?;
            let from = to_tensor(from, to.device());
            if from.size() != to.size() {
                return Err(Error::failed(format!(
                    "the optimizer's tensor `{name}` is of another shape"
                )));
            }
            to.shallow_clone().f_copy_(&from)?;
        }
        Ok(())
    }

    /// The tensors of the state by name: `step.0` for a group, `exp_avg.conv1.weight` for a parameter.
    fn tensors(&self) -> Vec<(String, &Tensor)> {
        let mut all = Vec::new();
        for (i, group) in self.groups.iter().enumerate() {
            all.push((format!("step.{i}"), &group.count));
            for (kind, tensors) in &group.state {
                let named = group.names.iter().zip(tensors);
                all.extend(named.map(|(name, tensor)| (format!("{kind}.{name}"), tensor)));
            }
        }
        all
    }
}
