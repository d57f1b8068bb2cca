//! What a ConvNeXt computes.

use tch::Tensor;

use super::{
    super::{
        layers::{Conv, LayerNorm, Linear, See, Source},
        network::{Body, Mode},
    },
    block::Block,
    layout::stages,
};
use crate::settings::Arch;

/// One of its networks with weights.
pub(in crate::model) fn build(arch: Arch, source: &Source<'_>) -> Box<dyn Body> {
    Box::new(ConvNeXt::new(arch, source))
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
    fn maps(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
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
        x
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
