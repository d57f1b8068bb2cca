//! The ConvNeXts of Liu et al. (2022) with torchvision's names, initialisation and arithmetic.

#[cfg(feature = "tensors")]
mod block;
#[cfg(feature = "tensors")]
mod body;
mod layout;
mod onnx;
mod timm;

#[cfg(feature = "tensors")]
pub(in crate::model) use self::body::build;
use self::layout::{ALL, layout};
use super::{families::Family, recognise::Names};
use crate::settings::Arch;

/// The family.
pub(super) static FAMILY: Family = Family {
    archs: &[Arch::ConvnextTiny],
    layout,
    sign: ["features.0.0.weight", "features.1.0.layer_scale"],
    parts: &["features"],
    arch,
    onnx: onnx::nodes,
    timm: timm::name,
};

/// The architecture with these numbers of blocks and channels.
fn arch(names: &Names<'_>) -> Result<Arch, String> {
    let found = [1, 3, 5, 7].map(|stage| {
        let scale = |block| format!("features.{stage}.{block}.layer_scale");
        let channels = names.shape(&scale(0)).and_then(|shape| shape.first());
        (names.count(scale), channels.copied().unwrap_or(0))
    });
    let known = ALL.iter().find(|(_, stages)| *stages == found);
    known.map(|(arch, _)| *arch).ok_or_else(|| {
        let (blocks, channels) = (found.map(|s| s.0), found.map(|s| s.1));
        format!("its stages have {blocks:?} blocks of {channels:?} channels")
    })
}
