//! What the steps of a training change: the model, the optimizer, the tally.

use super::{ema::Ema, loader::Batch, optimizer::Optimizer, step::Stepper};
use crate::{
    error::{Error, Result},
    model::{ResNet, StateDict},
};

/// The model and everything that moves it.
pub(super) struct Learner {
    pub(super) model: ResNet,
    pub(super) optimizer: Optimizer,
    pub(super) stepper: Stepper,
}

/// The group of the model's tensors.
pub(super) const WEIGHTS: &str = "weights";
/// The group of the optimizer's tensors.
pub(super) const OPTIMIZER: &str = "optimizer";

/// Tensors by group: each group is saved in a file of its own.
pub(super) type Groups = Vec<(&'static str, StateDict)>;

impl Learner {
    /// Moves the model by one batch at this learning rate.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn step(&mut self, batch: &Batch, lr: f64) -> Result<()> {
        self.stepper
            .step(&self.model, &mut self.optimizer, batch, lr)
    }

    /// The model that validates and is kept: the mean of weights where there is one.
    pub(super) fn judged(&self) -> &ResNet {
        self.stepper.ema().map_or(&self.model, Ema::mean)
    }

    /// All tensors that the next step depends on, copied from the device.
    pub(super) fn groups(&self) -> Groups {
        let mut optimizer = self.optimizer.state();
        if let Some(ema) = self.stepper.ema() {
            ema.save(&self.model, &mut optimizer);
        }
        vec![(WEIGHTS, self.judged().state()), (OPTIMIZER, optimizer)]
    }

    /// Takes saved tensors over, in their present places; `group` gives those of a name.
    ///
    /// # Errors
    /// When a group or a tensor is missing, or of another shape.
    pub(super) fn load(&mut self, group: impl Fn(&str) -> Result<Option<StateDict>>) -> Result<()> {
        let need = |name: &str| {
            group(name)?.ok_or_else(|| Error::failed(format!("the saved state has no {name}")))
        };
        let (weights, optimizer) = (need(WEIGHTS)?, need(OPTIMIZER)?);
        match self.stepper.ema_mut() {
            Some(ema) => ema.load(&weights, &mut self.model, &optimizer)?,
            None => self.model.load_state(&weights)?,
        }
        self.optimizer.load(&optimizer)
    }
}
