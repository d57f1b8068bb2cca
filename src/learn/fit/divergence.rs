//! When a training is lost: its loss is no number any more, or far above where it began. What is told then.

use std::path::PathBuf;

use crate::{
    error::{Error, Result},
    learn::picture::Size,
    record::{Epoch, Measure},
    text::fixed,
};

/// The steps at the start of a training whose mean loss is what it began with.
pub(crate) const START: u32 = 10;
/// A training diverges where its mean loss is so many times that of its start. The loss of a network that knows nothing is that of
/// its start, and no recipe leaves it that far behind for long.
const FAR: f64 = 5.0;
/// What a training begins with at most: a transfer whose new head meets large features begins with some hundreds. Where it begins
/// with more, it began by diverging.
const START_AT_MOST: f64 = 1000.0;
/// A mean over fewer steps says nothing yet, unless they are a whole epoch.
const LONG: u32 = 100;
/// Of so many images a last feature map of one pixel has so few values that their spread may be next to nothing.
const FEW: usize = 3;

/// An epoch of a training, and what is there if it goes wrong.
pub(crate) struct Watch<'a> {
    /// The epoch that runs, from 1.
    pub(crate) epoch: u32,
    /// Epochs in all.
    pub(crate) of: u32,
    /// The epochs before it.
    pub(crate) before: &'a [Epoch],
    /// The checkpoint of the last of them.
    pub(crate) checkpoint: Option<PathBuf>,
    /// The classes there are.
    pub(crate) classes: usize,
    /// Where BatchNorm takes statistics of so few images that they say little: the images of the smallest batch of an epoch.
    pub(crate) few: Option<usize>,
}

/// The images of an epoch's last batch, where they are too few for statistics.
pub(crate) fn few_in_last_batch(images: usize, batch_size: usize) -> Option<usize> {
    let last = images % batch_size;
    // A single one is left out of its epoch.
    (2..=FEW).contains(&last).then_some(last)
}

impl Watch<'_> {
    /// The loss that the mean of this epoch is held against: of the first epoch, and in the first epoch of its first steps. Not
    /// less than of a network that knows nothing, the logarithm of the number of classes (a good model's transfer begins with less
    /// and may lose its way for an epoch), and not more than a training begins with.
    pub(crate) fn start(&self, first_steps: Option<f64>) -> f64 {
        let began = self.before.first().map(|e| e.train.loss).or(first_steps);
        let knows_nothing = (self.classes as f64).ln();
        began
            .unwrap_or(START_AT_MOST)
            .clamp(knows_nothing, START_AT_MOST)
    }

    /// Whether the mean over so many steps of this epoch (all of them where `whole`) is far above the start for long.
    pub(crate) fn diverges(&self, measure: Measure, steps: u32, whole: bool, start: f64) -> bool {
        (whole || steps >= LONG) && measure.loss > FAR * start
    }

    /// The loss of a step was no number.
    pub(crate) fn not_finite(&self, step: u64, steps: u32, lr: f64) -> Error {
        self.lost(format!(
            "the loss is no longer a number from step {step} of {steps} in epoch {} of {} on, at a learning rate of {lr:e}",
            self.epoch, self.of
        ))
    }

    /// The validation loss was no number.
    pub(crate) fn validation_not_finite(&self) -> Error {
        self.lost(format!(
            "the validation loss is no longer a number after epoch {} of {}",
            self.epoch, self.of
        ))
    }

    /// The last step of an epoch left weights that are no numbers.
    pub(crate) fn weights_not_finite(&self, lr: f64) -> Error {
        self.lost(format!(
            "the weights are no longer numbers after the last step of epoch {} of {}, at a learning rate of {lr:e}",
            self.epoch, self.of
        ))
    }

    /// The loss rose far above its start.
    pub(crate) fn diverged(&self, loss: f64, start: f64, step: u32, lr: f64) -> Error {
        let knows_nothing = (self.classes as f64).ln();
        let far = if start > knows_nothing && start < START_AT_MOST {
            format!(
                "{}, more than {FAR} times the {} that it began with",
                fixed(loss, 3),
                fixed(start, 3)
            )
        } else {
            format!(
                "{loss:.3e}, where a network that knows nothing of {} classes has {knows_nothing:.3}",
                self.classes
            )
        };
        self.lost(format!(
            "the training diverges: over {step} steps of epoch {} of {} the mean loss is {far}, at a learning rate of {lr:e}",
            self.epoch, self.of
        ))
    }

    fn lost(&self, what: String) -> Error {
        let kept = match (&self.checkpoint, self.before.last()) {
            (Some(path), Some(epoch)) => format!(
                "; the last good checkpoint is that of epoch {}: `{}` (for `kfood predict --model`, `kfood export`, or `model` of a transfer)",
                epoch.epoch,
                path.display()
            ),
            _ => "; there is no checkpoint yet".to_owned(),
        };
        let few = self.few.map_or_else(String::new, |images| {
            format!(
                "; or give another `batch_size`: BatchNorm takes statistics of the {images} images alone that an epoch's last batch has"
            )
        });
        let lr = "lower `lr` (`kfood tune lr` finds one), add warm-up (`schedule.constant = { warmup_epochs = 3 }`), or set `normalize`";
        Error::failed(what + &kept).help(format!("{lr}{few}"))
    }
}

/// Whether libtorch ran out of memory; then the error names what takes it and the way out.
pub(crate) fn with_batch_size<T>(done: Result<T>, batch_size: u32, shown: Size) -> Result<T> {
    done.map_err(|error| {
        if !crate::native::is_out_of_memory(&error) {
            return error;
        }
        let Size { width, height } = shown;
        let half = (batch_size / 2).max(1);
        Error::failed(format!(
            "memory ran out with `batch_size` = {batch_size} at {width} x {height} pixels"
        ))
        .because(error)
        .help(format!(
            "`batch_size = {half}` with `accumulation_steps = 2` moves the weights by as many images in half the memory; \
             `precision = \"bf16\"` or fewer pixels (`resize`) take less too; `kfood tune batch` finds what fits"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::torch_error;

    fn epoch(loss: f64) -> Epoch {
        Epoch {
            epoch: 1,
            of: 9,
            lr: 0.1,
            train: Measure { loss, top1: 0.5 },
            validation: None,
        }
    }

    fn watch(before: &[Epoch]) -> Watch<'_> {
        Watch {
            epoch: 2,
            of: 9,
            before,
            checkpoint: None,
            classes: 4,
            few: None,
        }
    }

    fn mean(loss: f64) -> Measure {
        Measure { loss, top1: 0.0 }
    }

    #[test]
    fn a_loss_is_held_against_the_first_epoch_for_long() {
        let before = [epoch(2.0)];
        let watch = watch(&before);
        let start = watch.start(Some(100.0));
        assert_eq!(start, 2.0);
        assert!(watch.diverges(mean(10.1), 100, false, start));
        assert!(!watch.diverges(mean(10.1), 99, false, start));
        assert!(watch.diverges(mean(10.1), 3, true, start));
        assert!(!watch.diverges(mean(9.9), 500, true, start));
        assert!(
            watch
                .diverged(10.1, start, 100, 0.1)
                .message()
                .contains("10.100, more than 5 times the 2.000 that it began with")
        );
    }

    #[test]
    fn what_begins_well_may_lose_its_way_as_far_as_a_network_that_knows_nothing() {
        let before = [epoch(0.1)];
        let watch = watch(&before);
        let start = watch.start(None);
        assert!(!watch.diverges(mean(6.0), 3, true, start));
        assert!(watch.diverges(mean(7.0), 3, true, start));
        assert!(
            watch
                .diverged(7.0, start, 3, 0.1)
                .message()
                .contains("7.000e0, where a network that knows nothing of 4 classes has 1.386")
        );
    }

    #[test]
    fn a_training_that_began_by_diverging_is_lost_too() {
        let before = [epoch(5e29)];
        // Too few steps to tell how it began, first steps that are lost, and a first epoch that is.
        for start in [
            watch(&[]).start(None),
            watch(&[]).start(Some(1e9)),
            watch(&before).start(None),
        ] {
            assert!(watch(&[]).diverges(mean(5e29), 3, true, start));
            assert!(!watch(&[]).diverges(mean(400.0), 3, true, start));
            assert!(
                watch(&[])
                    .diverged(5e29, start, 3, 0.01)
                    .message()
                    .contains("the mean loss is 5.000e29, where a network that knows nothing")
            );
        }
    }

    #[test]
    fn a_lost_training_names_the_last_checkpoint() {
        let before = [epoch(2.0)];
        let watch = Watch {
            epoch: 2,
            of: 9,
            before: &before,
            checkpoint: Some("state/weights-1.safetensors".into()),
            classes: 4,
            few: few_in_last_batch(19, 16),
        };
        let error = watch.not_finite(12, 76, 0.1);
        assert!(error.message().starts_with(
            "the loss is no longer a number from step 12 of 76 in epoch 2 of 9 on, at a learning rate of 1e-1"
        ));
        assert!(
            error
                .message()
                .contains("that of epoch 1: `state/weights-1.safetensors`")
        );
        assert!(
            error
                .help_text()
                .unwrap()
                .ends_with("the 3 images alone that an epoch's last batch has")
        );
    }

    #[test]
    fn a_full_or_a_fair_last_batch_is_no_reason() {
        for images in [16, 17, 20, 32] {
            assert_eq!(few_in_last_batch(images, 16), None, "{images}");
        }
        assert_eq!(few_in_last_batch(18, 16), Some(2));
    }

    #[test]
    fn full_memory_names_the_batch_size_and_a_way_out() {
        let full = torch_error("CUDA out of memory. Tried to allocate 2.00 GiB.");
        let error = with_batch_size::<()>(Err(full), 32, Size::new(224, 224)).unwrap_err();
        assert_eq!(
            error.message(),
            "memory ran out with `batch_size` = 32 at 224 x 224 pixels"
        );
        assert!(
            error
                .help_text()
                .unwrap()
                .starts_with("`batch_size = 16` with `accumulation_steps = 2`")
        );
        let other =
            with_batch_size::<()>(Err(torch_error("no")), 32, Size::new(224, 224)).unwrap_err();
        assert_eq!(other.message(), "libtorch: no");
    }
}
