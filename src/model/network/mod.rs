//! A network, whatever its family: passes, freezing, weights in and out. A family gives a [`Body`] and says how it is laid out.

mod body;
mod noise;

use std::rc::Rc;

use tch::{Device, Kind, Tensor, no_grad_guard};

pub(super) use self::body::Body;
pub use self::noise::{Drops, Mode, Noise};
use super::{
    StateDict, TensorData,
    families::{build, family},
    file::check,
    init,
    layers::{Counts, Item, Source, entry},
    layout::{Layout, head, slots},
    tensor::{to_data, to_tensor},
};
use crate::{
    error::{Error, Result},
    native::next_turn,
    seed::Seed,
    settings::{Arch, NetworkSettings, TrainLayers},
};

/// A network with its weights on a device.
pub struct Network {
    arch: Arch,
    classes: usize,
    device: Device,
    body: Box<dyn Body>,
    /// What the host keeps of every BatchNorm.
    norms: Vec<Rc<Counts>>,
}

impl Network {
    /// A network with torchvision's initial values and its family's defaults.
    ///
    /// # Panics
    /// When the device has no memory left or is not there.
    #[must_use]
    pub fn new(arch: Arch, classes: usize, seed: Seed, device: Device) -> Self {
        Self::of(&NetworkSettings::of(arch), classes, seed, device)
    }

    /// The same with these settings. Every tensor is drawn from its own stream, so its bits depend on the seed and its name alone.
    ///
    /// # Panics
    /// As [`Network::new`].
    #[must_use]
    pub fn of(settings: &NetworkSettings, classes: usize, seed: Seed, device: Device) -> Self {
        let slots = (family(settings.arch).layout)(settings, classes);
        Self::build(settings.arch, classes, &init::state(&slots, seed), device)
    }

    /// A network with the weights of a file; floats of any width become f32.
    ///
    /// # Errors
    /// When tensors are missing, unexpected or of another shape than this architecture has.
    pub fn from_state(state: &StateDict, arch: Arch, device: Device) -> Result<Self> {
        let [_, bias] = head(arch, 1);
        let classes = state.get(&bias.name).map_or(0, TensorData::len);
        let state = check(state, arch, classes)?;
        Ok(Self::build(arch, classes, &state, device))
    }

    /// `state` holds exactly the slots of the architecture.
    fn build(arch: Arch, classes: usize, state: &StateDict, device: Device) -> Self {
        let slots = slots(arch, classes);
        let body = build(arch, &Source::new(state, &slots, device));
        let mut norms = Vec::new();
        body.visit(&mut |_, item| {
            if let Item::Counts(counts) = item {
                norms.push(Rc::clone(counts));
            }
        });
        Self {
            arch,
            classes,
            device,
            body,
            norms,
        }
    }

    /// Images [n, 3, height, width] in f32 (or bf16 under autocast) to logits [n, classes].
    ///
    /// # Panics
    /// When the shape is another one, the tensor lies on another device, or its memory is full.
    pub fn forward(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
        next_turn();
        self.body.forward(x, mode)
    }

    /// Images [n, 3, height, width] to what the head sees, [n, features].
    ///
    /// # Panics
    /// As [`Network::forward`].
    pub fn features(&self, x: &Tensor, mode: Mode<'_>) -> Tensor {
        next_turn();
        self.body.features(x, mode)
    }

    /// Where in each image the evidence for a class lies: Grad-CAM (Selvaraju et al., 2017) at the last feature maps, of images
    /// [n, 3, height, width] and a class for each to [n, h, w], nothing below 0.
    ///
    /// The head sees means over the maps, so the derivative of a logit by every place of a map is that by its mean, but for a factor that is
    /// the same everywhere: one pass through the network, and one back through the head alone, whatever that is.
    ///
    /// # Errors
    /// When libtorch refuses.
    ///
    /// # Panics
    /// As [`Network::forward`].
    pub fn attention(&self, x: &Tensor, classes: &[i64]) -> Result<Tensor> {
        next_turn();
        let maps = {
            let _guard = no_grad_guard();
            self.body.maps(x, Mode::Evaluation).f_to_kind(Kind::Float)?
        };
        let pooled = self
            .body
            .pooled(&maps)
            .f_detach()?
            .f_set_requires_grad(true)?;
        let logits = self.body.logits(&pooled, Mode::Evaluation);
        let classes = Tensor::f_from_slice(classes)?.f_to_device(self.device)?;
        let asked = logits.f_gather(1, &classes.f_unsqueeze(1)?, false)?;
        let [slopes]: [Tensor; 1] =
            Tensor::f_run_backward(&[asked.f_sum(Kind::Float)?], &[&pooled], false, false)?
                .try_into()
                .map_err(|_| Error::failed("libtorch gave no derivative of the head"))?;
        let weighted = maps.f_mul(&slopes.f_unsqueeze(-1)?.f_unsqueeze(-1)?)?;
        Ok(weighted
            .f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)?
            .f_relu()?)
    }

    /// Puts a new last linear layer in place of the old one, drawn as in [`Network::new`]; it is trainable.
    ///
    /// # Panics
    /// As [`Network::new`].
    pub fn replace_head(&mut self, classes: usize, seed: Seed) {
        let head = head(self.arch, classes);
        let state = init::state(&head, seed);
        self.body
            .replace_head(&Source::new(&state, &head, self.device));
        self.classes = classes;
    }

    /// As [`Network::replace_head`], for these classes; those of the same name among the classes of a source begin with its weights.
    /// Gives their names.
    ///
    /// # Errors
    /// When the source has no head of these classes.
    ///
    /// # Panics
    /// As [`Network::new`].
    pub fn replace_head_by_name(
        &mut self,
        classes: &[String],
        source: &StateDict,
        of_source: &[String],
        seed: Seed,
    ) -> Result<Vec<String>> {
        let head = head(self.arch, classes.len());
        let mut state = init::state(&head, seed);
        let place = |class: &String| of_source.iter().position(|other| other == class);
        for slot in &head {
            let row = slot.shape.iter().skip(1).product::<usize>();
            let theirs = source
                .get(&slot.name)
                .map(TensorData::to_f32)
                .unwrap_or_default();
            if theirs.len() != of_source.len() * row {
                return Err(Error::failed(format!(
                    "the source's `{}` is not that of its classes",
                    slot.name
                )));
            }
            let mut values = state
                .get(&slot.name)
                .map(TensorData::to_f32)
                .unwrap_or_default();
            for (own, class) in classes.iter().enumerate() {
                if let Some(other) = place(class) {
                    let from = &theirs[other * row..(other + 1) * row];
                    values[own * row..(own + 1) * row].copy_from_slice(from);
                }
            }
            state.insert(
                slot.name.clone(),
                TensorData::f32(slot.shape.clone(), &values)?,
            );
        }
        self.body
            .replace_head(&Source::new(&state, &head, self.device));
        self.classes = classes.len();
        Ok(classes
            .iter()
            .filter(|class| place(class).is_some())
            .cloned()
            .collect())
    }

    /// Freezes what lies before the trained layers, as [`Network::train_from`].
    ///
    /// # Errors
    /// When it has no layer of that name.
    pub fn freeze(&mut self, layers: TrainLayers) -> Result<()> {
        let first = self.first_layer(layers)?;
        self.train_from(first);
        Ok(())
    }

    /// The number of the first layer that is trained.
    ///
    /// # Errors
    /// As [`Network::freeze`].
    pub fn first_layer(&self, layers: TrainLayers) -> Result<usize> {
        let first = layers.first(self.arch.family());
        if let (None, TrainLayers::From(layer)) = (first, layers) {
            let (message, help) = self.arch.without_layer(layer);
            return Err(Error::usage(message).help(help));
        }
        Ok(first.unwrap_or(0))
    }

    /// Freezes what lies before a layer: parameters get no gradient, BatchNorm statistics stand still. What is trained is thawed, so
    /// that the last call counts.
    pub fn train_from(&mut self, layer: usize) {
        let family = self.arch.family();
        self.body.visit(&mut |name, item| {
            let on = family.layer_of(&name) >= layer;
            match item {
                Item::Parameter(parameter) => parameter.train(on),
                Item::Counts(counts) => counts.train(on),
                Item::Statistic(_) => {}
            }
        });
    }

    /// Counts a training batch (-1: takes one back) in `num_batches_tracked`: a recorded step runs without this model's
    /// knowledge, and one that is recorded counts without having run.
    pub fn count_batch(&self, by: i64) {
        self.norms.iter().for_each(|norm| norm.count(by));
    }

    /// Takes over the `num_batches_tracked` of another model of the same architecture.
    pub fn take_counts(&self, from: &Self) {
        for (to, from) in self.norms.iter().zip(&from.norms) {
            to.set(from.batches());
        }
    }

    /// Whether any of its layers keeps statistics of batches.
    #[must_use]
    pub fn has_batch_norm(&self) -> bool {
        !self.norms.is_empty()
    }

    /// How far BatchNorm's running statistics move to those of a batch from now on: 1 / k at batch k is their mean over the
    /// batches, whatever they were before; `None` is PyTorch's default of training, 0.1.
    pub fn follow(&self, share: Option<f64>) {
        self.norms.iter().for_each(|norm| norm.follow(share));
    }

    /// What its passes in a training drop by these settings.
    #[must_use]
    pub fn drops(&self, settings: &NetworkSettings) -> Drops {
        let share = settings.stochastic_depth.map_or(0.0, |share| share.get());
        let of_block = |depth: &f64| share * depth;
        let dropout = settings.dropout.map_or(0.0, |share| share.get());
        let [weight, _] = head(self.arch, self.classes);
        let depth = self.body.depth();
        Drops {
            depth: depth.iter().map(of_block).collect(),
            dropout: (dropout, weight.shape[1]),
        }
    }

    /// Parameters and BatchNorm statistics in torchvision's order; clones share memory with the model.
    #[must_use]
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut all = Vec::new();
        self.body.visit(&mut |_, item| match item {
            Item::Parameter(parameter) => all.push(parameter.value.shallow_clone()),
            Item::Statistic(tensor) => all.push(tensor.shallow_clone()),
            Item::Counts(_) => {}
        });
        all
    }

    /// The trained parameters in torchvision's order; clones share memory and gradients with the model.
    #[must_use]
    pub fn trainable(&self) -> Vec<(String, Tensor)> {
        let mut all = Vec::new();
        self.body.visit(&mut |name, item| {
            if let Item::Parameter(parameter) = item
                && parameter.value.requires_grad()
            {
                all.push((name, parameter.value.shallow_clone()));
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
        self.body.visit(&mut |name, item| {
            let data = match item {
                Item::Parameter(parameter) => to_data(&parameter.value),
                Item::Statistic(tensor) => to_data(tensor),
                Item::Counts(counts) => TensorData::i64_scalar(counts.batches()),
            };
            state.insert(name, data);
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
        self.body.visit(&mut |name, item| {
            let from = entry(&state, &name);
            match item {
                Item::Parameter(parameter) => copy(&parameter.value, from),
                Item::Statistic(tensor) => copy(tensor, from),
                Item::Counts(counts) => counts.set(from.as_i64().unwrap_or_default()),
            }
        });
        Ok(())
    }

    /// From now on training passes compute with `copy` of a name, where it gives one, in place of that weight or bias of a
    /// convolution or a linear layer. Copies are as the weights in all but their element type; gradients arrive there. Whoever gives
    /// them lets them follow the weights.
    pub fn compute_with(&mut self, copy: &mut dyn FnMut(&str) -> Option<Tensor>) {
        self.body.visit(&mut |name, item| {
            if let Item::Parameter(parameter) = item
                && parameter.takes_copy()
            {
                parameter.compute_with(copy(&name));
            }
        });
    }

    /// Gives the convolutions channels_last weights. Clones handed out before see the new memory too.
    pub fn to_channels_last(&mut self) {
        let _guard = no_grad_guard();
        self.body.visit(&mut |_, item| {
            if let Item::Parameter(parameter) = item {
                parameter.channels_last();
            }
        });
    }

    /// What its tensors are for, by name.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(self.arch)
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
}

/// Copies values into a tensor that keeps its memory and strides. To be called without gradients.
fn copy(to: &Tensor, from: &TensorData) {
    let from = to_tensor(from, to.device());
    to.shallow_clone().copy_(&from);
}
