//! One image on its way to the model: its geometry, its colours, what it loses; sampled and normalised in one pass.

mod affine;
mod augment;
mod color;
mod geometry;
mod render;
mod sample;

pub(super) use affine::Size;
pub(super) use augment::{Augmented, Window, resized, shown_size};
pub(super) use color::{Color, Operation};
pub(super) use geometry::{Geometry, Map};
pub(super) use render::{Recipe, render};
pub(super) use sample::{Levels, sample};
