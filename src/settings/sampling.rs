//! Which images of the training part an epoch shows.

use serde::{Deserialize, Serialize};

/// `sampling = "balanced"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Each image once, in an order of the epoch's own.
    #[default]
    Shuffle,
    /// As many images, each class equally often; an image comes again in an epoch only when its class is used up.
    Balanced,
}
