//! Which tensors a ResNet has: names, shapes and order as in torchvision's `state_dict()`.
//!
//! Source: torchvision 0.26 `models/resnet.py`; the stride of a bottleneck sits in its 3x3 convolution ("v1.5").

use crate::settings::{Arch, Layer};

/// What a tensor is for; decides its initial values and whether it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The weight of a convolution, [out, in, k, k].
    Conv,
    /// The weight of a BatchNorm; 1 at first.
    NormWeight,
    /// The bias of a BatchNorm; 0 at first.
    NormBias,
    /// The running mean of a BatchNorm; 0 at first.
    NormMean,
    /// The running variance of a BatchNorm; 1 at first.
    NormVar,
    /// Training batches a BatchNorm has seen; an i64 scalar.
    NormCount,
    /// The weight of the head, [classes, features].
    HeadWeight,
    /// The bias of the head.
    HeadBias,
}

/// One tensor of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name in a state dict.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
}

/// The shape of an architecture: its kind of block, and how many of them each layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Three convolutions (1x1, 3x3, 1x1) instead of two of 3x3.
    pub bottleneck: bool,
    /// Blocks in `layer1` to `layer4`.
    pub counts: [usize; 4],
}

impl Blocks {
    /// The blocks of an architecture.
    #[must_use]
    pub const fn of(arch: Arch) -> Self {
        let (bottleneck, counts) = match arch {
            Arch::Resnet18 => (false, [2, 2, 2, 2]),
            Arch::Resnet34 => (false, [3, 4, 6, 3]),
            Arch::Resnet50 => (true, [3, 4, 6, 3]),
            Arch::Resnet101 => (true, [3, 4, 23, 3]),
            Arch::Resnet152 => (true, [3, 8, 36, 3]),
        };
        Self { bottleneck, counts }
    }

    /// Output channels of a block for each of its inner channels.
    #[must_use]
    pub const fn expansion(self) -> usize {
        if self.bottleneck { 4 } else { 1 }
    }

    /// Channels before the head.
    #[must_use]
    pub const fn features(self) -> usize {
        512 * self.expansion()
    }
}

/// All tensors in torchvision's order.
#[must_use]
pub fn slots(arch: Arch, classes: usize) -> Vec<Slot> {
    let blocks = Blocks::of(arch);
    let mut list = List(Vec::new());
    list.conv("conv1", 64, 3, 7);
    list.norm("bn1", 64);
    let mut inputs = 64;
    for (layer, &count) in blocks.counts.iter().enumerate() {
        let inner = 64 << layer;
        let outputs = inner * blocks.expansion();
        for block in 0..count {
            list.block(
                &format!("layer{}.{block}", layer + 1),
                blocks.bottleneck,
                inputs,
                inner,
            );
            if block == 0 && (layer > 0 || inputs != outputs) {
                let name = format!("layer{}.0.downsample", layer + 1);
                list.conv(&format!("{name}.0"), outputs, inputs, 1);
                list.norm(&format!("{name}.1"), outputs);
            }
            inputs = outputs;
        }
    }
    list.add(
        "fc.weight".to_owned(),
        vec![classes, inputs],
        Role::HeadWeight,
    );
    list.add("fc.bias".to_owned(), vec![classes], Role::HeadBias);
    list.0
}

/// The layer that a tensor of this name belongs to.
#[must_use]
pub fn layer_of(name: &str) -> Layer {
    match name.split('.').next() {
        Some("conv1" | "bn1") => Layer::Conv1,
        Some("layer1") => Layer::Layer1,
        Some("layer2") => Layer::Layer2,
        Some("layer3") => Layer::Layer3,
        Some("layer4") => Layer::Layer4,
        _ => Layer::Fc,
    }
}

struct List(Vec<Slot>);

impl List {
    fn add(&mut self, name: String, shape: Vec<usize>, role: Role) {
        self.0.push(Slot { name, shape, role });
    }

    fn conv(&mut self, name: &str, outputs: usize, inputs: usize, side: usize) {
        self.add(
            format!("{name}.weight"),
            vec![outputs, inputs, side, side],
            Role::Conv,
        );
    }

    fn norm(&mut self, name: &str, channels: usize) {
        self.add(format!("{name}.weight"), vec![channels], Role::NormWeight);
        self.add(format!("{name}.bias"), vec![channels], Role::NormBias);
        self.add(
            format!("{name}.running_mean"),
            vec![channels],
            Role::NormMean,
        );
        self.add(format!("{name}.running_var"), vec![channels], Role::NormVar);
        self.add(
            format!("{name}.num_batches_tracked"),
            vec![],
            Role::NormCount,
        );
    }

    fn block(&mut self, name: &str, bottleneck: bool, inputs: usize, inner: usize) {
        let convs: &[(usize, usize, usize)] = if bottleneck {
            &[(inner, inputs, 1), (inner, inner, 3), (inner * 4, inner, 1)]
        } else {
            &[(inner, inputs, 3), (inner, inner, 3)]
        };
        for (i, &(outputs, inputs, side)) in convs.iter().enumerate() {
            self.conv(&format!("{name}.conv{}", i + 1), outputs, inputs, side);
            self.norm(&format!("{name}.bn{}", i + 1), outputs);
        }
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
}
