//! Where settings of a place were said.

use std::collections::BTreeMap;

use serde_json::Value;

use super::location::Location;

/// Where a setting was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    /// An option of the command line.
    Flag,
    /// An environment variable.
    Environment(&'static str),
    /// A file.
    File(Location),
    /// Nowhere.
    Default,
}

/// What was said, by path.
pub(super) type Said = BTreeMap<String, (Value, Whence)>;
