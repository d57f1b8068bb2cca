//! The graph of stages and its check: references, cycles, order, what a target needs, and drawings of it.

mod draw;
mod graph;

pub use draw::{Format, draw};
pub use graph::Graph;
