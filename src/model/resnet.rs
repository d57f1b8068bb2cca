//! The residual networks of He et al. (2015) with torchvision's names, initialisation and arithmetic.

mod block;
mod conv;
mod init;
mod norm;
mod tensor;

use std::iter;

use tch::{Device, Tensor, no_grad_guard};

pub use self::tensor::{to_data, to_tensor};
use self::{block::Block, conv::Conv, norm::BatchNorm};
use super::{
    StateDict, TensorData,
    file::check,
    layout::{Blocks, Role, Slot, slots},
};
use crate::{
    error::Result,
    native::{max_pool, next_turn},
    seed::Seed,
    settings::{Arch, Layer, TrainLayers},
};

/// A ResNet: stem, four layers of blocks, global average pool, linear head.
pub struct ResNet {
    arch: Arch,
    classes: usize,
    device: Device,
    conv1: Conv,
    bn1: BatchNorm,
    layers: [Vec<Block>; 4],
    head: Head,
}

/// One entry of a state dict as the model holds it.
enum Item<'a> {
    Tensor(&'a Tensor),
    Count(i64),
}

/// What training passes compute with in place of the parameter of a name, if there is such a thing.
type Copies<'a> = &'a mut dyn FnMut(&str) -> Option<Tensor>;

/// The linear layer at the end: [n, features] to [n, classes].
struct Head {
    weight: Tensor,
    bias: Tensor,
    /// Training passes compute with these in place of weight and bias.
    copies: Option<[Tensor; 2]>,
}

impl Head {
    fn new(source: &tensor::Source<'_>) -> Self {
        Self {
            weight: source.parameter("fc.weight"),
            bias: source.parameter("fc.bias"),
            copies: None,
        }
    }

    fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        match self.copies.as_ref().filter(|_| train) {
            Some([weight, bias]) => x.linear(weight, Some(bias)),
            None => x.linear(&self.weight, Some(&self.bias)),
        }
    }
}

impl ResNet {
    /// A model with torchvision's initial values: convolutions from N(0, 2 / fan_out), BatchNorm weight 1 and bias 0, head
    /// uniform in ±1/√features. Every tensor is drawn from its own stream, so its bits depend on the seed and its name alone.
    ///
    /// # Panics
    /// When the device has no memory left or is not there.
    #[must_use]
    pub fn new(arch: Arch, classes: usize, seed: Seed, device: Device) -> Self {
        let state = init::state(&slots(arch, classes), Blocks::of(arch).features(), seed);
        Self::build(arch, classes, &state, device)
    }

    /// A model with the weights of a file; floats of any width become f32.
    ///
    /// # Errors
    /// When tensors are missing, unexpected or of another shape than this architecture has.
    pub fn from_state(state: &StateDict, arch: Arch, device: Device) -> Result<Self> {
        let classes = state.get("fc.bias").map_or(0, |bias| bias.len());
        let state = check(state, arch, classes)?;
        Ok(Self::build(arch, classes, &state, device))
    }

    /// `state` holds exactly the slots of the architecture.
    fn build(arch: Arch, classes: usize, state: &StateDict, device: Device) -> Self {
        let source = tensor::Source::new(state, device);
        let blocks = Blocks::of(arch);
        let layers = std::array::from_fn(|layer| {
            (0..blocks.counts[layer])
                .map(|i| {
                    Block::new(
                        &source,
                        &format!("layer{}.{i}", layer + 1),
                        blocks.bottleneck,
                        layer > 0 && i == 0,
                    )
                })
                .collect()
        });
        Self {
            arch,
            classes,
            device,
            conv1: Conv::new(&source, "conv1", 2),
            bn1: BatchNorm::new(&source, "bn1"),
            layers,
            head: Head::new(&source),
        }
    }

    /// Images [n, 3, height, width] in f32 (or bf16 under autocast) to logits [n, classes].
    ///
    /// `train` makes BatchNorm use and follow the statistics of the batch, except where it is frozen.
    ///
    /// # Panics
    /// When the shape is another one, the tensor lies on another device, or its memory is full.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.head.forward(&self.features(x, train), train)
    }

    /// Images [n, 3, height, width] to what the head sees, [n, features].
    ///
    /// # Panics
    /// As [`ResNet::forward`].
    pub fn features(&self, x: &Tensor, train: bool) -> Tensor {
        next_turn();
        let stem = self
            .bn1
            .forward(&self.conv1.forward(x, train), None, true, train);
        let pooled = max_pool(&stem).unwrap_or_else(|error| panic!("{error}"));
        let mut x =
            pooled.unwrap_or_else(|| stem.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false));
        for block in self.layers.iter().flatten() {
            x = block.forward(&x, train);
        }
        x.mean_dim([2i64, 3].as_slice(), false, None)
    }

    /// Puts a new head in place of the old one, drawn as in [`ResNet::new`]; it is trainable.
    ///
    /// # Panics
    /// As [`ResNet::new`].
    pub fn replace_head(&mut self, classes: usize, seed: Seed) {
        let head: Vec<Slot> = slots(self.arch, classes)
            .into_iter()
            .filter(|slot| matches!(slot.role, Role::HeadWeight | Role::HeadBias))
            .collect();
        let state = init::state(&head, Blocks::of(self.arch).features(), seed);
        let source = tensor::Source::new(&state, self.device);
        self.head = Head::new(&source);
        self.classes = classes;
    }

    /// Freezes what lies before the trained layers: its parameters get no gradient, its BatchNorm statistics stand still.
    /// What is trained is thawed, so that the last call counts.
    pub fn freeze(&mut self, layers: TrainLayers) {
        let first = layers.first();
        let trains = |layer: Layer| layer >= first;
        self.conv1.train(trains(Layer::Conv1));
        self.bn1.train(trains(Layer::Conv1));
        let names = [Layer::Layer1, Layer::Layer2, Layer::Layer3, Layer::Layer4];
        for (layer, name) in self.layers.iter_mut().zip(names) {
            for block in layer {
                block.train(trains(name));
            }
        }
        // The head lies behind every layer that can be named, so it is always trained.
        let _ = self.head.weight.set_requires_grad(true);
        let _ = self.head.bias.set_requires_grad(true);
    }

    /// Counts a training batch (-1: takes one back) in `num_batches_tracked`: a recorded step runs without this model's
    /// knowledge, and one that is recorded counts without having run.
    pub fn count_batch(&self, by: i64) {
        self.norms().for_each(|norm| norm.count(by));
    }

    /// Takes over the `num_batches_tracked` of another model of the same architecture.
    pub fn take_counts(&self, from: &Self) {
        for (to, from) in self.norms().zip(from.norms()) {
            to.take_count(from);
        }
    }

    fn norms(&self) -> impl Iterator<Item = &BatchNorm> {
        let blocks = self.layers.iter().flatten();
        iter::once(&self.bn1).chain(blocks.flat_map(Block::norms))
    }

    /// Lets every residual block begin as the identity: the weight of its last BatchNorm becomes 0, so that a deep network first
    /// learns as a shallow one (Goyal et al., 2017; torchvision's `zero_init_residual`).
    pub fn zero_init_residual(&mut self) {
        let _guard = no_grad_guard();
        self.layers
            .iter_mut()
            .flatten()
            .for_each(Block::zero_residual);
    }

    /// Parameters and BatchNorm statistics in torchvision's order; clones share memory with the model.
    #[must_use]
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut all = Vec::new();
        self.visit(&mut |_, item| {
            if let Item::Tensor(tensor) = item {
                all.push(tensor.shallow_clone());
            }
        });
        all
    }

    /// How far BatchNorm's running statistics move to those of a batch from now on: 1 / k at batch k is their mean over the
    /// batches, whatever they were before; `None` is PyTorch's default of training, 0.1.
    pub fn follow(&self, share: Option<f64>) {
        self.bn1.follow(share);
        for block in self.layers.iter().flatten() {
            block.follow(share);
        }
    }

    /// The trained parameters in torchvision's order; clones share memory and gradients with the model.
    #[must_use]
    pub fn trainable(&self) -> Vec<(String, Tensor)> {
        let mut all = Vec::new();
        self.visit(&mut |name, item| {
            if let Item::Tensor(tensor) = item
                && tensor.requires_grad()
            {
                all.push((name, tensor.shallow_clone()));
            }
        });
        all
    }

    /// Everything under torchvision's names and in its order: f32, and `num_batches_tracked` as i64 scalars.
    ///
    /// # Panics
    /// When memory is full.
    #[must_use]
    pub fn state(&self) -> StateDict {
        let mut state = StateDict::new();
        self.visit(&mut |name, item| {
            state.insert(
                name,
                match item {
                    Item::Tensor(tensor) => to_data(tensor),
                    Item::Count(count) => TensorData::i64_scalar(count),
                },
            );
        });
        state
    }

    /// Copies values into the present tensors; their memory, layout and gradients stay where they are.
    ///
    /// # Errors
    /// When tensors are missing, unexpected or of another shape; the model is then unchanged.
    pub fn load_state(&mut self, state: &StateDict) -> Result<()> {
        let state = check(state, self.arch, self.classes)?;
        let _guard = no_grad_guard();
        self.conv1.load(&state, "conv1");
        self.bn1.load(&state, "bn1");
        for (l, layer) in self.layers.iter_mut().enumerate() {
            for (i, block) in layer.iter_mut().enumerate() {
                block.load(&state, &format!("layer{}.{i}", l + 1));
            }
        }
        tensor::copy(&mut self.head.weight, &state, "fc.weight");
        tensor::copy(&mut self.head.bias, &state, "fc.bias");
        Ok(())
    }

    /// From now on training passes compute with `copy` of a name, where it gives one, in place of that weight of a convolution or
    /// of the head. Copies are as the weights in all but their element type; gradients arrive there. Whoever gives them lets them
    /// follow the weights.
    pub fn compute_with(&mut self, copy: &mut dyn FnMut(&str) -> Option<Tensor>) {
        self.conv1.compute_with("conv1", copy);
        for (l, layer) in self.layers.iter_mut().enumerate() {
            for (i, block) in layer.iter_mut().enumerate() {
                block.compute_with(&format!("layer{}.{i}", l + 1), copy);
            }
        }
        self.head.copies = copy("fc.weight").zip(copy("fc.bias")).map(Into::into);
    }

    /// Gives the convolutions channels_last weights. Clones handed out before see the new memory too.
    pub fn to_channels_last(&mut self) {
        let _guard = no_grad_guard();
        self.conv1.channels_last();
        for block in self.layers.iter_mut().flatten() {
            block.channels_last();
        }
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The architecture.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// Where it lies.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Every tensor in torchvision's order.
    fn visit(&self, see: &mut dyn FnMut(String, Item<'_>)) {
        self.conv1.visit("conv1", see);
        self.bn1.visit("bn1", see);
        for (l, layer) in self.layers.iter().enumerate() {
            for (i, block) in layer.iter().enumerate() {
                block.visit(&format!("layer{}.{i}", l + 1), see);
            }
        }
        see("fc.weight".to_owned(), Item::Tensor(&self.head.weight));
        see("fc.bias".to_owned(), Item::Tensor(&self.head.bias));
    }
}
