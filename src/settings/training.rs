//! Everything about one training that can change its result, shared by `train` and `transfer`.

use serde::{Deserialize, Serialize};

use super::{
    Augment, ClassWeights, Count, Decay, Factor, Loss, Mix, NonNegative, Normalize, Optimizer,
    Positive, Probability, ProgressiveResizing, Sampling, Schedule, Side,
};
use crate::{seed::Seed, text::count};

/// The settings of one training, defaults filled in. The architecture and the data stand beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Passes over the training part.
    pub epochs: Count,
    /// Images in a step; the last, smaller batch of an epoch is used too, unless it is a single image.
    pub batch_size: Count,
    /// The optimizer and its learning rate.
    pub optimizer: Optimizer,
    /// Weight decay of BatchNorms and LayerNorms; the optimizer's own by default.
    pub norm_weight_decay: Option<NonNegative>,
    /// Weight decay of biases, those of norms among them; that of what they belong to by default.
    pub bias_weight_decay: Option<NonNegative>,
    /// Times the learning rate, once for each layer between a parameter and the head.
    pub layer_decay: Factor,
    /// Gradients are scaled down to this norm over all parameters.
    pub clip_grad_norm: Option<Positive>,
    /// Every element of a gradient is brought into ± this.
    pub clip_grad_value: Option<Positive>,
    /// Batches whose gradients make one step of the optimizer: the mean over all their images.
    pub accumulation_steps: Count,
    /// Judge and keep a running mean of the weights instead of the weights themselves.
    pub ema: Option<Ema>,
    /// The learning rate over the epochs.
    pub schedule: Schedule,
    /// The loss.
    pub loss: Loss,
    /// The share of the target spread over all classes (Szegedy et al., 2015).
    pub label_smoothing: Probability,
    /// How much each class counts in the loss; all alike by default.
    pub class_weights: Option<ClassWeights>,
    /// Which images an epoch shows.
    pub sampling: Sampling,
    /// How often an epoch shows an image, each time augmented by itself, of as many times fewer images (Hoffer et al., 2019).
    pub repeated_augmentation: Count,
    /// Augmentations in the order in which they act.
    pub augment: Vec<Augment>,
    /// Mixing of the images of a batch, after `augment`.
    pub mix: Option<Mix>,
    /// Smaller images in the first epochs; where it is not given, the key does without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progressive_resizing: Option<ProgressiveResizing>,
    /// Normalisation of pixels.
    pub normalize: Normalize,
    /// The shorter side in pixels at which validation, evaluation and prediction see an image (Touvron et al., 2019); by default
    /// that of the pack or of the centre crop. Where it is not given, the key does without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_resolution: Option<Side>,
    /// Arithmetic of convolutions and matrix products.
    pub precision: Precision,
    /// Equal bits from equal inputs; on by default. Without it a GPU may choose faster algorithms whose sums have no fixed order, and
    /// cuDNN tries out which those are; a CPU computes as ever. Where it is on, the key does without it.
    #[serde(default = "on", skip_serializing_if = "Clone::clone")]
    pub deterministic: bool,
    /// TF32 on a GPU where arithmetic is f32: ten bits of mantissa in the factors of convolutions and matrix products; off by default.
    /// Where it is off, the key does without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_tf32: bool,
    /// The models of so many last epochs are handed on together, as `kept.safetensors`; where it is not given, the key does without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<Count>,
    /// Stop when validation does not improve.
    pub early_stopping: Option<EarlyStopping>,
    /// The seed of initialisation, order and augmentation.
    pub seed: Seed,
}

const fn on() -> bool {
    true
}

impl Training {
    /// Whether a training of `before` epochs, in everything else like this one, did what this one does up to there. Every setting
    /// whose effect depends on the number of epochs is asked here.
    ///
    /// # Errors
    /// Why not, as the end of a sentence.
    pub fn goes_on_from(&self, before: Count) -> Result<(), String> {
        let off = self.mix.map_or(0, |mix| mix.off_epochs);
        if off > 0 && before != self.epochs {
            return Err(format!(
                "`mix.off_epochs` switches mixing off for the last {off} of {}, which are others of {}",
                count(before.get(), "epoch"),
                self.epochs.get()
            ));
        }
        self.schedule.agrees_up_to(before.get(), self.epochs.get())
    }
}

/// Arithmetic of convolutions and matrix products; parameters and optimizer state are always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// bf16 autocast where the hardware gains by it (CUDA from Ampere on; CPUs with avx512_bf16 or AMX), f32 elsewhere.
    #[default]
    Auto,
    /// f32 everywhere.
    F32,
    /// bf16 autocast everywhere.
    Bf16,
}

/// `ema = { decay = 0.999, warmup = true }`: an exponential moving average of weights and BatchNorm statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ema {
    /// The share of the mean that a step keeps.
    pub decay: Decay,
    /// Keep less in the first steps: 1 - (1 + step)^(-2/3), as timm's `ModelEmaV3`; off by default.
    #[serde(default)]
    pub warmup: bool,
}

/// `early_stopping = { patience = 5 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement before the training ends.
    pub patience: Count,
    /// The least change that counts as an improvement; 0 by default.
    #[serde(default = "zero")]
    pub min_delta: NonNegative,
    /// What must improve; validation top-1 by default.
    #[serde(default)]
    pub monitor: Metric,
}

fn zero() -> NonNegative {
    NonNegative::known(0.0)
}

/// A validation metric: what early stopping watches and what `select` compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// Share of validation images whose first guess is right; higher is better.
    #[default]
    #[serde(rename = "validation.top1")]
    ValidationTop1,
    /// Mean cross entropy on the validation part; lower is better.
    #[serde(rename = "validation.loss")]
    ValidationLoss,
}

impl Metric {
    /// The name as written in a pipeline file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ValidationTop1 => "validation.top1",
            Self::ValidationLoss => "validation.loss",
        }
    }

    /// Whether more is better.
    #[must_use]
    pub const fn higher_is_better(self) -> bool {
        matches!(self, Self::ValidationTop1)
    }
}

/// Which state of a training: the best epoch by validation top-1, or the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checkpoint {
    /// The epoch with the highest validation top-1; the first of equals.
    #[default]
    Best,
    /// The last epoch.
    Last,
}

#[cfg(test)]
impl Training {
    /// Settings with the ones given on top of plain ones, for tests.
    pub(crate) fn plain(given: &serde_json::Value) -> Self {
        let mut all = serde_json::json!({
            "epochs": 1,
            "batch_size": 8,
            "optimizer": { "sgd": { "lr": 0.01 } },
            "norm_weight_decay": null,
            "bias_weight_decay": null,
            "layer_decay": 1.0,
            "clip_grad_norm": null,
            "clip_grad_value": null,
            "accumulation_steps": 1,
            "ema": null,
            "schedule": { "constant": {} },
            "loss": "cross_entropy",
            "label_smoothing": 0.0,
            "class_weights": null,
            "sampling": "shuffle",
            "repeated_augmentation": 1,
            "augment": [],
            "mix": null,
            "normalize": "none",
            "precision": "f32",
            "early_stopping": null,
            "seed": 1,
        });
        for (key, value) in given.as_object().unwrap() {
            all[key] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }
}
