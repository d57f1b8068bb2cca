//! Everything about one training that can change its result, shared by `train` and `transfer`.

use super::{
    Augment, ClassWeights, Count, Decay, Factor, Loss, Mix, NonNegative, Normalize, Optimizer,
    Positive, Probability, ProgressiveResizing, Sampling, Schedule, Side,
    declare::{settings, words},
};
use crate::{seed::Seed, text::count};

settings! {
    /// The settings of one training, defaults filled in. The architecture and the data stand beside it.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Training read as TrainingRead {
        /// Passes over the training part.
        pub epochs: Count,
        /// Images in a step; the last, smaller batch of an epoch is used too, unless it is a single image.
        pub batch_size: Count = Count::known(32),
        /// The optimizer and its learning rate.
        pub optimizer: Optimizer,
        /// Weight decay of BatchNorms and LayerNorms.
        #[unset = "the optimizer's"]
        pub norm_weight_decay: Option<NonNegative>,
        /// Weight decay of biases, those of norms among them.
        #[unset = "that of what they belong to"]
        pub bias_weight_decay: Option<NonNegative>,
        /// Times the learning rate, once for each layer between a parameter and the head.
        pub layer_decay: Factor = Factor::known(1.0),
        /// Gradients are scaled down to this norm over all parameters.
        pub clip_grad_norm: Option<Positive>,
        /// Every element of a gradient is brought into ± this, before `clip_grad_norm`.
        pub clip_grad_value: Option<Positive>,
        /// Batches whose gradients make one step of the optimizer: the mean over all their images.
        pub accumulation_steps: Count = Count::known(1),
        /// Judge and keep a running mean of the weights instead of the weights themselves.
        pub ema: Option<Ema>,
        /// The learning rate over the epochs.
        #[unset = "constant"]
        pub schedule: Schedule = Schedule::default(),
        /// The loss.
        pub loss: Loss = Loss::CrossEntropy,
        /// The share of the target spread over all classes (Szegedy et al., 2015).
        pub label_smoothing: Probability = Probability::known(0.0),
        /// How much each class counts in the loss.
        #[accepts = "`\"balanced\"` or weights by class such as `{ bibimbap = 2.0 }`"]
        #[unset = "all alike"]
        pub class_weights: Option<ClassWeights>,
        /// Which images an epoch shows.
        pub sampling: Sampling = Sampling::Shuffle,
        /// How often an epoch shows an image, each time augmented by itself, of as many times fewer images (Hoffer et al., 2019).
        pub repeated_augmentation: Count = Count::known(1),
        /// Augmentations in the order in which they act.
        #[accepts = "a list such as `[{ random_rotation = 15 }, { center_crop = 200 }]`"]
        pub augment: Vec<Augment> = Vec::new(),
        /// Mixing of the images of a batch, after `augment`.
        #[accepts = "`{ mixup = { alpha = 0.2 }, cutmix = { alpha = 1.0 } }` or one of the two"]
        pub mix: Option<Mix>,
        /// Smaller images in the first epochs.
        #[key = if_asked]
        pub progressive_resizing: Option<ProgressiveResizing>,
        /// Normalisation of pixels.
        pub normalize: Normalize = Normalize::None,
        /// The shorter side in pixels at which a model judges and predicts (Touvron et al., 2019).
        #[accepts = "a side in pixels such as `224`"]
        #[unset = "the pack's or the crop's"]
        #[key = if_asked]
        pub test_resolution: Option<Side>,
        /// Arithmetic of convolutions and matrix products.
        pub precision: Precision = Precision::Auto,
        /// Equal bits from equal inputs. Without it a GPU may choose faster algorithms whose sums have no fixed order, and cuDNN tries
        /// out which those are; a CPU computes as ever.
        #[key = if_asked]
        pub deterministic: bool = true,
        /// TF32 on a GPU where arithmetic is f32: ten bits of mantissa in the factors of convolutions and matrix products.
        #[key = if_asked]
        pub allow_tf32: bool = false,
        /// The models of so many last epochs are handed on together, as `kept.safetensors`.
        #[accepts = "a whole number from 2 to 50"]
        #[key = if_asked]
        pub keep_last: Option<Count>,
        /// Which states are stored: without the last, no longer training goes on from this one, and no other stage takes it.
        #[key = if_asked]
        pub keep: Keep = Keep::BestAndLast,
        /// Stop when validation does not improve.
        pub early_stopping: Option<EarlyStopping>,
        /// The seed of initialisation, order and augmentation.
        #[unset = "the file's"]
        pub seed: Seed,
    }
}

impl Training {
    /// The one state that is stored, where it is one.
    #[must_use]
    pub fn only(&self) -> Option<Checkpoint> {
        match self.keep {
            Keep::BestAndLast => None,
            Keep::Best => Some(Checkpoint::Best),
        }
    }

    /// Without what repeats of one training differ in.
    #[must_use]
    pub fn seedless(&self) -> Self {
        Self {
            seed: 0,
            ..self.clone()
        }
    }

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

words! {
    /// Arithmetic of convolutions and matrix products; parameters and optimizer state are always f32.
    #[derive(Default)]
    pub enum Precision {
        /// bf16 autocast where the hardware gains by it (CUDA from Ampere on; CPUs with avx512_bf16 or AMX), f32 elsewhere.
        #[default]
        Auto = "auto",
        /// f32 everywhere.
        F32 = "f32",
        /// bf16 autocast everywhere.
        Bf16 = "bf16",
    }
}

settings! {
    /// An exponential moving average of weights and BatchNorm statistics.
    #[example = "{ decay = 0.999, warmup = true }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Ema {
        /// The share of the mean that a step keeps.
        pub decay: Decay,
        /// Keep less in the first steps: 1 - (1 + step)^(-2/3), as timm's `ModelEmaV3`.
        pub warmup: bool = false,
    }
}

settings! {
    /// The training stops when validation does not improve.
    #[example = "{ patience = 5 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct EarlyStopping {
        /// Epochs without improvement before the training ends.
        pub patience: Count,
        /// The least change that counts as an improvement.
        pub min_delta: NonNegative = NonNegative::known(0.0),
        /// What must improve.
        pub monitor: Metric = Metric::ValidationTop1,
    }
}

words! {
    /// A validation metric: what early stopping watches and what `select` compares.
    #[derive(Default)]
    pub enum Metric {
        /// Share of validation images whose first guess is right; higher is better.
        #[default]
        ValidationTop1 = "validation.top1",
        /// Mean cross entropy on the validation part; lower is better.
        ValidationLoss = "validation.loss",
    }
}

impl Metric {
    /// Whether more is better.
    #[must_use]
    pub const fn higher_is_better(self) -> bool {
        matches!(self, Self::ValidationTop1)
    }
}

words! {
    /// The states of a training that its result holds.
    #[derive(Default)]
    pub enum Keep {
        /// The best epoch and the last, with what a longer training goes on from.
        #[default]
        BestAndLast = "best_and_last",
        /// The best epoch alone.
        Best = "best",
    }
}

words! {
    /// Which state of a training: the best epoch by validation top-1, or the last.
    #[derive(Default)]
    pub enum Checkpoint {
        /// The epoch with the highest validation top-1; the first of equals.
        #[default]
        Best = "best",
        /// The last epoch.
        Last = "last",
    }
}

impl Training {
    /// The side of the centre crop, which evaluation repeats.
    #[must_use]
    pub fn center_crop(&self) -> Option<u32> {
        self.augment.iter().find_map(|item| match item {
            Augment::CenterCrop(side) => Some(side.get()),
            _ => None,
        })
    }
}

#[cfg(all(test, feature = "tensors"))]
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
