//! An EfficientNet as nodes of ONNX, in evaluation mode: what `body.rs`, `block.rs` and `squeeze.rs` compute.

use super::{
    super::onnx::{Graph, Value},
    layout::{Stage, shape},
};
use crate::settings::Arch;

/// From images to logits.
pub(super) fn nodes(arch: Arch, graph: &mut Graph<'_>, x: &str) -> Value {
    let (_, stages) = shape(arch);
    let mut x = conv_norm(graph, x, "features.0", 2);
    x = graph.silu(&x, "features.0.2");
    for (i, stage) in stages.iter().enumerate() {
        for number in 0..stage.blocks {
            let name = format!("features.{}.{number}.block", i + 1);
            x = block(graph, &x, &name, stage, number == 0);
        }
    }
    let last = format!("features.{}", stages.len() + 1);
    x = conv_norm(graph, &x, &last, 1);
    x = graph.silu(&x, &format!("{last}.2"));
    let features = graph.pool(&x);
    graph.linear(&features, "classifier.1")
}

/// A convolution of torchvision's `Conv2dNormActivation`, and its BatchNorm.
fn conv_norm(graph: &mut Graph<'_>, x: &str, name: &str, stride: i64) -> Value {
    let y = graph.conv(x, &format!("{name}.0"), stride);
    graph.batch_norm(&y, &format!("{name}.1"))
}

/// Wider, each channel by itself, weighed, narrower; all but the first of a stage add their input.
fn block(graph: &mut Graph<'_>, x: &str, name: &str, stage: &Stage, first: bool) -> Value {
    let mut number = 0..;
    let mut next = || format!("{name}.{}", number.next().unwrap_or_default());
    let mut y = x.to_owned();
    if stage.expand > 1 {
        let name = next();
        y = conv_norm(graph, &y, &name, 1);
        y = graph.silu(&y, &name);
    }
    let name_of_depthwise = next();
    let stride = if first { stage.stride } else { 1 };
    y = graph.depthwise(&y, &format!("{name_of_depthwise}.0"), stride);
    y = graph.batch_norm(&y, &format!("{name_of_depthwise}.1"));
    y = graph.silu(&y, &name_of_depthwise);
    y = squeeze(graph, &y, &next());
    y = conv_norm(graph, &y, &next(), 1);
    if first { y } else { graph.add(&y, x, name) }
}

/// `x * sigmoid(conv(silu(conv(mean(x)))))`.
fn squeeze(graph: &mut Graph<'_>, x: &str, name: &str) -> Value {
    let mean = graph.node("GlobalAveragePool", name, &[x], vec![]);
    let y = graph.conv(&mean, &format!("{name}.fc1"), 1);
    let y = graph.silu(&y, name);
    let y = graph.conv(&y, &format!("{name}.fc2"), 1);
    let gate = graph.node("Sigmoid", name, &[&y], vec![]);
    graph.node("Mul", name, &[&gate, x], vec![])
}
