//! Which tensors a ConvNeXt has. Source: torchvision 0.26 `models/convnext.py`.

use super::super::layout::{First, List, Role, Slot};
use crate::settings::{Arch, NetworkSettings};

/// The blocks of a stage and their channels.
pub(super) type Stages = [(usize, usize); 4];

/// All networks of the family.
pub(super) const ALL: [(Arch, Stages); 1] =
    [(Arch::ConvnextTiny, [(3, 96), (3, 192), (9, 384), (3, 768)])];

/// The stages of an architecture of this family.
pub(super) fn stages(arch: Arch) -> Stages {
    let found = ALL.iter().find(|(of, _)| *of == arch);
    found.expect("the network is a ConvNeXt").1
}

/// Of convolutions and linear layers alike. torchvision's `trunc_normal_` cuts at ±2, which is a hundred of these: no draw comes
/// near it.
const WEIGHT: First = First::Normal(0.02);
const ZERO: First = First::Constant(0.0);

/// All tensors in torchvision's order.
pub(super) fn layout(network: &NetworkSettings, classes: usize) -> Vec<Slot> {
    let mut list = List::default();
    let stages = stages(network.arch);
    let mut inputs = 3;
    for (i, (blocks, channels)) in stages.into_iter().enumerate() {
        // The stem normalises behind its convolution, the others before it.
        if i == 0 {
            weighted(&mut list, "features.0.0", &[channels, inputs, 4, 4]);
            list.layer_norm("features.0.1", channels);
        } else {
            let name = format!("features.{}", 2 * i);
            list.layer_norm(&format!("{name}.0"), inputs);
            weighted(&mut list, &format!("{name}.1"), &[channels, inputs, 2, 2]);
        }
        for block in 0..blocks {
            add_block(
                &mut list,
                &format!("features.{}.{block}", 2 * i + 1),
                channels,
            );
        }
        inputs = channels;
    }
    list.layer_norm("classifier.0", inputs);
    let shape = [classes, inputs];
    list.add("classifier.2.weight", &shape, Role::HeadWeight, WEIGHT);
    list.add("classifier.2.bias", &[classes], Role::HeadBias, ZERO);
    list.0
}

fn add_block(list: &mut List, name: &str, channels: usize) {
    let scale = First::Constant(1e-6);
    let shape = [channels, 1, 1];
    list.add(format!("{name}.layer_scale"), &shape, Role::Scale, scale);
    weighted(list, &format!("{name}.block.0"), &[channels, 1, 7, 7]);
    list.layer_norm(&format!("{name}.block.2"), channels);
    weighted(list, &format!("{name}.block.3"), &[4 * channels, channels]);
    weighted(list, &format!("{name}.block.5"), &[channels, 4 * channels]);
}

/// A convolution or a linear layer with its bias.
fn weighted(list: &mut List, name: &str, shape: &[usize]) {
    list.add(format!("{name}.weight"), shape, Role::Weight, WEIGHT);
    list.add(format!("{name}.bias"), &shape[..1], Role::Bias, ZERO);
}
