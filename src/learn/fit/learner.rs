//! What the steps of a training change: the model, the optimizer, the tally.

use super::{criterion::Criterion, ema::Ema, step::Stepper};
use crate::{
    error::{Error, Result},
    learn::{
        feed::{Batch, Inputs},
        judge::Arithmetic,
        optimize::Optimizer,
    },
    model::{Network, StateDict},
    settings::Training,
};

/// The model and everything that moves it.
pub(crate) struct Learner {
    pub(crate) model: Network,
    pub(crate) optimizer: Optimizer,
    pub(crate) stepper: Stepper,
}

/// The group of the model's tensors.
pub(crate) const WEIGHTS: &str = "weights";
/// The group of the optimizer's tensors.
pub(crate) const OPTIMIZER: &str = "optimizer";

/// Tensors by group: each group is saved in a file of its own.
pub(crate) type Groups = Vec<(&'static str, StateDict)>;

impl Learner {
    /// Before the first step. `by_layer`: layers come to be trained one after the other.
    ///
    /// # Errors
    /// When the training's class weights do not fit the classes, or libtorch refuses.
    pub(crate) fn new(
        training: &Training,
        by_layer: bool,
        inputs: &Inputs,
        mut model: Network,
        arithmetic: Arithmetic,
    ) -> Result<Self> {
        let optimizer = Optimizer::of(training, &mut model, by_layer, arithmetic.bf16)?;
        let ema = training.ema;
        let ema = ema.map(|settings| Ema::new(settings, &model)).transpose()?;
        let criterion = Criterion::of(training, inputs, arithmetic.device)?;
        let accumulation = training.accumulation_steps.get();
        let mut stepper = Stepper::new(criterion, arithmetic, accumulation, ema)?;
        if training.schedule.max_momentum().is_some() {
            stepper = stepper.unrecorded();
        }
        Ok(Self {
            model,
            optimizer,
            stepper,
        })
    }

    /// Moves the model by one batch at this learning rate.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn step(&mut self, batch: &Batch, lr: f64) -> Result<()> {
        self.stepper
            .step(&self.model, &mut self.optimizer, batch, lr)
    }

    /// The model that validates and is kept: the mean of weights where there is one.
    pub(crate) fn judged(&self) -> &Network {
        self.stepper.ema().map_or(&self.model, Ema::mean)
    }

    /// All tensors that the next step depends on, copied from the device.
    pub(crate) fn groups(&self) -> Groups {
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
    pub(crate) fn load(&mut self, group: impl Fn(&str) -> Result<Option<StateDict>>) -> Result<()> {
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
