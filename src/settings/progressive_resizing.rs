//! Progressive resizing: the first epochs show small images, which are cheap.

use super::{Count, Side, declare::settings};

settings! {
    /// Images grow over the first epochs of a training (Howard, 2018).
    ///
    /// The rule is that of FFCV's `get_resolution`: linear from one epoch to another, rounded to a multiple. Sizes go by the number
    /// of the epoch alone, so that they are the same however many epochs follow.
    #[example = "{ from = 128, epochs = 20 }"]
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct ProgressiveResizing {
        /// The shorter side in the first epoch, in pixels.
        pub from: Side,
        /// Epochs until the side is the full one.
        pub epochs: Count,
        /// Epochs at `from` before that.
        pub hold_epochs: u32 = 0,
        /// Sides between `from` and the full one are multiples of this; a ResNet shrinks an image by 32.
        pub multiple_of: Side = Side::known(32),
    }
}

impl ProgressiveResizing {
    /// The first epoch of full size, from 1.
    #[must_use]
    pub const fn full_from(&self) -> u32 {
        (self.hold_epochs)
            .saturating_add(self.epochs.get())
            .saturating_add(1)
    }

    /// The shorter side in an epoch (from 1), in pixels, of images whose full side is `full`.
    #[must_use]
    pub fn side(&self, epoch: u32, full: u32) -> u32 {
        let from = self.from.get();
        if epoch >= self.full_from() || from >= full {
            return full;
        }
        let grown = epoch.saturating_sub(1).saturating_sub(self.hold_epochs);
        let share = f64::from(grown) / f64::from(self.epochs.get());
        let side = f64::from(from) + share * f64::from(full - from);
        let multiple = f64::from(self.multiple_of.get());
        let rounded = (side / multiple).round() * multiple;
        (rounded as u32).clamp(from, full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(text: &str, epochs: std::ops::RangeInclusive<u32>, full: u32) -> Vec<u32> {
        let read: ProgressiveResizing = serde_json::from_str(text).unwrap();
        epochs.map(|epoch| read.side(epoch, full)).collect()
    }

    #[test]
    fn sides_grow_in_multiples_and_end_at_the_full_one() {
        let text = r#"{"from": 64, "epochs": 6}"#;
        assert_eq!(
            sides(text, 1..=8, 224),
            [64, 96, 128, 160, 160, 192, 224, 224]
        );
        let finer = r#"{"from": 64, "epochs": 4, "multiple_of": 8}"#;
        assert_eq!(sides(finer, 1..=6, 80), [64, 72, 72, 80, 80, 80]);
        // The full side need be no multiple; those below it are.
        assert_eq!(sides(text, 1..=8, 80), [64, 64, 64, 64, 64, 64, 80, 80]);
    }

    #[test]
    fn sides_are_those_of_ffcv() {
        // The configuration of its ResNet-50 for 88 epochs: 160 to 192 from epoch 65 to 76, counted from 0.
        let text = r#"{"from": 160, "hold_epochs": 65, "epochs": 11}"#;
        let found = sides(text, 66..=78, 192);
        // By numpy: [int(np.round(np.interp([e], [65, 76], [160, 192]) / 32)[0]) * 32 for e in range(65, 78)]
        let theirs = [
            160, 160, 160, 160, 160, 160, 192, 192, 192, 192, 192, 192, 192,
        ];
        assert_eq!(found, theirs);
        assert_eq!(sides(text, 1..=2, 192), [160, 160]);
    }

    #[test]
    fn images_that_are_no_larger_stay_as_they_are() {
        assert_eq!(sides(r#"{"from": 64, "epochs": 2}"#, 1..=3, 64), [64; 3]);
        assert_eq!(sides(r#"{"from": 64, "epochs": 2}"#, 1..=3, 48), [48; 3]);
    }
}
