//! What is declared of a family of networks.

/// Networks that are built alike, as far as a pipeline file knows them.
#[derive(Debug)]
pub struct Family {
    /// Its layers in the order of the forward pass, the head last: what `train_layers` names, what `gradual_unfreezing` thaws one by
    /// one, and what `layer_decay` counts.
    pub layers: &'static [LayerGroup],
    /// The shortest side in pixels of an image that reaches the end of it.
    pub least_side: u32,
    /// The default of `zero_init_residual`, where its networks have that setting.
    pub zero_init_residual: Option<bool>,
    /// The default of `stochastic_depth`, likewise.
    pub stochastic_depth: Option<f64>,
    /// The default of `dropout`, likewise.
    pub dropout: Option<f64>,
    /// Where the same training once gave other bits: a number in its key, raised each time.
    pub revision: Option<u32>,
}

/// A layer: its name, which is torchvision's of its first module, and what the names of its tensors begin with.
#[derive(Debug)]
pub struct LayerGroup {
    /// As written in a pipeline file.
    pub name: &'static str,
    /// The modules of torchvision that it consists of.
    pub modules: &'static [&'static str],
}

impl LayerGroup {
    pub(super) const fn new(name: &'static str, modules: &'static [&'static str]) -> Self {
        Self { name, modules }
    }
}

impl Family {
    /// The number of the layer that a tensor of this name belongs to. A name of no layer is taken for one of the head.
    #[must_use]
    pub fn layer_of(&self, tensor: &str) -> usize {
        let within = |module: &&str| {
            let rest = tensor.strip_prefix(*module);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let layer = self
            .layers
            .iter()
            .position(|layer| layer.modules.iter().any(within));
        layer.unwrap_or_else(|| self.head())
    }

    /// The number of the layer of this name.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer.name == name)
    }

    /// The number of the last layer.
    #[must_use]
    pub const fn head(&self) -> usize {
        self.layers.len().saturating_sub(1)
    }

    /// The names of its layers.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.layers.iter().map(|layer| layer.name)
    }
}
