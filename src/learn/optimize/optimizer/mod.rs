//! Optimizers with a state that can be saved, over flat parameters and gradients.
//!
//! The trained parameters of a model lie in one buffer and their gradients in another, group behind group; the model's tensors are
//! views of the former. So a step is one call for a group, whatever the network. A backward pass hands its gradients over as
//! tensors of their own (autograd would else add each to zeros), which are brought into the flat ones together. In bf16 that is
//! where they become f32, and the passes compute with a bf16 copy of all parameters that is made at once: both conversions are
//! none of autocast's, which would take a call for each weight.

mod flat;
mod group;
mod rules;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, mem};

use tch::{Device, Kind, Tensor};

use self::{
    flat::Flat,
    group::{Group, shares},
};
use crate::{
    error::{Error, Result},
    model::{Network, StateDict, layout::Layout, to_data, to_tensor},
    native::{clip_grad_norm, clip_grad_value, collect_gradients, set_grad},
    settings::{Optimizer as Settings, Training},
};

/// An optimizer over the trained parameters of a model.
pub(crate) struct Optimizer {
    settings: Settings,
    /// `clip_grad_norm` of the training.
    max_norm: Option<f64>,
    /// `clip_grad_value` of the training.
    max_value: Option<f64>,
    /// All parameters, f32.
    values: Tensor,
    /// The same in bf16, where the passes compute with them.
    halves: Option<Tensor>,
    groups: Vec<Group>,
    /// Those of the present step, for each group; none between two steps.
    gradients: Vec<Flat>,
    /// The group of each parameter and its place there, in the model's order: in that PyTorch sums norms.
    order: Vec<(usize, usize)>,
}

impl Optimizer {
    /// A fresh one over the trained parameters of a model, which move to a buffer of their own. `by_layer`: layers come to be
    /// trained one after the other, so that each counts its own steps. `bf16`: training passes compute with bf16 copies.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn of(
        training: &Training,
        model: &mut Network,
        by_layer: bool,
        bf16: bool,
    ) -> Result<Self> {
        let mut optimizer = Self::new(training, model.trainable(), &model.layout(), by_layer)?;
        if bf16 {
            optimizer.halve(model)?;
        }
        Ok(optimizer)
    }

    /// As [`Optimizer::of`], of leaf tensors that share memory with the model.
    fn new(
        training: &Training,
        params: Vec<(String, Tensor)>,
        layout: &Layout,
        by_layer: bool,
    ) -> Result<Self> {
        let settings = training.optimizer;
        let moved = training.schedule.max_momentum();
        let settings = moved.map_or(settings, |momentum| settings.with_momentum(momentum));
        let device = params.first().map_or(Device::Cpu, |(_, p)| p.device());
        let total: usize = params.iter().map(|(_, p)| p.numel()).sum();
        let order: Vec<_> = params.iter().map(|(name, _)| name.clone()).collect();
        let values = Tensor::f_zeros([total as i64], (Kind::Float, device))?;
        let (mut groups, mut start) = (Vec::new(), 0);
        for share in shares(training, params, layout, by_layer) {
            let length: usize = share.params.iter().map(|(_, p)| p.numel()).sum();
            let place = values.f_narrow(0, start, length as i64)?;
            groups.push(Group::new(&settings, share, place)?);
            start += length as i64;
        }
        let place = |name| {
            let places = groups
                .iter()
                .map(|g: &Group| g.names.iter().position(|n| n == name));
            places.enumerate().find_map(|(g, place)| Some((g, place?)))
        };
        let order = order.iter().filter_map(place).collect();
        Ok(Self {
            settings,
            max_norm: training.clip_grad_norm.map(|v| v.get()),
            max_value: training.clip_grad_value.map(|v| v.get()),
            values,
            halves: None,
            groups,
            gradients: Vec::new(),
            order,
        })
    }

    /// Lets the model's training passes compute with bf16 copies of the weights of convolutions and head: gradients arrive there.
    fn halve(&mut self, model: &mut Network) -> Result<()> {
        let halves = self.values.f_to_kind(Kind::BFloat16)?;
        let flats = self.stretches(&halves)?;
        let mut leaves = HashMap::new();
        for (group, flat) in self.groups.iter_mut().zip(flats) {
            let named = group.names.iter().zip(&mut group.leaves).zip(flat.pieces);
            leaves.extend(named.map(|((name, leaf), half)| (name.as_str(), (leaf, half))));
        }
        model.compute_with(&mut |name| {
            let (leaf, half) = leaves.get_mut(name)?;
            **leaf = half.set_requires_grad(leaf.requires_grad());
            Some(leaf.shallow_clone())
        });
        self.halves = Some(halves);
        Ok(())
    }

    /// Before the first pass of a step: what is computed with follows the parameters, wherever they were changed.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let leaves = self.groups.iter().flat_map(|group| &group.leaves);
        // Of a pass that failed.
        leaves.into_iter().try_for_each(|l| set_grad(l, None))?;
        if let Some(halves) = &mut self.halves {
            let _guard = tch::no_grad_guard();
            halves.f_copy_(&self.values)?;
        }
        Ok(())
    }

    /// Takes the gradients that a backward pass left; `first` of a step, or more of it.
    ///
    /// # Errors
    /// When the pass left no gradient for a parameter, or libtorch refuses.
    pub(crate) fn collect(&mut self, first: bool) -> Result<()> {
        if first {
            self.gradients = self.stretches(&self.values.f_empty_like()?)?;
        }
        let leaves = self.moving(|g| &self.groups[g].leaves);
        collect_gradients(&leaves, &self.gradients(), !first)
    }

    /// The gradients that were collected, a tensor for each parameter that is trained now, in the model's order.
    fn gradients(&self) -> Vec<Tensor> {
        self.moving(|g| &self.gradients[g].pieces)
    }

    /// One of these of the groups for each parameter that is trained now, in the model's order.
    fn moving<'a>(&'a self, of: impl Fn(usize) -> &'a [Tensor]) -> Vec<Tensor> {
        let all = self.order.iter().copied();
        let moving = all.filter(|&(g, _)| self.groups[g].trains());
        moving.map(|(g, i)| of(g)[i].shallow_clone()).collect()
    }

    /// The stretches of a buffer as long as all parameters, one for each group.
    fn stretches(&self, all: &Tensor) -> Result<Vec<Flat>> {
        let mut start = 0;
        let groups = self.groups.iter().map(|group| {
            let length = group.params.whole.numel() as i64;
            start += length;
            let whole = all.f_narrow(0, start - length, length)?;
            Flat::new(whole, &group.params.pieces)
        });
        groups.collect()
    }

    /// Sets the learning rate of the steps that follow.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn set_lr(&mut self, lr: f64) -> Result<()> {
        for group in &mut self.groups {
            let _ = group.lr.f_fill_(lr * group.lr_factor)?;
        }
        Ok(())
    }

    /// Sets the momentum (SGD, RMSprop) or the first beta (Adam, LAMB) of the steps that follow; not 0 to begin with for the
    /// former two, which else keep no buffers for it.
    pub(crate) fn set_momentum(&mut self, momentum: f64) {
        self.settings = self.settings.with_momentum(momentum);
    }

    /// Clips the collected gradients where the training says so, and moves every parameter that is trained now; waits for nothing.
    ///
    /// # Errors
    /// When libtorch refuses.
    ///
    /// # Panics
    /// When no gradients were collected.
    pub(crate) fn apply(&mut self) -> Result<()> {
        let all = self.gradients();
        // Given back with the step: the activations of the next one may take their place.
        let gradients = mem::take(&mut self.gradients);
        let groups = self.groups.iter().zip(&gradients);
        let groups: Vec<_> = groups.filter(|(group, _)| group.trains()).collect();
        if let Some(value) = self.max_value {
            for (_, gradients) in &groups {
                clip_grad_value(&gradients.whole, value)?;
            }
        }
        if let Some(norm) = self.max_norm {
            clip_grad_norm(&all, norm)?;
        }
        rules::rule(&self.settings).step(&groups, &all)
    }

    /// Everything that the next step depends on beside the parameters.
    pub(crate) fn state(&self) -> StateDict {
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
    pub(crate) fn load(&mut self, state: &StateDict) -> Result<()> {
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
            for (kind, flat) in &group.state {
                let named = group.names.iter().zip(&flat.pieces);
                all.extend(named.map(|(name, tensor)| (format!("{kind}.{name}"), tensor)));
            }
        }
        all
    }
}
