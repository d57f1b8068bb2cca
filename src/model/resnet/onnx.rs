//! A ResNet as nodes of ONNX, in evaluation mode: what `body.rs` and `block.rs` compute.

use super::{
    super::onnx::{AttributeProto, Graph, Value},
    layout::Blocks,
};
use crate::settings::Arch;

/// From images to logits.
pub(super) fn nodes(arch: Arch, graph: &mut Graph<'_>, x: &str) -> Value {
    let blocks = Blocks::of(arch);
    let x = graph.conv(x, "conv1", 2);
    let x = graph.batch_norm(&x, "bn1");
    let x = graph.relu(&x, "relu");
    let attributes = vec![
        AttributeProto::ints("kernel_shape", &[3, 3]),
        AttributeProto::ints("pads", &[1; 4]),
        AttributeProto::ints("strides", &[2, 2]),
    ];
    let mut x = graph.node("MaxPool", "maxpool", &[&x], attributes);
    for (layer, &count) in blocks.counts.iter().enumerate() {
        for number in 0..count {
            let halves = layer > 0 && number == 0;
            let name = format!("layer{}.{number}", layer + 1);
            x = block(graph, &x, &name, blocks.bottleneck, halves);
        }
    }
    let features = graph.pool(&x);
    graph.linear(&features, "fc")
}

/// `relu(norm(conv(… x)) + shortcut(x))`; a bottleneck halves in its 3x3 convolution, a basic block in its first.
fn block(graph: &mut Graph<'_>, x: &str, name: &str, bottleneck: bool, halves: bool) -> Value {
    let (convs, halving) = if bottleneck { (3, 2) } else { (2, 1) };
    let stride = if halves { 2 } else { 1 };
    let mut y = x.to_owned();
    for number in 1..=convs {
        let stride = if number == halving { stride } else { 1 };
        y = graph.conv(&y, &format!("{name}.conv{number}"), stride);
        y = graph.batch_norm(&y, &format!("{name}.bn{number}"));
        if number < convs {
            y = graph.relu(&y, name);
        }
    }
    let mut shortcut = x.to_owned();
    if graph.has(&format!("{name}.downsample.0.weight")) {
        shortcut = graph.conv(x, &format!("{name}.downsample.0"), stride);
        shortcut = graph.batch_norm(&shortcut, &format!("{name}.downsample.1"));
    }
    let y = graph.add(&y, &shortcut, name);
    graph.relu(&y, name)
}
