//! Why no larger batch size was tried.

use crate::record::Ended;

/// As the end of "no larger one was tried: ".
pub(in crate::report) fn ended(why: Ended) -> String {
    match why {
        Ended::NoMoreImages { images } => format!("the training part has {images} images"),
        Ended::MemoryRanOut { batch_size } => format!("memory ran out at {batch_size}"),
        Ended::WouldNotFit { batch_size } => {
            format!("{batch_size} would take more memory than is left")
        }
        Ended::TooSlow {
            batch_size,
            seconds,
        } => format!("a step of {batch_size} takes longer than {seconds} s"),
        Ended::EndedBySystem { batch_size } => {
            format!("the system ended the trial at {batch_size}, as it does where memory runs out")
        }
    }
}
