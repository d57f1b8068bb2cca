//! What the trainings of a recipe took, over its runs.

use super::{Column, Trained, bytes, duration, pooled::mean, units::fixed};

/// Of those trainings that tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    seconds: f64,
    images_per_second: f64,
    peak_memory: Option<u64>,
}

impl Cost {
    /// `None` where no training tells.
    pub(super) fn of<'a>(trainings: impl IntoIterator<Item = &'a Trained>) -> Option<Self> {
        let timings = trainings.into_iter().filter_map(|t| t.timing.as_ref());
        let timings: Vec<_> = timings.collect();
        let epochs = timings.iter().flat_map(|timing| &timing.epochs);
        (!timings.is_empty()).then(|| Self {
            seconds: mean(timings.iter().map(|timing| timing.seconds)),
            images_per_second: mean(timings.iter().map(|timing| timing.images_per_second)),
            peak_memory: epochs.filter_map(|epoch| epoch.peak_memory).max(),
        })
    }

    /// The columns of a sweep that tell of it.
    pub(super) fn columns() -> [Column; 3] {
        [
            Column::right("training time")
                .meaning("of all epochs, validation included, mean over runs"),
            Column::right("training images/s").meaning("validation not included, mean over runs"),
            Column::right("peak memory").meaning("the most of any run"),
        ]
    }

    /// What stands in them.
    pub(super) fn cells(found: Option<Self>) -> [String; 3] {
        let Some(cost) = found else {
            return ["-", "-", "-"].map(str::to_owned);
        };
        [
            duration(cost.seconds),
            fixed(cost.images_per_second, 0),
            cost.peak_memory.map_or_else(|| "-".to_owned(), bytes),
        ]
    }
}
