//! What an EfficientNet computes.

use tch::Tensor;

use super::{
    super::{
        layers::{Linear, See, Source},
        network::{Body, Mode},
    },
    block::{Block, ConvNorm},
    layout::shape,
};
use crate::settings::Arch;

/// One of its networks with weights.
pub(in crate::model) fn build(arch: Arch, source: &Source<'_>) -> Box<dyn Body> {
    Box::new(EfficientNet::new(arch, source))
}

/// Stem, seven stages of blocks, a last convolution, global average pool, linear head.
struct EfficientNet {
    stem: ConvNorm,
    stages: Vec<Vec<Block>>,
    last: ConvNorm,
    head: Linear,
}

impl EfficientNet {
    fn new(arch: Arch, source: &Source<'_>) -> Self {
        let (_, stages) = shape(arch);
        let built = stages.iter().enumerate().map(|(i, stage)| {
            let block = |b: usize| {
                let name = format!("features.{}.{b}.block", i + 1);
                Block::new(source, &name, stage, b == 0)
            };
            (0..stage.blocks).map(block).collect()
        });
        Self {
            stem: ConvNorm::new(source, "features.0", 2),
            stages: built.collect(),
            last: ConvNorm::new(source, "features.8", 1),
            head: Linear::new(source, "classifier.1"),
        }
    }
}

impl Body for EfficientNet {
    fn maps(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
        let train = mode.trains();
        let mut x = self.stem.forward(x, train);
        for (number, block) in self.stages.iter().flatten().enumerate() {
            x = block.forward(&x, number, mode);
        }
        self.last.forward(&x, train)
    }

    fn logits(&self, features: &Tensor, mode: Mode<'_>) -> Tensor {
        let features = mode.drop_elements(features.shallow_clone());
        self.head.forward(&features, mode.trains())
    }

    fn replace_head(&mut self, source: &Source<'_>) {
        self.head = Linear::new(source, "classifier.1");
    }

    fn visit(&self, see: &mut See<'_>) {
        self.stem.visit("features.0", see);
        for (i, stage) in self.stages.iter().enumerate() {
            for (b, block) in stage.iter().enumerate() {
                block.visit(&format!("features.{}.{b}.block", i + 1), see);
            }
        }
        self.last.visit("features.8", see);
        self.head.visit("classifier.1", see);
    }

    /// Growing from 0 at the first block; blocks that do not add their input have nothing to drop.
    fn depth(&self) -> Vec<f64> {
        let blocks: Vec<_> = self.stages.iter().flatten().collect();
        let share = |(i, block): (usize, &&Block)| match block.adds {
            true => i as f64 / blocks.len() as f64,
            false => 0.0,
        };
        blocks.iter().enumerate().map(share).collect()
    }
}
