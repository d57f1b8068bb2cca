//! Which images of the training part an epoch shows.

use super::declare::words;

words! {
    /// `sampling = "balanced"`.
    #[derive(Default)]
    pub enum Sampling {
        /// Each image once, in an order of the epoch's own.
        #[default]
        Shuffle = "shuffle",
        /// As many images, each class equally often; an image comes again in an epoch only when its class is used up.
        Balanced = "balanced",
    }
}
