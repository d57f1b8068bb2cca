//! What each optimizer keeps and does, a file for each, called like that of its settings.

use tch::Tensor;

use super::{flat::Flat, group::Group};
use crate::{
    error::Result,
    settings::{Optimizer, each_optimizer},
};

/// An optimizer, with its settings.
pub(super) trait Rule {
    /// The kinds of state that it keeps, by PyTorch's names.
    fn state(&self) -> Vec<&'static str>;

    /// Moves the parameters of these groups, each with its gradients; waits for nothing. `all` are the latter in the model's order.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn step(&self, groups: &[(&Group, &Flat)], all: &[Tensor]) -> Result<()>;
}

macro_rules! rules {
    ($($(# $attribute:tt)* $name:ident in $file:ident = $word:literal),* $(,)?) => {
        $(mod $file;)*

        /// That of an optimizer's settings.
        pub(super) fn rule(optimizer: &Optimizer) -> &dyn Rule {
            match optimizer {
                $(Optimizer::$name(settings) => settings,)*
            }
        }
    };
}

each_optimizer!(rules);
