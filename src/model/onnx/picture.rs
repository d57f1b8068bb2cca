//! From the bytes of a row to what a network sees, as nodes: centre crop, second resize, normalisation.

use super::{
    graph::{Graph, Value},
    proto::AttributeProto,
};
use crate::{record::Transform, settings::MeanStd};

/// Height and width of a row, and of what a network sees of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sizes {
    pub(super) row: [i64; 2],
    cropped: [i64; 2],
    pub(super) seen: [i64; 2],
}

impl Sizes {
    pub(super) fn of(transform: &Transform) -> Self {
        let resize = transform.pixels.resize;
        let row = [resize.height(), resize.width()].map(i64::from);
        let cropped = transform
            .center_crop
            .map_or(row, |side| [i64::from(side); 2]);
        let short = cropped[0].min(cropped[1]).max(1);
        // torchvision's `Resize(side)`: the longer side is rounded down.
        let seen = |side: u32| cropped.map(|length| i64::from(side) * length / short);
        Self {
            row,
            cropped,
            seen: transform.test_resolution.map_or(cropped, seen),
        }
    }
}

/// From u8 [batch, 3, height, width] to what the network sees, f32.
pub(super) fn nodes(graph: &mut Graph<'_>, x: &str, sizes: &Sizes, normalize: &MeanStd) -> Value {
    let to_float = AttributeProto::int("to", super::proto::FLOAT.into());
    let mut x = graph.node("Cast", "pixels", &[x], vec![to_float]);
    x = cropped(graph, x, sizes);
    x = resized(graph, x, sizes);
    normalised(graph, &x, normalize)
}

/// torchvision's `center_crop`, which is never larger than the row.
fn cropped(graph: &mut Graph<'_>, x: Value, sizes: &Sizes) -> Value {
    let (from, to) = (sizes.row, sizes.cropped);
    if from == to {
        return x;
    }
    let first = [0, 1].map(|side| ((from[side] - to[side]) as f64 / 2.0).round_ties_even() as i64);
    let end = [first[0] + to[0], first[1] + to[1]];
    let first = graph.ints("center_crop.first", &first);
    let end = graph.ints("center_crop.end", &end);
    let axes = graph.ints("center_crop.axes", &[2, 3]);
    graph.node("Slice", "center_crop", &[&x, &first, &end, &axes], vec![])
}

/// Bilinear without antialias; where a side shrinks to less than half, `n` samples to a pixel, as [`Transform`] says.
fn resized(graph: &mut Graph<'_>, x: Value, sizes: &Sizes) -> Value {
    let (from, to) = (sizes.cropped, sizes.seen);
    if from == to {
        return x;
    }
    let step = |side: usize| from[side] as f64 / to[side] as f64;
    let step = step(0).max(step(1));
    let samples = if step > 2.0 { step as i64 } else { 1 };
    let shape = graph.node(
        "Shape",
        "resize",
        &[&x],
        vec![AttributeProto::int("end", 2)],
    );
    let sides = graph.ints("resize.sides", &to.map(|side| side * samples));
    let axis = AttributeProto::int("axis", 0);
    let sides = graph.node("Concat", "resize", &[&shape, &sides], vec![axis]);
    let how = vec![
        AttributeProto::word("mode", "linear"),
        AttributeProto::word("coordinate_transformation_mode", "half_pixel"),
    ];
    let x = graph.node("Resize", "resize", &[&x, "", "", &sides], how);
    if samples == 1 {
        return x;
    }
    let sides = [samples; 2];
    let how = ["kernel_shape", "strides"].map(|name| AttributeProto::ints(name, &sides));
    graph.node("AveragePool", "resize", &[&x], how.to_vec())
}

/// `(value / 255 - mean) / std`.
fn normalised(graph: &mut Graph<'_>, x: &str, normalize: &MeanStd) -> Value {
    let most = graph.floats("normalize.most", &[], &[255.0]);
    let x = graph.node("Div", "normalize", &[x, &most], vec![]);
    if *normalize == MeanStd::IDENTITY {
        return x;
    }
    let channels = [1, 3, 1, 1];
    let mean = normalize.mean.map(|value| value as f32);
    let mean = graph.floats("normalize.mean", &channels, &mean);
    let std = normalize.std.map(|value| value as f32);
    let std = graph.floats("normalize.std", &channels, &std);
    let x = graph.node("Sub", "normalize", &[&x, &mean], vec![]);
    graph.node("Div", "normalize", &[&x, &std], vec![])
}
