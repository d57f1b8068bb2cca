//! The EfficientNets of Tan and Le (2019) with torchvision's names, initialisation and arithmetic.

#[cfg(feature = "tensors")]
mod block;
#[cfg(feature = "tensors")]
mod body;
mod layout;
mod onnx;
#[cfg(feature = "tensors")]
mod squeeze;
mod timm;

#[cfg(feature = "tensors")]
pub(in crate::model) use self::body::build;
use self::layout::{ALL, layout};
use super::{families::Family, recognise::Names};
use crate::settings::Arch;

/// The family.
pub(super) static FAMILY: Family = Family {
    archs: &[Arch::EfficientnetB0],
    layout,
    sign: ["features.0.0.weight", "features.1.0.block.1.fc1.weight"],
    parts: &["features"],
    arch,
    onnx: onnx::nodes,
    timm: timm::name,
};

/// The architecture with these numbers of blocks and this stem.
fn arch(names: &Names<'_>) -> Result<Arch, String> {
    let blocks = [1, 2, 3, 4, 5, 6, 7]
        .map(|stage| names.count(|block| format!("features.{stage}.{block}.block.0.0.weight")));
    let stem = names.shape("features.0.0.weight");
    let stem = stem.and_then(|shape| shape.first()).copied().unwrap_or(0);
    let fits = |(channels, stages): &layout::Shape| {
        (stem, blocks) == (*channels, stages.map(|stage| stage.blocks))
    };
    let known = ALL.iter().find(|(_, shape)| fits(shape));
    known
        .map(|(arch, _)| *arch)
        .ok_or_else(|| format!("its stages have {blocks:?} blocks behind {stem} channels"))
}
