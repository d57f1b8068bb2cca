//! BatchNorm as in PyTorch: momentum 0.1, epsilon 1e-5 (Ioffe and Szegedy, 2015).

use std::{cell::Cell, rc::Rc};

use tch::Tensor;

use super::{Item, Parameter, See, Source};
use crate::native::norm_act;

const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;

/// Normalises each channel of [n, c, h, w].
pub(in crate::model) struct BatchNorm {
    weight: Parameter,
    bias: Parameter,
    running_mean: Tensor,
    running_var: Tensor,
    counts: Rc<Counts>,
}

/// What the host keeps of a BatchNorm: it is shared with the network, which counts for recorded steps.
pub(in crate::model) struct Counts {
    /// Training batches seen. PyTorch's tensor costs a kernel for each layer and step.
    batches: Cell<i64>,
    /// How far the running statistics move to those of a batch.
    momentum: Cell<f64>,
    /// Statistics stand still, also while the rest is trained.
    frozen: Cell<bool>,
}

impl Counts {
    /// Training batches seen.
    pub(in crate::model) fn batches(&self) -> i64 {
        self.batches.get()
    }

    /// Takes over a number of batches.
    pub(in crate::model) fn set(&self, batches: i64) {
        self.batches.set(batches);
    }

    /// Counts `by` training batches that the layer did not see itself: those of a recorded step.
    pub(in crate::model) fn count(&self, by: i64) {
        if !self.frozen.get() {
            self.batches.set(self.batches.get() + by);
        }
    }

    /// From now on statistics move by this share to those of a batch; `None` as in training.
    pub(in crate::model) fn follow(&self, share: Option<f64>) {
        self.momentum.set(share.unwrap_or(MOMENTUM));
    }

    /// Whether statistics move.
    pub(in crate::model) fn train(&self, on: bool) {
        self.frozen.set(!on);
    }
}

impl BatchNorm {
    pub(in crate::model) fn new(source: &Source<'_>, name: &str) -> Self {
        Self {
            weight: source.parameter(&format!("{name}.weight")),
            bias: source.parameter(&format!("{name}.bias")),
            running_mean: source.buffer(&format!("{name}.running_mean")),
            running_var: source.buffer(&format!("{name}.running_var")),
            counts: Rc::new(Counts {
                batches: Cell::new(source.count(&format!("{name}.num_batches_tracked"))),
                momentum: Cell::new(MOMENTUM),
                frozen: Cell::new(false),
            }),
        }
    }

    /// `residual`, where there is one, is added to the normalised; the sum is rectified where `rectify`.
    pub(in crate::model) fn forward(
        &self,
        x: &Tensor,
        residual: Option<&Tensor>,
        rectify: bool,
        train: bool,
    ) -> Tensor {
        let train = train && !self.counts.frozen.get();
        let momentum = self.counts.momentum.get();
        if train {
            self.counts.count(1);
            let tensors = [
                &self.weight.value,
                &self.bias.value,
                &self.running_mean,
                &self.running_var,
            ];
            // As tch's own functions do: an error of libtorch is a panic, which the worker makes an error again.
            let done = norm_act(x, tensors, residual, rectify, momentum, EPSILON)
                .unwrap_or_else(|error| panic!("{error}"));
            if let Some(done) = done {
                return done;
            }
        }
        let mut y = x.batch_norm(
            Some(&self.weight.value),
            Some(&self.bias.value),
            Some(&self.running_mean),
            Some(&self.running_var),
            train,
            momentum,
            EPSILON,
            true,
        );
        // In place where autograd allows: BatchNorm keeps its input, not its output.
        if let Some(residual) = residual {
            y = y.g_add_(residual);
        }
        if rectify { y.relu_() } else { y }
    }

    pub(in crate::model) fn visit(&self, name: &str, see: &mut See<'_>) {
        see(format!("{name}.weight"), Item::Parameter(&self.weight));
        see(format!("{name}.bias"), Item::Parameter(&self.bias));
        let mean = Item::Statistic(&self.running_mean);
        see(format!("{name}.running_mean"), mean);
        see(
            format!("{name}.running_var"),
            Item::Statistic(&self.running_var),
        );
        let counts = Item::Counts(&self.counts);
        see(format!("{name}.num_batches_tracked"), counts);
    }
}
