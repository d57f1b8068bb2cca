//! Which tensors a ResNet has. Source: torchvision 0.26 `models/resnet.py`; the stride of a bottleneck sits in its 3x3
//! convolution ("v1.5").

use super::super::layout::{First, List, Role, Slot};
use crate::settings::{Arch, NetworkSettings};

/// The shape of an architecture: its kind of block, and how many of them each layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Three convolutions (1x1, 3x3, 1x1) instead of two of 3x3.
    pub(super) bottleneck: bool,
    /// Blocks in `layer1` to `layer4`.
    pub(super) counts: [usize; 4],
}

/// All networks of the family.
pub(super) const ALL: [(Arch, Blocks); 5] = [
    (Arch::Resnet18, Blocks::new(false, [2, 2, 2, 2])),
    (Arch::Resnet34, Blocks::new(false, [3, 4, 6, 3])),
    (Arch::Resnet50, Blocks::new(true, [3, 4, 6, 3])),
    (Arch::Resnet101, Blocks::new(true, [3, 4, 23, 3])),
    (Arch::Resnet152, Blocks::new(true, [3, 8, 36, 3])),
];

impl Blocks {
    const fn new(bottleneck: bool, counts: [usize; 4]) -> Self {
        Self { bottleneck, counts }
    }

    /// The blocks of an architecture of this family.
    pub(super) fn of(arch: Arch) -> Self {
        let found = ALL.iter().find(|(of, _)| *of == arch);
        found.expect("the network is a ResNet").1
    }

    /// Output channels of a block for each of its inner channels.
    const fn expansion(self) -> usize {
        if self.bottleneck { 4 } else { 1 }
    }
}

/// All tensors in torchvision's order. Convolutions and head as `torch.nn.Linear` and torchvision draw them.
pub(super) fn layout(network: &NetworkSettings, classes: usize) -> Vec<Slot> {
    let blocks = Blocks::of(network.arch);
    let mut list = List::default();
    conv(&mut list, "conv1", 64, 3, 7);
    list.batch_norm("bn1", 64);
    let mut inputs = 64;
    for (layer, &count) in blocks.counts.iter().enumerate() {
        let inner = 64 << layer;
        let outputs = inner * blocks.expansion();
        for number in 0..count {
            let name = format!("layer{}.{number}", layer + 1);
            let last = block(&mut list, &name, blocks.bottleneck, inputs, inner);
            if network.zero_init_residual == Some(true) {
                begin_as_shortcut(&mut list, &last);
            }
            if number == 0 && (layer > 0 || inputs != outputs) {
                conv(
                    &mut list,
                    &format!("{name}.downsample.0"),
                    outputs,
                    inputs,
                    1,
                );
                list.batch_norm(&format!("{name}.downsample.1"), outputs);
            }
            inputs = outputs;
        }
    }
    // torch.nn.Linear: kaiming_uniform_ with a = √5, which comes to ±1/√inputs for weight and bias alike.
    let first = First::Uniform(1.0 / (inputs as f64).sqrt());
    list.add("fc.weight", &[classes, inputs], Role::HeadWeight, first);
    list.add("fc.bias", &[classes], Role::HeadBias, first);
    list.0
}

fn conv(list: &mut List, name: &str, outputs: usize, inputs: usize, side: usize) {
    let shape = [outputs, inputs, side, side];
    let first = First::kaiming(outputs, side);
    list.add(format!("{name}.weight"), &shape, Role::Weight, first);
}

/// A block without its shortcut; gives the name of its last BatchNorm.
fn block(list: &mut List, name: &str, bottleneck: bool, inputs: usize, inner: usize) -> String {
    let convs: &[(usize, usize, usize)] = if bottleneck {
        &[(inner, inputs, 1), (inner, inner, 3), (inner * 4, inner, 1)]
    } else {
        &[(inner, inputs, 3), (inner, inner, 3)]
    };
    let mut last = String::new();
    for (i, &(outputs, inputs, side)) in convs.iter().enumerate() {
        conv(
            list,
            &format!("{name}.conv{}", i + 1),
            outputs,
            inputs,
            side,
        );
        last = format!("{name}.bn{}", i + 1);
        list.batch_norm(&last, outputs);
    }
    last
}

/// Lets a block begin as its shortcut: the weight of its last BatchNorm is 0 at first, so that a deep network first learns as a
/// shallow one (Goyal et al., 2017; torchvision's `zero_init_residual`).
fn begin_as_shortcut(list: &mut List, norm: &str) {
    let name = format!("{norm}.weight");
    if let Some(slot) = list.0.iter_mut().find(|slot| slot.name == name) {
        slot.first = First::Constant(0.0);
    }
}
