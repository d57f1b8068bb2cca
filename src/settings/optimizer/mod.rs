//! Optimizers, with PyTorch's names and defaults; LAMB with timm's.

use super::declare::variants;

/// The one list of optimizers: for each the name of its settings, its files here and among the rules in
/// `learn::optimize::optimizer`, which are called alike, and its name in a pipeline file.
///
/// `each_optimizer!(made)` is `made!` of them all.
macro_rules! each_optimizer {
    ($made:ident) => {
        $made! {
            /// Stochastic gradient descent (`torch.optim.SGD`).
            #[example = "{ lr = 0.001 }"]
            Sgd in sgd = "sgd",
            /// Adam with L2 weight decay (`torch.optim.Adam`; Kingma and Ba, 2014).
            Adam in adam = "adam",
            /// Adam with decoupled weight decay (`torch.optim.AdamW`; Loshchilov and Hutter, 2017).
            Adamw in adamw = "adamw",
            /// Steps divided by the root of the running mean of squared gradients (`torch.optim.RMSprop`; Tieleman and Hinton, 2012).
            Rmsprop in rmsprop = "rmsprop",
            /// Adam with steps in proportion to the norm of each tensor, for large batches (`timm.optim.Lamb`; You et al., 2019).
            Lamb in lamb = "lamb",
        }
    };
}

#[cfg(feature = "tensors")]
pub(crate) use each_optimizer;

macro_rules! optimizers {
    ($(
        $(#[doc = $doc:literal])*
        $(#[example = $example:literal])?
        $name:ident in $file:ident = $word:literal
    ),* $(,)?) => {
        $(mod $file;
        pub use self::$file::$name;)*

        variants! {
            /// With PyTorch's names and defaults; LAMB with timm's.
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub enum Optimizer as "optimizer" with Common {
                $($(#[doc = $doc])* $(#[example = $example])? $name($name) = $word,)*
            }
        }
    };
}

each_optimizer!(optimizers);

/// What every optimizer has.
trait Common {
    /// The base learning rate.
    fn lr(&self) -> f64;

    /// Weight decay.
    fn weight_decay(&self) -> f64;

    /// Takes another momentum, or first beta in the optimizers that have betas.
    fn set_momentum(&mut self, momentum: f64);
}

impl Optimizer {
    /// The base learning rate, which a schedule multiplies.
    #[must_use]
    pub fn lr(&self) -> f64 {
        self.common().lr()
    }

    /// With another momentum, or first beta in the optimizers that have betas.
    #[must_use]
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        self.common_mut().set_momentum(momentum);
        self
    }

    /// Weight decay of parameters for which nothing else is said.
    #[must_use]
    pub fn weight_decay(&self) -> f64 {
        self.common().weight_decay()
    }
}
