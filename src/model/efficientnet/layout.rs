//! Which tensors an EfficientNet has. Source: torchvision 0.26 `models/efficientnet.py`.

use super::super::layout::{First, List, Role, Slot};
use crate::settings::{Arch, NetworkSettings};

/// A stage of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// Times as many channels within a block as go into it.
    pub(super) expand: usize,
    /// The side of the depthwise convolution.
    pub(super) side: usize,
    /// The stride of the first block.
    pub(super) stride: i64,
    /// The channels that come out.
    pub(super) channels: usize,
    /// How many blocks.
    pub(super) blocks: usize,
}

/// Channels of the stem, and the stages.
pub(super) type Shape = (usize, [Stage; 7]);

/// All networks of the family.
pub(super) const ALL: [(Arch, Shape); 1] = [(
    Arch::EfficientnetB0,
    (
        32,
        [
            stage(1, 3, 1, 16, 1),
            stage(6, 3, 2, 24, 2),
            stage(6, 5, 2, 40, 2),
            stage(6, 3, 2, 80, 3),
            stage(6, 5, 1, 112, 3),
            stage(6, 5, 2, 192, 4),
            stage(6, 3, 1, 320, 1),
        ],
    ),
)];

const fn stage(expand: usize, side: usize, stride: i64, channels: usize, blocks: usize) -> Stage {
    Stage {
        expand,
        side,
        stride,
        channels,
        blocks,
    }
}

/// The shape of an architecture of this family.
pub(super) fn shape(arch: Arch) -> Shape {
    let found = ALL.iter().find(|(of, _)| *of == arch);
    found.expect("the network is an EfficientNet").1
}

/// Channels behind the last convolution for each before it.
const LAST: usize = 4;

/// All tensors in torchvision's order.
pub(super) fn layout(network: &NetworkSettings, classes: usize) -> Vec<Slot> {
    let (stem, stages) = shape(network.arch);
    let mut list = List::default();
    conv_norm(&mut list, "features.0", [stem, 3, 3]);
    let mut inputs = stem;
    for (i, stage) in stages.iter().enumerate() {
        for block in 0..stage.blocks {
            let name = format!("features.{}.{block}.block", i + 1);
            add_block(&mut list, &name, stage, inputs);
            inputs = stage.channels;
        }
    }
    let last = format!("features.{}", stages.len() + 1);
    conv_norm(&mut list, &last, [LAST * inputs, inputs, 1]);
    let shape = [classes, LAST * inputs];
    let first = First::Uniform(1.0 / (classes as f64).sqrt());
    list.add("classifier.1.weight", &shape, Role::HeadWeight, first);
    let zero = First::Constant(0.0);
    list.add("classifier.1.bias", &[classes], Role::HeadBias, zero);
    list.0
}

fn add_block(list: &mut List, name: &str, stage: &Stage, inputs: usize) {
    let inner = stage.expand * inputs;
    let mut number = 0..;
    let mut next = || format!("{name}.{}", number.next().unwrap_or_default());
    if stage.expand > 1 {
        conv_norm(list, &next(), [inner, inputs, 1]);
    }
    conv_norm(list, &next(), [inner, 1, stage.side]);
    let squeezed = (inputs / 4).max(1);
    let excite = next();
    conv_bias(list, &format!("{excite}.fc1"), [squeezed, inner]);
    conv_bias(list, &format!("{excite}.fc2"), [inner, squeezed]);
    conv_norm(list, &next(), [stage.channels, inner, 1]);
}

/// A convolution without bias, and its BatchNorm.
fn conv_norm(list: &mut List, name: &str, [outputs, inputs, side]: [usize; 3]) {
    let shape = [outputs, inputs, side, side];
    let first = First::kaiming(outputs, side);
    list.add(format!("{name}.0.weight"), &shape, Role::Weight, first);
    list.batch_norm(&format!("{name}.1"), outputs);
}

/// A convolution of 1x1 with a bias.
fn conv_bias(list: &mut List, name: &str, [outputs, inputs]: [usize; 2]) {
    let shape = [outputs, inputs, 1, 1];
    let first = First::kaiming(outputs, 1);
    list.add(format!("{name}.weight"), &shape, Role::Weight, first);
    let zero = First::Constant(0.0);
    list.add(format!("{name}.bias"), &[outputs], Role::Bias, zero);
}
