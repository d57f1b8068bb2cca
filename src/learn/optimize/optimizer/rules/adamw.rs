//! `torch.optim.AdamW`.

use tch::Tensor;

use super::{Flat, Group, Rule, adam};
use crate::{error::Result, settings::Adamw};

impl Rule for Adamw {
    fn state(&self) -> Vec<&'static str> {
        adam::STATE.to_vec()
    }

    fn step(&self, groups: &[(&Group, &Flat)], _: &[Tensor]) -> Result<()> {
        adam::step(self.betas, self.eps, true, groups)
    }
}
