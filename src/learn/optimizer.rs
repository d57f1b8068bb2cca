//! Optimizers with a state that can be saved: libtorch's fused kernels, one call for all parameters.

use tch::{Kind, Tensor};

use crate::{
    error::{Error, Result},
    model::{StateDict, to_data, to_tensor},
    native::{AdamStep, SgdStep, fused_adam, fused_sgd, set_grad},
    settings::Optimizer as Settings,
};

/// An optimizer over the trained parameters of a model.
pub(super) struct Optimizer {
    settings: Settings,
    names: Vec<String>,
    params: Vec<Tensor>,
    /// Momentum buffers, or running means of the gradients; in the memory order of the parameters.
    first: Vec<Tensor>,
    /// Running means of squared gradients.
    second: Vec<Tensor>,
    /// Steps so far, a float scalar beside the parameters.
    count: Tensor,
    /// The learning rate of the next step, a float scalar beside the parameters: a recorded step reads it there.
    lr: Tensor,
}

impl Optimizer {
    /// A fresh one; `params` are leaf tensors that share memory with the model.
    pub(super) fn new(settings: Settings, params: Vec<(String, Tensor)>) -> Result<Self> {
        let device = params.first().map_or(tch::Device::Cpu, |(_, p)| p.device());
        let (names, params): (Vec<_>, Vec<_>) = params.into_iter().unzip();
        let buffers = |wanted: bool| -> Result<Vec<Tensor>> {
            let wanted = if wanted { params.as_slice() } else { &[] };
            let zeros = wanted.iter().map(|p| p.detach().f_zeros_like());
            Ok(zeros.collect::<Result<_, _>>()?)
        };
        let (first, second) = match settings {
            Settings::Sgd(sgd) => (buffers(sgd.momentum.get() > 0.0)?, Vec::new()),
            Settings::Adam(_) | Settings::Adamw(_) => (buffers(true)?, buffers(true)?),
        };
        Ok(Self {
            settings,
            names,
            first,
            second,
            count: Tensor::f_zeros([], (Kind::Float, device))?,
            lr: Tensor::f_full([], settings.lr(), (Kind::Double, tch::Device::Cpu))?
                .f_to_device(device)?
                .f_to_kind(if device.is_cuda() {
                    Kind::Float
                } else {
                    Kind::Double
                })?,
            params,
        })
    }

    /// Forgets all gradients, so that the next backward pass stores instead of adding.
    pub(super) fn clear_gradients(&self) -> Result<()> {
        self.params.iter().try_for_each(|p| set_grad(p, None))
    }

    /// Sets the learning rate of the steps that follow.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn set_lr(&mut self, lr: f64) -> Result<()> {
        let _ = self.lr.f_fill_(lr)?;
        Ok(())
    }

    /// Sets the momentum (SGD) or the first beta (Adam) of the steps that follow; not 0 to begin with for SGD, which else keeps no
    /// buffers for it.
    pub(super) fn set_momentum(&mut self, momentum: f64) {
        self.settings = self.settings.with_momentum(momentum);
    }

    /// Moves every parameter that has a gradient; waits for nothing.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn apply(&mut self) -> Result<()> {
        let adam = |betas: [f64; 2], eps, weight_decay, decoupled| {
            let step = AdamStep {
                lr: &self.lr,
                betas,
                eps,
                weight_decay,
                decoupled,
            };
            fused_adam(&self.params, &self.first, &self.second, &self.count, step)
        };
        match self.settings {
            Settings::Sgd(s) => {
                let step = SgdStep {
                    lr: &self.lr,
                    momentum: s.momentum.get(),
                    weight_decay: s.weight_decay.get(),
                    nesterov: s.nesterov && s.momentum.get() > 0.0,
                };
                fused_sgd(&self.params, &self.first, step)
            }
            Settings::Adam(s) => {
                let betas = s.betas.map(|b| b.get());
                adam(betas, s.eps.get(), s.weight_decay.get(), false)
            }
            Settings::Adamw(s) => {
                let betas = s.betas.map(|b| b.get());
                adam(betas, s.eps.get(), s.weight_decay.get(), true)
            }
        }
    }

    /// Everything that the next step depends on beside the parameters.
    pub(super) fn state(&self) -> StateDict {
        let mut state = StateDict::new();
        state.insert("count", to_data(&self.count));
        for (kind, tensors) in [("first", &self.first), ("second", &self.second)] {
            for (name, tensor) in self.names.iter().zip(tensors) {
                state.insert(format!("{kind}.{name}"), to_data(tensor));
            }
        }
        state
    }

    /// Takes a saved state over; memory order stays that of the parameters.
    ///
    /// # Errors
    /// When a tensor is missing or of another shape.
    pub(super) fn load(&mut self, state: &StateDict) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let copy = |name: &str, to: &mut Tensor| -> Result<()> {
            let from = state.get(name).ok_or_else(|| {
                Error::failed(format!("the optimizer's state has no tensor `{name}`"))
            })?;
            let from = to_tensor(from, to.device());
            if from.size() != to.size() {
                return Err(Error::failed(format!(
                    "the optimizer's tensor `{name}` is of another shape"
                )));
            }
            to.f_copy_(&from)?;
            Ok(())
        };
        copy("count", &mut self.count)?;
        for (kind, tensors) in [("first", &mut self.first), ("second", &mut self.second)] {
            for (name, tensor) in self.names.iter().zip(tensors) {
                copy(&format!("{kind}.{name}"), tensor)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    const START: [f64; 3] = [0.5, -1.25, 2.0];
    const GRADIENTS: [[f64; 3]; 3] = [[0.1, -0.2, 0.3], [-0.4, 0.05, 0.25], [0.02, 0.6, -0.7]];
    /// Repeats of the three numbers: enough for the vector loops of the kernels and a rest behind them.
    const REPEATS: usize = 7;

    fn tensor(three: [f64; 3]) -> Tensor {
        Tensor::from_slice(&three.repeat(REPEATS))
            .to_kind(Kind::Float)
            .to_device(Device::Cpu)
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.detach().to_kind(Kind::Double)).unwrap()
    }

    fn optimizer(settings: &str, params: &[(&str, &Tensor)]) -> Optimizer {
        let params = params
            .iter()
            .map(|(name, param)| ((*name).to_owned(), param.shallow_clone()))
            .collect();
        Optimizer::new(serde_json::from_str(settings).unwrap(), params).unwrap()
    }

    /// The constants are those of PyTorch 2.11, in float64 and without `fused`: for every row
    /// `p = torch.tensor(START, dtype=torch.float64, requires_grad=True)`, the optimizer of that name over `[p]` with
    /// the row's arguments, for each of `GRADIENTS` `p.grad = torch.tensor(g, dtype=torch.float64); o.step()`, then `p`.
    #[test]
    fn three_steps_are_those_of_pytorch() {
        for (settings, wanted) in [
            (r#"{"sgd": {"lr": 0.1}}"#, [0.528, -1.295, 2.015]),
            (
                r#"{"sgd": {"lr": 0.1, "momentum": 0.9}}"#,
                [0.5469, -1.2653, 1.9412],
            ),
            (
                r#"{"sgd": {"lr": 0.1, "momentum": 0.9, "nesterov": true}}"#,
                [0.57021, -1.30877, 1.96208],
            ),
            (
                r#"{"sgd": {"lr": 0.1, "weight_decay": 0.01}}"#,
                [0.5264814895, -1.291288729, 2.009090968],
            ),
            (
                r#"{"sgd": {"lr": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": 0.01}}"#,
                [0.566150962, -1.298913899, 1.946408787],
            ),
            (
                r#"{"adam": {"lr": 0.1}}"#,
                [0.4960525939, -1.151691988, 1.819375725],
            ),
            (
                r#"{"adam": {"lr": 0.1, "weight_decay": 0.01}}"#,
                [0.4932002908, -1.143325381, 1.815255634],
            ),
            (
                r#"{"adamw": {"lr": 0.1}}"#,
                [0.494698043, -1.148192583, 1.813680741],
            ),
            (
                r#"{"adamw": {"lr": 0.1, "weight_decay": 0.1, "betas": [0.8, 0.99], "eps": 1e-3}}"#,
                [0.4885643696, -1.130944928, 1.772757042],
            ),
        ] {
            let param = tensor(START).set_requires_grad(true);
            let mut optimizer = optimizer(settings, &[("p", &param)]);
            let lr = optimizer.settings.lr();
            for gradient in GRADIENTS {
                optimizer.clear_gradients().unwrap();
                set_grad(&param, Some(&tensor(gradient))).unwrap();
                optimizer.set_lr(lr).unwrap();
                optimizer.apply().unwrap();
            }
            for (found, wanted) in values(&param).iter().zip(wanted.repeat(REPEATS)) {
                assert!(
                    (found - wanted).abs() <= 1e-6 * wanted.abs(),
                    "{settings}: {found} instead of {wanted}"
                );
            }
        }
    }

    #[test]
    fn a_parameter_without_a_gradient_stays_bit_equal() {
        for settings in [
            r#"{"sgd": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}}"#,
            r#"{"adam": {"lr": 0.1, "weight_decay": 0.01}}"#,
            r#"{"adamw": {"lr": 0.1}}"#,
        ] {
            let still = tensor(START).set_requires_grad(true);
            let moving = tensor(START).set_requires_grad(true);
            let mut optimizer = optimizer(settings, &[("still", &still), ("moving", &moving)]);
            let before = optimizer.state().get("first.still").cloned();
            set_grad(&moving, Some(&tensor(GRADIENTS[0]))).unwrap();
            optimizer.set_lr(0.1).unwrap();
            optimizer.apply().unwrap();
            assert_eq!(values(&still), START.repeat(REPEATS), "{settings}");
            assert_ne!(values(&moving), START.repeat(REPEATS), "{settings}");
            assert!(before.is_some());
            assert_eq!(optimizer.state().get("first.still").cloned(), before);
        }
    }
}
