//! The loss of a batch.

use std::collections::BTreeMap;

use tch::{Device, Kind, Reduction, Tensor};

use crate::{
    error::{Error, Result},
    learn::{
        feed::{Inputs, Targets, one_hot},
        judge::cross_entropy,
    },
    name::nfc,
    settings::{Bce, ClassWeights, Loss, Training},
    text::first_few,
};

/// What a training minimises.
pub(crate) struct Criterion {
    loss: Loss,
    label_smoothing: f64,
    /// f32 [classes] on the device.
    weights: Option<Tensor>,
}

impl Criterion {
    /// The loss of a training.
    ///
    /// # Errors
    /// When `class_weights` names a class that the data set has not, or libtorch refuses.
    pub(crate) fn of(training: &Training, inputs: &Inputs, device: Device) -> Result<Self> {
        let weights = match &training.class_weights {
            None => None,
            Some(weights) => {
                let weights = class_weights(weights, &inputs.classes, &inputs.train_counts())?;
                Some(Tensor::f_from_slice(&weights)?.f_to_device(device)?)
            }
        };
        Ok(Self::with(training, weights))
    }

    /// With these weights of classes, whatever the training says of them.
    fn with(training: &Training, weights: Option<Tensor>) -> Self {
        Self {
            loss: training.loss,
            label_smoothing: training.label_smoothing.get(),
            weights,
        }
    }

    /// The mean loss over a batch, a scalar with a gradient; `logits` are f32 [n, classes].
    ///
    /// Weights of classes act as in PyTorch: cross entropy of classes divides by the weights of its images, every other loss by
    /// their number.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn loss(&self, logits: &Tensor, targets: &Targets) -> Result<Tensor> {
        match self.loss {
            Loss::CrossEntropy => {
                let targets = targets.soft.as_ref().unwrap_or(&targets.classes);
                cross_entropy(logits, targets, self.weights.as_ref(), self.label_smoothing)
            }
            Loss::Focal(focal) => {
                let log = logits.f_log_softmax(1, Kind::Float)?;
                // 1 - p without the digits that p near 1 loses; kept off 0, where a power below 1 has no derivative.
                let miss = log.f_expm1()?.f_neg()?.f_clamp_min(1e-12)?;
                let easy = miss.f_pow_tensor_scalar(focal.gamma.get())?;
                let mut each = self.target(logits, targets)?.f_mul(&log)?.f_mul(&easy)?;
                if let Some(weights) = &self.weights {
                    each = each.f_mul(weights)?;
                }
                let n = logits.size2()?.0 as f64;
                Ok(each.f_sum(Kind::Float)?.f_div_scalar(-n)?)
            }
            Loss::Bce(settings) => self.binary(logits, &self.target(logits, targets)?, settings),
        }
    }

    fn binary(&self, logits: &Tensor, target: &Tensor, settings: Bce) -> Result<Tensor> {
        let target = match settings.target_threshold {
            Some(threshold) => target.f_gt(threshold.get())?.f_to_kind(Kind::Float)?,
            None => target.shallow_clone(),
        };
        let loss = |reduction| {
            let weights = self.weights.as_ref();
            logits.f_binary_cross_entropy_with_logits(&target, weights, None, reduction)
        };
        if settings.sum_classes {
            let sums = loss(Reduction::None)?.f_sum_dim_intlist(
                [-1_i64].as_slice(),
                false,
                None::<Kind>,
            )?;
            return Ok(sums.f_mean(Kind::Float)?);
        }
        Ok(loss(Reduction::Mean)?)
    }

    /// The smoothed target distribution, f32 [n, classes].
    fn target(&self, logits: &Tensor, targets: &Targets) -> Result<Tensor> {
        let target = match &targets.soft {
            Some(soft) => soft.shallow_clone(),
            None => one_hot(&targets.classes, logits.size2()?.1)?,
        };
        if self.label_smoothing == 0.0 {
            return Ok(target);
        }
        let off = self.label_smoothing / logits.size2()?.1 as f64;
        Ok(target
            .f_mul_scalar(1.0 - self.label_smoothing)?
            .f_add_scalar(off)?)
    }
}

/// The weight of each class, for these counts of training images.
fn class_weights(weights: &ClassWeights, classes: &[String], counts: &[u64]) -> Result<Vec<f32>> {
    match weights {
        ClassWeights::Balanced => {
            let present = counts.iter().filter(|count| **count > 0).count() as f64;
            let images = counts.iter().sum::<u64>() as f64;
            // A class without an image has no weight by the rule, and none of its images to use it on.
            let of = |count: &u64| match count {
                0 => 1.0,
                count => (images / (present * *count as f64)) as f32,
            };
            Ok(counts.iter().map(of).collect())
        }
        ClassWeights::Given(given) => {
            let given: BTreeMap<String, f32> = given
                .iter()
                .map(|(name, weight)| (nfc(name), weight.get() as f32))
                .collect();
            if let Some(name) = given.keys().find(|name| !classes.contains(name)) {
                return Err(Error::usage(format!(
                    "`class_weights` names `{name}`, and the data set has no such class"
                ))
                .help(format!("its classes are {}", listed(classes))));
            }
            let of = |class: &String| given.get(class).copied().unwrap_or(1.0);
            Ok(classes.iter().map(of).collect())
        }
    }
}

fn listed(classes: &[String]) -> String {
    first_few(classes.iter().map(String::as_str), 10)
}

#[cfg(test)]
pub(crate) mod tests;
