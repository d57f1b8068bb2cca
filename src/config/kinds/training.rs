//! The fields that train and transfer share.

use toml::Spanned;

use super::augment::{self, Items};
use crate::{
    config::{build::Builder, fields::Fields, file::Span},
    settings::{Keep, Optimizer, Resize, Save, Schedule, Training, TrainingRead, declare::fields},
    text::{self, count},
};

fields! {
    /// When a running training saves its state; no result depends on it, and no key holds it.
    pub(crate) struct Saving read as SavingRead {
        /// How often the state is saved within an epoch too; no part of the key.
        pub save: Save = Save::default(),
    }
}

/// The training settings with the places that later checks need.
pub(crate) struct PlacedTraining {
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

impl PlacedTraining {
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
            let crop = self.training.center_crop();
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
    training: TrainingRead,
    saving: SavingRead,
}

pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Read {
    let mut training = TrainingRead::take(fields);
    training.seed.get_or_insert_with(|| fields.seed_of_file());
    check_nesterov(fields, &training);
    check_phases(fields, &training);
    check_mix(fields, &training);
    check_warmup(fields, &training);
    check_off_epochs(fields, &training);
    check_full_size(fields, &training);
    check_keep_last(fields, &training);
    Read {
        training,
        saving: SavingRead::take(fields),
    }
}

impl Read {
    /// Epochs, where they are given.
    pub(crate) fn epochs(&self) -> Option<u32> {
        epochs(&self.training)
    }

    pub(crate) fn placed(self) -> Option<PlacedTraining> {
        let read = self.training;
        Some(PlacedTraining {
            normalized: read.normalize.is_some(),
            save: self.saving.settle()?.save,
            resizing_at: read.progressive_resizing.as_ref().map(Spanned::span),
            test_resolution_at: read.test_resolution.as_ref().map(Spanned::span),
            augment: (read.augment.as_ref())
                .map(|items| items.get_ref().clone())
                .unwrap_or_default(),
            training: read.settle()?,
        })
    }
}

fn epochs(read: &TrainingRead) -> Option<u32> {
    read.epochs.as_ref().map(|epochs| epochs.get_ref().get())
}

fn check_warmup(fields: &mut Fields<'_, '_>, read: &TrainingRead) {
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

fn check_phases(fields: &mut Fields<'_, '_>, read: &TrainingRead) {
    let Some(Schedule::OneCycle(cycle)) = read.schedule.as_ref().map(Spanned::get_ref) else {
        return;
    };
    if !cycle.three_phase || cycle.pct_start.get() <= 0.5 {
        return;
    }
    let span = fields.inside(&["schedule", "one_cycle", "pct_start"]);
    let message = format!(
        "`pct_start` of {} with `three_phase`: the fall is as long as the rise, and would not end",
        cycle.pct_start.get()
    );
    fields.tell(&span, message, Some("give 0.5 or less"));
}

fn check_off_epochs(fields: &mut Fields<'_, '_>, read: &TrainingRead) {
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

fn check_keep_last(fields: &mut Fields<'_, '_>, read: &TrainingRead) {
    let Some(keep) = &read.keep_last else {
        return;
    };
    let (kept, epochs) = (keep.get_ref().get(), epochs(read));
    if let Some(only) = read.keep.as_ref().filter(|k| *k.get_ref() == Keep::Best) {
        let message = "`keep = \"best\"` beside `keep_last`, which keeps the last epochs";
        let help = "leave one of them out";
        fields.tell(&only.span(), message, Some(help));
    } else if !(2..=MOST_KEPT).contains(&kept) {
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

fn check_full_size(fields: &mut Fields<'_, '_>, read: &TrainingRead) {
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

fn check_mix(fields: &mut Fields<'_, '_>, read: &TrainingRead) {
    let Some(mix) = read.mix.as_ref().map(Spanned::get_ref) else {
        return;
    };
    if mix.mixup.is_none() && mix.cutmix.is_none() {
        let span = fields.inside(&["mix", "off_epochs"]);
        let help = "add `mixup = { alpha = 0.2 }` or `cutmix = {}`, or leave `mix` out";
        fields.tell(&span, "`mix` with nothing to mix by", Some(help));
    }
    if mix.probability() > 1.0 {
        let written = ["cutmix", "mixup"].map(|rule| fields.inside(&["mix", rule, "probability"]));
        let own = written.iter().find(|span| **span != fields.header());
        let span = own.cloned().unwrap_or_else(|| fields.header());
        let message = format!(
            "probabilities of {} in all: a batch is mixed one way or not at all",
            mix.probability()
        );
        let help = "together at most 1; 0.5 each mixes every batch";
        fields.tell(&span, message, Some(help));
    }
}

fn check_nesterov(fields: &mut Fields<'_, '_>, read: &TrainingRead) {
    let Some(Optimizer::Sgd(sgd)) = read.optimizer.as_ref().map(Spanned::get_ref) else {
        return;
    };
    if !sgd.nesterov || sgd.momentum.get() > 0.0 {
        return;
    }
    let help = "add `momentum = 0.9` beside it, or leave `nesterov` out";
    let span = fields.inside(&["optimizer", "sgd", "nesterov"]);
    fields.tell(&span, "`nesterov` without `momentum`", Some(help));
}
