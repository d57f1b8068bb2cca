//! The ConvNeXts of Liu et al. (2022) with torchvision's names, initialisation and arithmetic.

mod block;
mod layout;

use tch::Tensor;

use self::{
    block::Block,
    layout::{ALL, layout, stages},
};
use super::{
    layers::{Conv, LayerNorm, Linear, See, Source},
    network::{Body, Family, Mode},
    recognise::Names,
};
use crate::settings::Arch;

/// The family.
pub(super) static FAMILY: Family = Family {
    archs: &[Arch::ConvnextTiny],
    layout,
    sign: ["features.0.0.weight", "features.1.0.layer_scale"],
    parts: &["features"],
    arch,
};

/// One of its networks with weights.
pub(super) fn build(arch: Arch, source: &Source<'_>) -> Box<dyn Body> {
    Box::new(ConvNeXt::new(arch, source))
}

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

/// Stem, four stages of blocks, global average pool, norm, linear head.
struct ConvNeXt {
    stem: (Conv, LayerNorm),
    stages: Vec<Stage>,
    norm: LayerNorm,
    head: Linear,
}

struct Stage {
    /// What halves height and width before it; the first stage has the stem.
    halve: Option<(LayerNorm, Conv)>,
    blocks: Vec<Block>,
}

impl ConvNeXt {
    fn new(arch: Arch, source: &Source<'_>) -> Self {
        let stage = |(i, (blocks, _)): (usize, (usize, usize))| {
            let name = format!("features.{}", 2 * i);
            let blocks = (0..blocks).map(|b| format!("features.{}.{b}", 2 * i + 1));
            Stage {
                halve: (i > 0).then(|| {
                    let norm = LayerNorm::new(source, &format!("{name}.0"));
                    (norm, Conv::patches(source, &format!("{name}.1")))
                }),
                blocks: blocks.map(|name| Block::new(source, &name)).collect(),
            }
        };
        Self {
            stem: (
                Conv::patches(source, "features.0.0"),
                LayerNorm::new(source, "features.0.1"),
            ),
            stages: stages(arch).into_iter().enumerate().map(stage).collect(),
            norm: LayerNorm::new(source, "classifier.0"),
            head: Linear::new(source, "classifier.2"),
        }
    }
}

impl Body for ConvNeXt {
    fn features(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
        let train = mode.trains();
        let (conv, norm) = &self.stem;
        let mut x = norm.forward_2d(&conv.forward(x, train));
        let mut number = 0;
        for stage in &self.stages {
            if let Some((norm, conv)) = &stage.halve {
                x = conv.forward(&norm.forward_2d(&x), train);
            }
            for block in &stage.blocks {
                x = block.forward(&x, number, mode);
                number += 1;
            }
        }
        x.adaptive_avg_pool2d([1, 1]).flatten(1, -1)
    }

    fn logits(&self, features: &Tensor, mode: Mode<'_>) -> Tensor {
        self.head
            .forward(&self.norm.forward(features), mode.trains())
    }

    fn replace_head(&mut self, source: &Source<'_>) {
        self.head = Linear::new(source, "classifier.2");
    }

    fn visit(&self, see: &mut See<'_>) {
        let (conv, norm) = &self.stem;
        conv.visit("features.0.0", see);
        norm.visit("features.0.1", see);
        for (i, stage) in self.stages.iter().enumerate() {
            if let Some((norm, conv)) = &stage.halve {
                norm.visit(&format!("features.{}.0", 2 * i), see);
                conv.visit(&format!("features.{}.1", 2 * i), see);
            }
            for (b, block) in stage.blocks.iter().enumerate() {
                block.visit(&format!("features.{}.{b}", 2 * i + 1), see);
            }
        }
        self.norm.visit("classifier.0", see);
        self.head.visit("classifier.2", see);
    }

    /// Linearly from 0 at the first block to all of it at the last.
    fn depth(&self) -> Vec<f64> {
        let blocks: usize = self.stages.iter().map(|stage| stage.blocks.len()).sum();
        let last = (blocks.max(2) - 1) as f64;
        (0..blocks).map(|block| block as f64 / last).collect()
    }
}
