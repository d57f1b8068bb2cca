//! A ConvNeXt as nodes of ONNX, in evaluation mode: what `body.rs` and `block.rs` compute.

use super::{
    super::onnx::{Graph, Value},
    layout::stages,
};
use crate::settings::Arch;

/// From channels first to channels last.
const LAST: [i64; 4] = [0, 2, 3, 1];
/// And back.
const FIRST: [i64; 4] = [0, 3, 1, 2];

/// From images to logits.
pub(super) fn nodes(arch: Arch, graph: &mut Graph<'_>, x: &str) -> Value {
    let mut x = graph.patches(x, "features.0.0");
    x = norm_2d(graph, &x, "features.0.1");
    for (i, (blocks, _)) in stages(arch).into_iter().enumerate() {
        if i > 0 {
            x = norm_2d(graph, &x, &format!("features.{}.0", 2 * i));
            x = graph.patches(&x, &format!("features.{}.1", 2 * i));
        }
        for number in 0..blocks {
            x = block(graph, &x, &format!("features.{}.{number}", 2 * i + 1));
        }
    }
    let features = graph.pool(&x);
    let features = graph.layer_norm(&features, "classifier.0");
    graph.linear(&features, "classifier.2")
}

/// A LayerNorm over the channels of each pixel.
fn norm_2d(graph: &mut Graph<'_>, x: &str, name: &str) -> Value {
    let x = graph.permute(x, name, &LAST);
    let x = graph.layer_norm(&x, name);
    graph.permute(&x, name, &FIRST)
}

/// `x + scale * linear(gelu(linear(norm(depthwise(x)))))`.
fn block(graph: &mut Graph<'_>, x: &str, name: &str) -> Value {
    let y = graph.depthwise(x, &format!("{name}.block.0"), 1);
    let y = graph.permute(&y, &format!("{name}.block.1"), &LAST);
    let y = graph.layer_norm(&y, &format!("{name}.block.2"));
    let y = graph.linear_last(&y, &format!("{name}.block.3"));
    let y = graph.gelu(&y, &format!("{name}.block.4"));
    let y = graph.linear_last(&y, &format!("{name}.block.5"));
    let y = graph.permute(&y, &format!("{name}.block.6"), &FIRST);
    let scale = graph.weight(&format!("{name}.layer_scale"));
    let y = graph.node("Mul", name, &[&scale, &y], vec![]);
    graph.add(&y, x, name)
}
