//! ResNets, heads, freezing, and model files: safetensors and PyTorch's `.pt`.
//!
//! [`StateDict`], [`safetensors`], [`pytorch`], [`layout`] and [`mod@file`] are pure Rust: the program `kfood` inspects and
//! converts model files with them and never touches libtorch. [`ResNet`] is the only tensor code here.

mod bounds;
mod catalog;
mod element;
pub mod file;
#[cfg(feature = "tensors")]
mod forward_file;
pub mod layout;
mod network;
pub mod pytorch;
#[cfg(feature = "tensors")]
mod resnet;
pub mod safetensors;
mod sense;
mod state_dict;
mod tensor_data;

pub use file::{
    ModelState, export, load, load_all, load_members, load_network, load_weights, write_ensemble,
};
#[cfg(feature = "tensors")]
pub use forward_file::forward_file;
#[cfg(feature = "tensors")]
pub use resnet::{ResNet, to_data, to_tensor};
pub use state_dict::StateDict;
pub use tensor_data::{DType, TensorData};
