//! How the weights of several models are averaged.

use super::{Checkpoint, declare::words};

words! {
    /// `checkpoint = "best"`, `"last"` or `"kept"`: which epochs of each training go into an average.
    #[derive(Default)]
    pub enum AverageOf {
        /// The best one.
        #[default]
        Best = "best",
        /// The last one.
        Last = "last",
        /// All that its `keep_last` kept: stochastic weight averaging (Izmailov et al., 2018).
        Kept = "kept",
    }
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

words! {
    /// `rule = "uniform"` or `"greedy"` (Wortsman et al., 2022, "Model soups").
    #[derive(Default)]
    pub enum AverageRule {
        /// The mean of all.
        #[default]
        Uniform = "uniform",
        /// From the best by validation on, each next one where the mean with it validates no worse.
        Greedy = "greedy",
    }
}

words! {
    /// `batch_norm = "recompute"` or `"average"`: where the running statistics of BatchNorm come from.
    ///
    /// Statistics of several models averaged are not those that averaged weights give rise to.
    #[derive(Default)]
    pub enum AverageNorm {
        /// Taken anew in one pass over the training part with the averaged weights (PyTorch's `swa_utils.update_bn`).
        #[default]
        Recompute = "recompute",
        /// Averaged like the weights.
        Average = "average",
    }
}
