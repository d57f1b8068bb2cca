//! What a ResNet computes.

use tch::Tensor;

use super::{
    super::{
        layers::{BatchNorm, Conv, Linear, See, Source},
        network::{Body, Mode},
    },
    block::Block,
    layout::Blocks,
};
use crate::{native::max_pool, settings::Arch};

/// One of its networks with weights.
pub(in crate::model) fn build(arch: Arch, source: &Source<'_>) -> Box<dyn Body> {
    Box::new(ResNet::new(arch, source))
}

/// Stem, four layers of blocks, global average pool, linear head.
struct ResNet {
    conv1: Conv,
    bn1: BatchNorm,
    layers: [Vec<Block>; 4],
    fc: Linear,
}

impl ResNet {
    fn new(arch: Arch, source: &Source<'_>) -> Self {
        let blocks = Blocks::of(arch);
        let block = |layer: usize, i: usize| {
            let name = format!("layer{}.{i}", layer + 1);
            Block::new(source, &name, blocks.bottleneck, layer > 0 && i == 0)
        };
        let layer = |layer: usize| (0..blocks.counts[layer]).map(|i| block(layer, i)).collect();
        Self {
            conv1: Conv::new(source, "conv1", 2),
            bn1: BatchNorm::new(source, "bn1"),
            layers: std::array::from_fn(layer),
            fc: Linear::new(source, "fc"),
        }
    }
}

impl Body for ResNet {
    fn maps(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
        let train = mode.trains();
        let stem = self.conv1.forward(x, train);
        let stem = self.bn1.forward(&stem, None, true, train);
        let pooled = max_pool(&stem).unwrap_or_else(|error| panic!("{error}"));
        let mut x =
            pooled.unwrap_or_else(|| stem.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false));
        for block in self.layers.iter().flatten() {
            x = block.forward(&x, train);
        }
        x
    }

    fn pooled(&self, maps: &Tensor) -> Tensor {
        maps.mean_dim([2i64, 3].as_slice(), false, None)
    }

    fn logits(&self, features: &Tensor, mode: Mode<'_>) -> Tensor {
        self.fc.forward(features, mode.trains())
    }

    fn replace_head(&mut self, source: &Source<'_>) {
        self.fc = Linear::new(source, "fc");
    }

    fn visit(&self, see: &mut See<'_>) {
        self.conv1.visit("conv1", see);
        self.bn1.visit("bn1", see);
        for (l, layer) in self.layers.iter().enumerate() {
            for (i, block) in layer.iter().enumerate() {
                block.visit(&format!("layer{}.{i}", l + 1), see);
            }
        }
        self.fc.visit("fc", see);
    }
}
