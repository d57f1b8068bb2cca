//! The fields that train and transfer share.

use toml::{Spanned, de::DeValue};

use super::{
    super::{build::Builder, wording::place},
    Fields, Span,
    augment::{self, Items},
};
use crate::{
    seed::Seed,
    settings::{
        Augment, ClassWeights, Count, EarlyStopping, Ema, Factor, Loss, Mix, NonNegative,
        Normalize, Optimizer, Positive, Precision, Probability, ProgressiveResizing, Resize,
        Sampling, Save, Schedule, Side, Training,
    },
    text::{self, count},
};

const WHOLE: &str = "a whole number of at least 1";
const OPTIMIZER: &str = "`optimizer.sgd = { lr = 0.001 }`, `optimizer.adam`, `optimizer.adamw`, `optimizer.rmsprop` or `optimizer.lamb`";
const SCHEDULE: &str = "`schedule.constant = {}`, `schedule.step = { step_size = 10 }`, `schedule.multi_step = { milestones = [30, 60] }`, \
    `schedule.cosine = {}`, `schedule.cosine_warm_restarts = { t_0 = 10 }`, `schedule.one_cycle = {}` or `schedule.plateau = {}`";
const NORMALIZE: &str =
    "`\"dataset\"`, `\"imagenet\"`, `\"none\"` or `{ mean = [r, g, b], std = [r, g, b] }`";
const LOSS: &str = "`\"cross_entropy\"`, `\"focal\"` or `loss.focal = { gamma = 2.0 }`, `\"bce\"` or `loss.bce = { sum_classes = true }`";
const CLASS_WEIGHTS: &str = "`\"balanced\"` or weights by class such as `{ bibimbap = 2.0 }`";
const MIX: &str = "`{ mixup = { alpha = 0.2 }, cutmix = { alpha = 1.0 } }` or one of the two";
const RESIZING: &str = "`{ from = 128, epochs = 20 }`";
const AUGMENT: &str = "a list such as `[{ random_rotation = 15 }, { center_crop = 200 }]`";

/// The training settings with the places that later checks need.
pub(crate) struct Draft {
    /// The settings.
    pub training: Training,
    /// The items of `augment` with their places.
    pub augment: Items,
    /// Where `progressive_resizing` stands.
    pub resizing_at: Option<Span>,
    /// Where `test_resolution` stands.
    pub test_resolution_at: Option<Span>,
    /// Whether `normalize` was given.
    pub normalized: bool,
    /// When to save the state.
    pub save: Save,
}

impl Draft {
    /// Notes mistakes that show only beside the size of a row: in `augment`, a size to grow from that is none, and one to be judged
    /// at that is beyond any network.
    pub(crate) fn check(&self, builder: &mut Builder<'_>, resize: Resize) -> Option<()> {
        let resizing = self.training.progressive_resizing;
        let full = augment::check(builder, &self.augment, resize, resizing)?;
        if let (Some(resizing), Some(at)) = (resizing, &self.resizing_at)
            && resizing.from.get() >= full
        {
            let from = resizing.from.get();
            let message =
                format!("images would grow from {from} pixels to the {full} that they have");
            let help = "grow from less, or leave `progressive_resizing` out";
            builder.tell(at, message, Some(help));
            return None;
        }
        if let (Some(side), Some(at)) = (self.training.test_resolution, &self.test_resolution_at) {
            let crop = self.training.augment.iter().find_map(|item| match item {
                Augment::CenterCrop(side) => Some(side.get()),
                _ => None,
            });
            let (width, height) =
                crop.map_or((resize.width(), resize.height()), |side| (side, side));
            if Resize::is_beyond(width, height, Some(side.get())) {
                let message = format!(
                    "a model would be given more than {} pixels: images of {width} x {height} with a shorter side of {}",
                    text::number(Resize::MOST_PIXELS),
                    side.get()
                );
                let help = "judge at less; networks are given about 224 x 224";
                builder.tell(at, message, Some(help));
                return None;
            }
        }
        Some(())
    }
}

/// The fields before it is known whether they are all there.
pub(crate) struct Read {
    epochs: Option<Spanned<Count>>,
    batch_size: Option<Spanned<Count>>,
    optimizer: Option<Spanned<Optimizer>>,
    norm_weight_decay: Option<Spanned<NonNegative>>,
    bias_weight_decay: Option<Spanned<NonNegative>>,
    layer_decay: Option<Spanned<Factor>>,
    clip_grad_norm: Option<Spanned<Positive>>,
    clip_grad_value: Option<Spanned<Positive>>,
    accumulation_steps: Option<Spanned<Count>>,
    ema: Option<Spanned<Ema>>,
    schedule: Option<Spanned<Schedule>>,
    loss: Option<Spanned<Loss>>,
    label_smoothing: Option<Spanned<Probability>>,
    class_weights: Option<Spanned<ClassWeights>>,
    sampling: Option<Spanned<Sampling>>,
    repeated_augmentation: Option<Spanned<Count>>,
    augment: Option<Spanned<Items>>,
    mix: Option<Spanned<Mix>>,
    progressive_resizing: Option<Spanned<ProgressiveResizing>>,
    normalize: Option<Spanned<Normalize>>,
    test_resolution: Option<Spanned<Side>>,
    precision: Option<Spanned<Precision>>,
    deterministic: Option<Spanned<bool>>,
    allow_tf32: Option<Spanned<bool>>,
    keep_last: Option<Spanned<Count>>,
    early_stopping: Option<Spanned<EarlyStopping>>,
    seed: Seed,
    save: Option<Spanned<Save>>,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Read {
    fields.miss("optimizer", OPTIMIZER);
    let read = Read {
        epochs: fields.need("epochs", WHOLE),
        batch_size: fields.take("batch_size", WHOLE),
        optimizer: fields.take_checked("optimizer", OPTIMIZER, check_nesterov),
        norm_weight_decay: fields.take("norm_weight_decay", "a number of at least 0"),
        bias_weight_decay: fields.take("bias_weight_decay", "a number of at least 0"),
        layer_decay: fields.take("layer_decay", "a number above 0 and at most 1"),
        clip_grad_norm: fields.take("clip_grad_norm", "a number above 0"),
        clip_grad_value: fields.take("clip_grad_value", "a number above 0"),
        accumulation_steps: fields.take("accumulation_steps", WHOLE),
        ema: fields.take("ema", "`{ decay = 0.999, warmup = true }`"),
        schedule: fields.take_checked("schedule", SCHEDULE, check_phases),
        loss: fields.take("loss", LOSS),
        label_smoothing: fields.take("label_smoothing", "a number from 0 to 1"),
        class_weights: fields.take("class_weights", CLASS_WEIGHTS),
        sampling: fields.take("sampling", "`\"shuffle\"` or `\"balanced\"`"),
        repeated_augmentation: fields.take("repeated_augmentation", WHOLE),
        augment: fields.take("augment", AUGMENT),
        mix: fields.take_checked("mix", MIX, check_mix),
        progressive_resizing: fields.take("progressive_resizing", RESIZING),
        normalize: normalize(fields),
        test_resolution: fields.take("test_resolution", "a side in pixels such as `224`"),
        precision: fields.take("precision", "`\"auto\"`, `\"f32\"` or `\"bf16\"`"),
        deterministic: fields.take("deterministic", "`true` or `false`"),
        allow_tf32: fields.take("allow_tf32", "`true` or `false`"),
        keep_last: fields.take("keep_last", "a whole number from 2 to 50"),
        early_stopping: fields.take("early_stopping", "`{ patience = 5 }`"),
        seed: fields.seed(),
        save: fields.take("save", "`{ every = \"5m\" }`"),
    };
    check_warmup(fields, &read);
    check_off_epochs(fields, &read);
    check_full_size(fields, &read);
    check_keep_last(fields, &read);
    read
}

fn check_warmup(fields: &mut Fields<'_, '_>, read: &Read) {
    let (Some(epochs), Some(schedule)) = (&read.epochs, &read.schedule) else {
        return;
    };
    let (epochs, warmup) = (epochs.get_ref().get(), schedule.get_ref().warmup_epochs());
    if warmup >= epochs {
        let message = format!(
            "`warmup_epochs` of {warmup} in a training of {}: the schedule would never begin",
            count(epochs, "epoch")
        );
        let help = match epochs - 1 {
            0 => "leave `warmup_epochs` out, or train longer".to_owned(),
            most => format!("warm up for {most} or less, or train longer"),
        };
        fields.tell(&schedule.span(), message, Some(&help));
    }
}

fn check_phases(fields: &mut Fields<'_, '_>, schedule: &Schedule, value: &DeValue<'_>) {
    let Schedule::OneCycle(cycle) = schedule else {
        return;
    };
    if !cycle.three_phase || cycle.pct_start.get() <= 0.5 {
        return;
    }
    let written = place(value, &["one_cycle", "pct_start"]);
    let span = written.unwrap_or_else(|| fields.header());
    let message = format!(
        "`pct_start` of {} with `three_phase`: the fall is as long as the rise, and would not end",
        cycle.pct_start.get()
    );
    fields.tell(&span, message, Some("give 0.5 or less"));
}

fn check_off_epochs(fields: &mut Fields<'_, '_>, read: &Read) {
    let (Some(epochs), Some(mix)) = (&read.epochs, &read.mix) else {
        return;
    };
    let (epochs, off) = (epochs.get_ref().get(), mix.get_ref().off_epochs);
    if off >= epochs {
        let message = format!(
            "`off_epochs` of {off} in a training of {}: no batch would be mixed",
            count(epochs, "epoch")
        );
        let help = match epochs - 1 {
            0 => "leave `mix` out, or train longer".to_owned(),
            most => format!("switch off for {most} or less, or leave `mix` out"),
        };
        fields.tell(&mix.span(), message, Some(&help));
    }
}

/// At most so many: they are written as one file.
const MOST_KEPT: u32 = 50;

fn check_keep_last(fields: &mut Fields<'_, '_>, read: &Read) {
    let Some(keep) = &read.keep_last else {
        return;
    };
    let (kept, epochs) = (keep.get_ref().get(), read.epochs());
    if !(2..=MOST_KEPT).contains(&kept) {
        let message =
            format!("`keep_last` of {kept}: expected a whole number from 2 to {MOST_KEPT}");
        let help = "the last epoch alone is kept anyway: `checkpoint = \"last\"`";
        fields.tell(&keep.span(), message, (kept < 2).then_some(help));
    } else if let Some(epochs) = epochs.filter(|epochs| kept > *epochs) {
        let epochs = count(epochs, "epoch");
        let message = format!("`keep_last` of {kept} in a training of {epochs}");
        let help = "keep fewer, or train longer";
        fields.tell(&keep.span(), message, Some(help));
    }
}

fn check_full_size(fields: &mut Fields<'_, '_>, read: &Read) {
    let (Some(epochs), Some(resizing)) = (&read.epochs, &read.progressive_resizing) else {
        return;
    };
    let (epochs, full_from) = (epochs.get_ref().get(), resizing.get_ref().full_from());
    if full_from > epochs {
        let message = format!(
            "`progressive_resizing` reaches the full size in epoch {full_from}, and the training has {epochs}"
        );
        let help = format!(
            "let `hold_epochs` and `epochs` of it be {} or less together, or train longer",
            epochs - 1
        );
        fields.tell(&resizing.span(), message, Some(&help));
    }
}

fn check_mix(fields: &mut Fields<'_, '_>, mix: &Mix, value: &DeValue<'_>) {
    if mix.mixup.is_none() && mix.cutmix.is_none() {
        let span = place(value, &["off_epochs"]).unwrap_or_else(|| fields.header());
        let help = "add `mixup = { alpha = 0.2 }` or `cutmix = {}`, or leave `mix` out";
        fields.tell(&span, "`mix` with nothing to mix by", Some(help));
    }
    if mix.probability() > 1.0 {
        let written = ["cutmix", "mixup"].map(|rule| place(value, &[rule, "probability"]));
        let span = written.into_iter().flatten().next();
        let span = span.unwrap_or_else(|| fields.header());
        let message = format!(
            "probabilities of {} in all: a batch is mixed one way or not at all",
            mix.probability()
        );
        let help = "together at most 1; 0.5 each mixes every batch";
        fields.tell(&span, message, Some(help));
    }
}

/// `normalize`, which an evaluation of a file takes too.
pub(crate) fn normalize(fields: &mut Fields<'_, '_>) -> Option<Spanned<Normalize>> {
    fields.take("normalize", NORMALIZE)
}

/// `batch_size`, which an evaluation takes too.
pub(crate) fn batch_size(fields: &mut Fields<'_, '_>) -> Option<Spanned<Count>> {
    fields.take("batch_size", WHOLE)
}

fn check_nesterov(fields: &mut Fields<'_, '_>, optimizer: &Optimizer, value: &DeValue<'_>) {
    let Optimizer::Sgd(sgd) = optimizer else {
        return;
    };
    if !sgd.nesterov || sgd.momentum.get() > 0.0 {
        return;
    }
    let place = place(value, &["sgd", "nesterov"]);
    let help = "add `momentum = 0.9` beside it, or leave `nesterov` out";
    let span = place.unwrap_or_else(|| fields.header());
    fields.tell(&span, "`nesterov` without `momentum`", Some(help));
}

impl Read {
    /// Epochs, where they are given.
    pub(crate) fn epochs(&self) -> Option<u32> {
        self.epochs.as_ref().map(|epochs| epochs.get_ref().get())
    }

    pub(crate) fn draft(self) -> Option<Draft> {
        let augment = self.augment.map(Spanned::into_inner).unwrap_or_default();
        Some(Draft {
            normalized: self.normalize.is_some(),
            save: inner(self.save),
            resizing_at: self.progressive_resizing.as_ref().map(Spanned::span),
            test_resolution_at: self.test_resolution.as_ref().map(Spanned::span),
            training: Training {
                epochs: self.epochs?.into_inner(),
                batch_size: self
                    .batch_size
                    .map_or(Count::known(32), Spanned::into_inner),
                optimizer: self.optimizer?.into_inner(),
                norm_weight_decay: self.norm_weight_decay.map(Spanned::into_inner),
                bias_weight_decay: self.bias_weight_decay.map(Spanned::into_inner),
                layer_decay: self
                    .layer_decay
                    .map_or(Factor::known(1.0), Spanned::into_inner),
                clip_grad_norm: self.clip_grad_norm.map(Spanned::into_inner),
                clip_grad_value: self.clip_grad_value.map(Spanned::into_inner),
                accumulation_steps: self
                    .accumulation_steps
                    .map_or(Count::known(1), Spanned::into_inner),
                ema: self.ema.map(Spanned::into_inner),
                schedule: inner(self.schedule),
                loss: inner(self.loss),
                label_smoothing: self
                    .label_smoothing
                    .map_or(Probability::known(0.0), Spanned::into_inner),
                class_weights: self.class_weights.map(Spanned::into_inner),
                sampling: inner(self.sampling),
                repeated_augmentation: self
                    .repeated_augmentation
                    .map_or(Count::known(1), Spanned::into_inner),
                mix: self.mix.map(Spanned::into_inner),
                progressive_resizing: self.progressive_resizing.map(Spanned::into_inner),
                test_resolution: self.test_resolution.map(Spanned::into_inner),
                augment: augment.iter().map(|item| *item.get_ref()).collect(),
                normalize: inner(self.normalize),
                precision: inner(self.precision),
                deterministic: self.deterministic.is_none_or(Spanned::into_inner),
                allow_tf32: self.allow_tf32.is_some_and(Spanned::into_inner),
                keep_last: self.keep_last.map(Spanned::into_inner),
                early_stopping: self.early_stopping.map(Spanned::into_inner),
                seed: self.seed,
            },
            augment,
        })
    }
}

fn inner<T: Default>(value: Option<Spanned<T>>) -> T {
    value.map(Spanned::into_inner).unwrap_or_default()
}
