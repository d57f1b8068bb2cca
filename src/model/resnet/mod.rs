//! The residual networks of He et al. (2015) with torchvision's names, initialisation and arithmetic.

#[cfg(feature = "tensors")]
mod block;
#[cfg(feature = "tensors")]
mod body;
mod layout;
mod onnx;

#[cfg(feature = "tensors")]
pub(in crate::model) use self::body::build;
use self::layout::{ALL, Blocks, layout};
use super::{families::Family, recognise::Names};
use crate::settings::Arch;

/// The family.
pub(super) static FAMILY: Family = Family {
    archs: &[
        Arch::Resnet18,
        Arch::Resnet34,
        Arch::Resnet50,
        Arch::Resnet101,
        Arch::Resnet152,
    ],
    layout,
    sign: ["conv1.weight", "layer1.0.conv1.weight"],
    parts: &[
        "conv",
        "bn",
        "layer",
        "downsample",
        "stem",
        "se",
        "attnpool",
    ],
    arch,
    onnx: onnx::nodes,
    timm: str::to_owned,
};

/// The architecture with these numbers of blocks.
fn arch(names: &Names<'_>) -> Result<Arch, String> {
    let count = |layer: usize| names.count(|block| format!("layer{layer}.{block}.conv1.weight"));
    let found = Blocks {
        bottleneck: names.has("layer1.0.conv3.weight"),
        counts: [1, 2, 3, 4].map(count),
    };
    let known = ALL.iter().find(|(_, blocks)| *blocks == found);
    known.map(|(arch, _)| *arch).ok_or_else(|| {
        let kind = if found.bottleneck {
            "bottleneck"
        } else {
            "basic"
        };
        format!("its layers have {:?} {kind} blocks", found.counts)
    })
}
