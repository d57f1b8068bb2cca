//! What a pass of a training drops at random.

use tch::Tensor;

/// How a pass goes.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    /// BatchNorm uses its running statistics, nothing is dropped.
    Evaluation,
    /// BatchNorm uses and follows the statistics of the batch, except where it is frozen; what is given is dropped.
    Training(Option<&'a Noise>),
}

/// With which probability a training drops what.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drops {
    /// Of each residual branch, in the order of the forward pass, for an image.
    pub depth: Vec<f64>,
    /// Of each element of what the head sees, and how many elements that are.
    pub dropout: (f64, usize),
}

impl Drops {
    /// Whether branches are dropped.
    #[must_use]
    pub fn drops_branches(&self) -> bool {
        self.depth.iter().any(|probability| *probability > 0.0)
    }

    /// Whether elements are dropped.
    #[must_use]
    pub fn drops_elements(&self) -> bool {
        self.dropout.0 > 0.0
    }
}

/// What is dropped of the images of a batch: 0 where it is, 1 / (1 - probability) where it is not, f32 on the device.
pub struct Noise {
    /// [n, branches]; by it the branches are multiplied (Huang et al., 2016; torchvision's `StochasticDepth` of mode `row`).
    pub depth: Option<Tensor>,
    /// [n, features]; by it what the head sees is multiplied (Srivastava et al., 2014; `torch.nn.Dropout`).
    pub dropout: Option<Tensor>,
}

impl Mode<'_> {
    /// Whether it is a pass of a training.
    #[must_use]
    pub const fn trains(self) -> bool {
        matches!(self, Self::Training(_))
    }

    fn noise(&self) -> Option<&Noise> {
        match self {
            Self::Training(noise) => *noise,
            Self::Evaluation => None,
        }
    }

    /// A residual branch [n, c, h, w] of this number with what is dropped of it.
    pub(in crate::model) fn drop_branch(self, number: usize, x: Tensor) -> Tensor {
        let Some(depth) = self.noise().and_then(|noise| noise.depth.as_ref()) else {
            return x;
        };
        let rows = depth.select(1, number as i64).view([-1, 1, 1, 1]);
        &x * rows.to_kind(x.kind())
    }

    /// What the head sees, [n, features], with what is dropped of it.
    pub(in crate::model) fn drop_elements(self, x: Tensor) -> Tensor {
        match self.noise().and_then(|noise| noise.dropout.as_ref()) {
            Some(dropout) => &x * dropout.to_kind(x.kind()),
            None => x,
        }
    }
}
