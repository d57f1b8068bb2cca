//! The names a pickle mentions: a few that make tensors and dictionaries, and all others, which make nothing.

use std::rc::Rc;

use super::super::element::Element;
use crate::text;

/// A function or type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`, and `defaultdict`, whose factory is of no use here.
    Dict,
    /// `torch._utils._rebuild_tensor_v2`, and its first version, which has fewer arguments.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`, with or without a state.
    RebuildParameter,
    /// `torch.FloatStorage` and its kin.
    Storage(Element),
    /// One whose elements no network here has, of that name and that many bytes: only its place in a file matters.
    OddStorage(&'static str, usize),
    /// `torch.Size`
    Size,
    /// Any other name. Nothing of it is looked up or run: what it would make is opaque.
    Unknown(Rc<str>),
}

/// Characters of a name that are kept to be told.
const TOLD: usize = 100;

impl Global {
    /// The one of that name.
    pub(super) fn named(module: &str, name: &str) -> Self {
        match (module, name) {
            ("collections", "OrderedDict" | "defaultdict") => Self::Dict,
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Self::RebuildParameter
            }
            ("torch", "Size") => Self::Size,
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
            ("torch", "ComplexFloatStorage") => Self::OddStorage("ComplexFloatStorage", 8),
            ("torch", "ComplexDoubleStorage") => Self::OddStorage("ComplexDoubleStorage", 16),
            ("torch", "QInt8Storage") => Self::OddStorage("QInt8Storage", 1),
            ("torch", "QUInt8Storage") => Self::OddStorage("QUInt8Storage", 1),
            ("torch", "QUInt4x2Storage") => Self::OddStorage("QUInt4x2Storage", 1),
            ("torch", "QUInt2x4Storage") => Self::OddStorage("QUInt2x4Storage", 1),
            ("torch", "QInt32Storage") => Self::OddStorage("QInt32Storage", 4),
            ("torch" | "torch.storage", "UntypedStorage") => Self::OddStorage("UntypedStorage", 1),
            _ => {
                let short = |text: &str| text.chars().take(TOLD).collect::<String>();
                let told = format!("{}.{}", short(module), short(name));
                Self::Unknown(text::shown(&told).into())
            }
        }
    }

    /// Its name, to be told.
    pub(super) fn name(&self) -> Rc<str> {
        match self {
            Self::Dict => "collections.OrderedDict".into(),
            Self::RebuildTensor => "torch._utils._rebuild_tensor_v2".into(),
            Self::RebuildParameter => "torch._utils._rebuild_parameter".into(),
            Self::Storage(_) => "torch.storage".into(),
            Self::Size => "torch.Size".into(),
            Self::OddStorage(name, _) => format!("torch.{name}").into(),
            Self::Unknown(name) => name.clone(),
        }
    }
}
