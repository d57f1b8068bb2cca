//! What a model file of someone else may ask for: the one place for all formats.
//!
//! The bounds follow from what a network and its training can hold. A ResNet-152 has 932 tensors of at most four
//! dimensions, names of 40 characters and a pickle of 0.2 MB; with an average of its weights and the state of an optimiser
//! that is five times as much. Within them no file takes more than a few hundred MB or a second beside its own tensors.

/// Tensors in a file.
pub(super) const TENSORS: usize = 1 << 16;
/// Dimensions of a tensor.
pub(super) const DIMENSIONS: usize = 16;
/// Bytes of a name that is looked at; longer ones are nobody's parameter.
pub(super) const NAME: usize = 512;
/// Bytes of a safetensors header.
pub(super) const HEADER: usize = 8 << 20;
/// Bytes of a pickle; the tensors' bytes lie outside.
pub(super) const PICKLE: usize = 16 << 20;
/// Steps of a pickle, and items that it copies.
pub(super) const STEPS: usize = 1_000_000;
/// Levels of dictionaries and lists in which weights are looked for.
pub(super) const DEPTH: usize = 8;
/// Entries of a zip archive, and bytes of their names together.
pub(super) const ENTRIES: u64 = 1 << 17;
pub(super) const DIRECTORY: u64 = 16 << 20;
/// Networks in a file that are told apart.
pub(super) const NETWORKS: usize = 32;
