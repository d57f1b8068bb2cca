//! BatchNorm as in PyTorch: momentum 0.1, epsilon 1e-5 (Ioffe and Szegedy, 2015).

use std::cell::Cell;

use tch::Tensor;

use super::{
    super::StateDict,
    Item,
    tensor::{self, Source},
};
use crate::native::norm_act;

const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;

/// Normalises each channel of [n, c, h, w].
pub(super) struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    /// Training batches seen. Kept by the host: PyTorch's tensor costs a kernel for each layer and step.
    batches: Cell<i64>,
    /// How far the running statistics move to those of a batch.
    momentum: Cell<f64>,
    /// Statistics stand still, also while the rest is trained.
    frozen: bool,
}

impl BatchNorm {
    pub(super) fn new(source: &Source<'_>, name: &str) -> Self {
        Self {
            weight: source.parameter(&format!("{name}.weight")),
            bias: source.parameter(&format!("{name}.bias")),
            running_mean: source.buffer(&format!("{name}.running_mean")),
            running_var: source.buffer(&format!("{name}.running_var")),
            batches: Cell::new(source.count(&format!("{name}.num_batches_tracked"))),
            momentum: Cell::new(MOMENTUM),
            frozen: false,
        }
    }

    /// `residual`, where there is one, is added to the normalised; the sum is rectified where `rectify`.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        residual: Option<&Tensor>,
        rectify: bool,
        train: bool,
    ) -> Tensor {
        let train = train && !self.frozen;
        if train {
            self.batches.set(self.batches.get() + 1);
            let tensors = [
                &self.weight,
                &self.bias,
                &self.running_mean,
                &self.running_var,
            ];
            // As tch's own functions do: an error of libtorch is a panic, which the worker makes an error again.
            let done = norm_act(x, tensors, residual, rectify, self.momentum.get(), EPSILON)
                .unwrap_or_else(|error| panic!("{error}"));
            if let Some(done) = done {
                return done;
            }
        }
        let mut y = x.batch_norm(
            Some(&self.weight),
            Some(&self.bias),
            Some(&self.running_mean),
            Some(&self.running_var),
            train,
            self.momentum.get(),
            EPSILON,
            true,
        );
        // In place where autograd allows: BatchNorm keeps its input, not its output.
        if let Some(residual) = residual {
            y = y.g_add_(residual);
        }
        if rectify { y.relu_() } else { y }
    }

    /// From now on statistics move by this share to those of a batch; `None` as in training.
    pub(super) fn follow(&self, share: Option<f64>) {
        self.momentum.set(share.unwrap_or(MOMENTUM));
    }

    /// Counts `by` training batches that this model did not see itself: those of a recorded step.
    pub(super) fn count(&self, by: i64) {
        if !self.frozen {
            self.batches.set(self.batches.get() + by);
        }
    }

    /// Takes over the count of another one.
    pub(super) fn take_count(&self, from: &Self) {
        self.batches.set(from.batches.get());
    }

    /// Gives nothing at first but its bias. To be called without gradients.
    pub(super) fn zero_weight(&mut self) {
        let _ = self.weight.zero_();
    }

    pub(super) fn train(&mut self, on: bool) {
        self.frozen = !on;
        let _ = self.weight.set_requires_grad(on);
        let _ = self.bias.set_requires_grad(on);
    }

    pub(super) fn load(&mut self, state: &StateDict, name: &str) {
        tensor::copy(&mut self.weight, state, &format!("{name}.weight"));
        tensor::copy(&mut self.bias, state, &format!("{name}.bias"));
        tensor::copy(
            &mut self.running_mean,
            state,
            &format!("{name}.running_mean"),
        );
        tensor::copy(&mut self.running_var, state, &format!("{name}.running_var"));
        self.batches
            .set(tensor::count(state, &format!("{name}.num_batches_tracked")));
    }

    pub(super) fn visit(&self, name: &str, see: &mut dyn FnMut(String, Item<'_>)) {
        see(format!("{name}.weight"), Item::Tensor(&self.weight));
        see(format!("{name}.bias"), Item::Tensor(&self.bias));
        see(
            format!("{name}.running_mean"),
            Item::Tensor(&self.running_mean),
        );
        see(
            format!("{name}.running_var"),
            Item::Tensor(&self.running_var),
        );
        see(
            format!("{name}.num_batches_tracked"),
            Item::Count(self.batches.get()),
        );
    }
}
