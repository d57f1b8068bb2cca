//! The only names a model file may mention.

use super::super::element::Element;
use crate::error::{Error, Result};

/// A known function or type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.FloatStorage` and its kin.
    Storage(Element),
    /// `torch.Size`
    Size,
    /// `torch.device`
    Device,
}

impl Global {
    /// The one of that name.
    ///
    /// # Errors
    /// For every other name: it could do anything.
    pub(super) fn named(module: &str, name: &str) -> Result<Self> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "Size") => Self::Size,
            ("torch", "device") => Self::Device,
            ("torch", "DoubleStorage") => Self::Storage(Element::F64),
            ("torch", "FloatStorage") => Self::Storage(Element::F32),
            ("torch", "HalfStorage") => Self::Storage(Element::F16),
            ("torch", "BFloat16Storage") => Self::Storage(Element::Bf16),
            ("torch", "LongStorage") => Self::Storage(Element::I64),
            ("torch", "IntStorage") => Self::Storage(Element::I32),
            ("torch", "ShortStorage") => Self::Storage(Element::I16),
            ("torch", "CharStorage") => Self::Storage(Element::I8),
            ("torch", "ByteStorage") => Self::Storage(Element::U8),
            ("torch", "BoolStorage") => Self::Storage(Element::Bool),
            _ => return Err(refuse(module, name)),
        })
    }

    /// Its name without the module.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OrderedDict => "OrderedDict",
            Self::RebuildTensor => "_rebuild_tensor_v2",
            Self::RebuildParameter => "_rebuild_parameter",
            Self::Storage(_) => "Storage",
            Self::Size => "Size",
            Self::Device => "device",
        }
    }
}

fn refuse(module: &str, name: &str) -> Error {
    // The file is not trusted with the terminal either.
    let shown: String = format!("{module}.{name}")
        .chars()
        .take(100)
        .flat_map(char::escape_default)
        .collect();
    Error::failed(format!(
        "`{shown}` is not allowed in a model file: nothing in it is executed"
    ))
    .help("save `model.state_dict()` with `torch.save`; a whole pickled model cannot be read")
}
