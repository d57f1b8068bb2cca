//! What a transfer took of its source, `source.json`: beside the result and no part of it.

use serde::{Deserialize, Serialize};

use crate::settings::Arch;

/// `source.json` of a transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceMatch {
    /// The published weights that the file is, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<String>,
    /// The network that was found in it.
    pub arch: Arch,
    /// Tensors that were taken as they are.
    pub taken: usize,
    /// Tensors of the head, which are new.
    pub new: Vec<String>,
    /// Names in the file that belong to no part of the network.
    pub left_over: Vec<String>,
    /// Tensors that have another shape here, such as a count written as a list of one.
    pub reshaped: Vec<String>,
    /// Tensors that the file holds in half precision.
    #[serde(default, skip_serializing_if = "is_none")]
    pub halves: usize,
    /// Outputs of the head in the file; `None` where it has none that is known.
    pub source_classes: Option<usize>,
    /// Outputs of the new head.
    pub classes: usize,
    /// Classes whose rows of the head were carried over by name.
    pub carried: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}
