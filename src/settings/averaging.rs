//! How the weights of several models are averaged.

use serde::{Deserialize, Serialize};

use super::Checkpoint;

/// `checkpoint = "best"`, `"last"` or `"kept"`: which epochs of each training go into an average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AverageOf {
    /// The best one.
    #[default]
    Best,
    /// The last one.
    Last,
    /// All that its `keep_last` kept: stochastic weight averaging (Izmailov et al., 2018).
    Kept,
}

impl AverageOf {
    /// The one state that it names; `None` where that is several.
    #[must_use]
    pub const fn one(self) -> Option<Checkpoint> {
        match self {
            Self::Best => Some(Checkpoint::Best),
            Self::Last => Some(Checkpoint::Last),
            Self::Kept => None,
        }
    }
}

/// `rule = "uniform"` or `"greedy"` (Wortsman et al., 2022, "Model soups").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AverageRule {
    /// The mean of all.
    #[default]
    Uniform,
    /// From the best by validation on, each next one where the mean with it validates no worse.
    Greedy,
}

/// `batch_norm = "recompute"` or `"average"`: where the running statistics of BatchNorm come from.
///
/// Statistics of several models averaged are not those that averaged weights give rise to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AverageNorm {
    /// Taken anew in one pass over the training part with the averaged weights (PyTorch's `swa_utils.update_bn`).
    #[default]
    Recompute,
    /// Averaged like the weights.
    Average,
}
