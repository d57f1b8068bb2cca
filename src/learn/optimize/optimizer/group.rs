//! Parameters that take their steps alike.

use tch::{Kind, Tensor};

use super::{flat::Flat, rules};
use crate::{
    error::Result,
    model::layout::Layout,
    settings::{Optimizer as Settings, Training},
};

/// Parameters with the same learning rate and weight decay, that are trained from the same epoch on. They are a stretch of the
/// model's flat parameters, with a flat state.
pub(super) struct Group {
    pub(super) names: Vec<String>,
    /// What a backward pass leaves gradients with, for each parameter: itself, or its bf16 copy.
    pub(super) leaves: Vec<Tensor>,
    pub(super) params: Flat,
    /// Each kind of state by PyTorch's name of it.
    pub(super) state: Vec<(&'static str, Flat)>,
    /// Steps so far, a float scalar beside the parameters.
    pub(super) count: Tensor,
    /// The learning rate of the next step, a float scalar beside the parameters: a recorded step reads it there.
    pub(super) lr: Tensor,
    /// Times the learning rate of the training.
    pub(super) lr_factor: f64,
    pub(super) weight_decay: f64,
}

impl Group {
    /// With a fresh state. The parameters move to `params`, and the model's tensors with them.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn new(settings: &Settings, share: Share, params: Tensor) -> Result<Self> {
        let _guard = tch::no_grad_guard();
        let device = params.device();
        let (names, mut leaves): (Vec<_>, Vec<_>) = share.params.into_iter().unzip();
        let params = Flat::new(params, &leaves)?;
        let state = rules::rule(settings)
            .state()
            .into_iter()
            .map(|kind| Ok((kind, Flat::new(params.whole.f_zeros_like()?, &leaves)?)))
            .collect::<Result<_>>()?;
        for (leaf, place) in leaves.iter_mut().zip(&params.pieces) {
            place.shallow_clone().f_copy_(leaf)?;
            // Not a new tensor: the model holds this one.
            leaf.set_data(place);
        }
        let lr_kind = if device.is_cuda() {
            Kind::Float
        } else {
            Kind::Double
        };
        Ok(Self {
            names,
            leaves,
            params,
            state,
            count: Tensor::f_zeros([], (Kind::Float, device))?,
            lr: Tensor::f_full([], settings.lr() * share.lr_factor, (lr_kind, device))?,
            lr_factor: share.lr_factor,
            weight_decay: share.weight_decay,
        })
    }

    /// Whether a backward pass leaves gradients: what is frozen stands still, with its state.
    pub(super) fn trains(&self) -> bool {
        self.leaves.iter().any(Tensor::requires_grad)
    }

    /// The state of this kind, where the optimizer keeps one.
    pub(super) fn kept(&self, kind: &str) -> Option<&Flat> {
        let found = self.state.iter().find(|(name, _)| *name == kind);
        found.map(|(_, flat)| flat)
    }

    /// The state of a kind that the optimizer always keeps.
    pub(super) fn state(&self, kind: &str) -> &Flat {
        self.kept(kind)
            .expect("a rule names every kind of state that it asks for")
    }
}

/// The parameters of a group before it has a state.
pub(super) struct Share {
    pub(super) params: Vec<(String, Tensor)>,
    lr_factor: f64,
    weight_decay: f64,
    /// Given where layers are thawed one after the other: each then counts its own steps.
    layer: Option<usize>,
}

/// The parameters of a network, given by name in their order, as groups in the order of their first members.
///
/// Weight decay follows torchvision's `set_weight_decay`: `bias_weight_decay` holds for every bias, `norm_weight_decay` for what
/// else norms have, the optimizer's own for the rest. The learning rate is multiplied by `layer_decay` once for each layer
/// between a parameter and the head (timm's `layer_decay`, with its coarse groups).
pub(super) fn shares(
    training: &Training,
    params: Vec<(String, Tensor)>,
    layout: &Layout,
    by_layer: bool,
) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for (name, param) in params {
        let behind = layout.before_head(&name) as i32;
        let lr_factor = training.layer_decay.get().powi(behind);
        let weight_decay = weight_decay(training, &name, layout);
        let layer = by_layer.then(|| layout.layer_of(&name));
        let place = shares.iter().position(|share| {
            (share.lr_factor, share.weight_decay, share.layer) == (lr_factor, weight_decay, layer)
        });
        let place = place.unwrap_or_else(|| {
            shares.push(Share {
                params: Vec::new(),
                lr_factor,
                weight_decay,
                layer,
            });
            shares.len() - 1
        });
        shares[place].params.push((name, param));
    }
    shares
}

fn weight_decay(training: &Training, name: &str, layout: &Layout) -> f64 {
    let own = match (training.bias_weight_decay, training.norm_weight_decay) {
        (Some(decay), _) if layout.is_bias(name) => Some(decay),
        (_, Some(decay)) if layout.is_norm(name) => Some(decay),
        _ => None,
    };
    own.map_or(training.optimizer.weight_decay(), |decay| decay.get())
}
