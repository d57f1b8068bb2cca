//! Which tensors a network has: names, shapes, order as in torchvision's `state_dict()`, what each is for, and its first values.

use std::collections::HashMap;

use super::families::family;
use crate::settings::{Arch, Family, NetworkSettings};

/// What a tensor is for; decides how it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The weight of a convolution, [out, in, k, k], or of a linear layer, [out, in].
    Weight,
    /// The bias of one.
    Bias,
    /// The weight of a BatchNorm or LayerNorm.
    NormWeight,
    /// Its bias.
    NormBias,
    /// The running mean of a BatchNorm.
    NormMean,
    /// The running variance of a BatchNorm.
    NormVar,
    /// Training batches a BatchNorm has seen; an i64 scalar.
    NormCount,
    /// What a residual branch is multiplied by, channel by channel.
    Scale,
    /// The weight of the last linear layer, [classes, features].
    HeadWeight,
    /// Its bias.
    HeadBias,
}

/// The first values of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum First {
    /// The same everywhere; a count is 0.
    Constant(f32),
    /// From N(0, std²), given std.
    Normal(f64),
    /// Uniform within ± this.
    Uniform(f64),
}

impl First {
    /// He et al., 2015: keeps the variance of gradients through rectifiers (`kaiming_normal_` with `fan_out`, which is
    /// outputs * k * k for grouped convolutions too).
    #[must_use]
    pub fn kaiming(outputs: usize, side: usize) -> Self {
        Self::Normal((2.0 / (outputs * side * side) as f64).sqrt())
    }
}

/// One tensor of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Its name in a state dict.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
    /// What it is at first.
    pub first: First,
}

/// All tensors of a network in torchvision's order.
#[must_use]
pub fn slots(arch: Arch, classes: usize) -> Vec<Slot> {
    (family(arch).layout)(&NetworkSettings::of(arch), classes)
}

/// The slots of weight and bias of a network's last linear layer.
pub(crate) fn head(arch: Arch, classes: usize) -> [Slot; 2] {
    let mut slots = slots(arch, classes);
    let mut take = |role| {
        let place = slots.iter().position(|slot| slot.role == role);
        slots.swap_remove(place.expect("every network has a head"))
    };
    [take(Role::HeadWeight), take(Role::HeadBias)]
}

/// What is known of a network's tensors by their names.
#[derive(Debug)]
pub struct Layout {
    family: &'static Family,
    roles: HashMap<String, Role>,
}

impl Layout {
    /// Of an architecture.
    #[must_use]
    pub fn of(arch: Arch) -> Self {
        let slots = slots(arch, 1);
        Self {
            family: arch.family(),
            roles: slots.into_iter().map(|s| (s.name, s.role)).collect(),
        }
    }

    /// What a tensor is for.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<Role> {
        self.roles.get(name).copied()
    }

    /// Whether it is a parameter of a BatchNorm or LayerNorm.
    #[must_use]
    pub fn is_norm(&self, name: &str) -> bool {
        matches!(self.role(name), Some(Role::NormWeight | Role::NormBias))
    }

    /// Whether it is a bias, that of a norm too.
    #[must_use]
    pub fn is_bias(&self, name: &str) -> bool {
        let role = self.role(name);
        matches!(role, Some(Role::Bias | Role::NormBias | Role::HeadBias))
    }

    /// The number of the layer that it belongs to.
    #[must_use]
    pub fn layer_of(&self, name: &str) -> usize {
        self.family.layer_of(name)
    }

    /// How many layers lie between it and the end: 0 for the head.
    #[must_use]
    pub fn before_head(&self, name: &str) -> usize {
        self.family.head() - self.layer_of(name)
    }
}

/// The slots of a network while they are put together.
#[derive(Debug, Default)]
pub(super) struct List(pub(super) Vec<Slot>);

impl List {
    pub(super) fn add(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        role: Role,
        first: First,
    ) {
        self.0.push(Slot {
            name: name.into(),
            shape: shape.to_vec(),
            role,
            first,
        });
    }

    /// A BatchNorm: at first it normalises and nothing else.
    pub(super) fn batch_norm(&mut self, name: &str, channels: usize) {
        self.layer_norm(name, channels);
        let (zero, one) = (First::Constant(0.0), First::Constant(1.0));
        let shape = &[channels];
        self.add(format!("{name}.running_mean"), shape, Role::NormMean, zero);
        self.add(format!("{name}.running_var"), shape, Role::NormVar, one);
        self.add(
            format!("{name}.num_batches_tracked"),
            &[],
            Role::NormCount,
            zero,
        );
    }

    /// A LayerNorm, likewise.
    pub(super) fn layer_norm(&mut self, name: &str, channels: usize) {
        let (zero, one) = (First::Constant(0.0), First::Constant(1.0));
        self.add(format!("{name}.weight"), &[channels], Role::NormWeight, one);
        self.add(format!("{name}.bias"), &[channels], Role::NormBias, zero);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sum(p.numel() for p in model.parameters())` and `len(model.state_dict())` of torchvision 0.26 with 1000 classes.
    #[test]
    fn counts_of_parameters_and_tensors_are_torchvisions() {
        let wanted = [
            (11_689_512, 122),
            (21_797_672, 218),
            (25_557_032, 320),
            (44_549_160, 626),
            (60_192_808, 932),
            (28_589_128, 182),
            (5_288_548, 360),
        ];
        for (arch, (parameters, tensors)) in Arch::ALL.into_iter().zip(wanted) {
            let slots = slots(arch, 1000);
            let trained = |slot: &&Slot| {
                !matches!(slot.role, Role::NormMean | Role::NormVar | Role::NormCount)
            };
            let sum: usize = slots
                .iter()
                .filter(trained)
                .map(|s| s.shape.iter().product::<usize>())
                .sum();
            assert_eq!((sum, slots.len()), (parameters, tensors), "{}", arch.name());
        }
    }

    #[test]
    fn every_layer_has_tensors_and_the_last_is_the_head() {
        for arch in Arch::ALL {
            let (family, slots) = (arch.family(), slots(arch, 3));
            let mut found: Vec<_> = slots.iter().map(|s| family.layer_of(&s.name)).collect();
            assert_eq!(found.last(), Some(&family.head()), "{}", arch.name());
            assert!(found.is_sorted(), "{}", arch.name());
            found.dedup();
            assert_eq!(found.len(), family.layers.len(), "{}", arch.name());
        }
    }
}
