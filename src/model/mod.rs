//! Networks, heads, freezing, and model files: safetensors and PyTorch's `.pt`.
//!
//! Every family of networks has a folder: its layout, how it is recognised in a file, and its arithmetic on shared layers.
//! Outside of it a network is a [`Network`], whatever its family.
//!
//! [`StateDict`], [`safetensors`], [`pytorch`], [`layout`] and [`mod@file`] are pure Rust: the program `kfood` inspects and
//! converts model files with them and never touches libtorch.

mod bounds;
mod catalog;
mod convnext;
mod efficientnet;
mod element;
mod families;
pub mod file;
mod folder;
#[cfg(feature = "tensors")]
mod forward_file;
#[cfg(feature = "tensors")]
mod init;
#[cfg(feature = "tensors")]
mod layers;
pub mod layout;
#[cfg(feature = "tensors")]
mod network;
pub mod onnx;
mod published;
pub mod pytorch;
mod recognise;
mod resnet;
pub mod safetensors;
mod sense;
mod state_dict;
#[cfg(feature = "tensors")]
mod tensor;
mod tensor_data;
pub mod timm;
mod wrapped;

/// What a model file may be, where nothing better can be told.
const ACCEPTED: &str =
    "accepted are safetensors and what PyTorch's `torch.save(model.state_dict(), …)` writes";

pub use file::{
    ModelState, export, load, load_all, load_members, load_network, load_weights, write_ensemble,
};
pub use folder::model_folder;
#[cfg(feature = "tensors")]
pub use forward_file::forward_file;
#[cfg(feature = "tensors")]
pub use network::{Drops, Mode, Network, Noise};
pub use published::begins_with;
pub use state_dict::StateDict;
#[cfg(feature = "tensors")]
pub use tensor::{to_data, to_tensor};
pub use tensor_data::{DType, TensorData};
