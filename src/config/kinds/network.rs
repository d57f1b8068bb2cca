//! `arch`, and the settings that only some networks have.

use toml::Spanned;

use crate::{
    config::{build::Builder, data_path::Network, fields::Fields, file::Span},
    settings::{
        Arch, Augment, NetworkSettings, Probability, Resize, Side, TrainLayers, Training,
        declare::fields,
    },
};

fields! {
    /// The network.
    pub(crate) struct Given read as GivenRead {
        /// The network, as in torchvision.
        arch: Arch,
        /// Of ResNets: each residual block begins as the identity (torchvision's setting of that name).
        #[unset = "false"]
        zero_init_residual: Option<bool>,
    }
}

fields! {
    /// What a step of training drops.
    pub(crate) struct DropsGiven read as DropsRead {
        /// Of ConvNeXt and EfficientNet: how often an image passes by the last residual block in training.
        #[unset = "torchvision's"]
        stochastic_depth: Option<Probability>,
        /// Of EfficientNet: how much of what the head sees is 0 in training.
        #[unset = "torchvision's"]
        dropout: Option<Probability>,
    }
}

/// A network with its settings, defaults filled in, and where `arch` stands.
pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Spanned<NetworkSettings>> {
    let read = GivenRead::take(fields);
    let given = read.arch;
    let arch = given.as_ref().map(|arch| *arch.get_ref());
    let zero_init_residual = own(fields, arch, "zero_init_residual", read.zero_init_residual);
    let drops = drops(fields, arch);
    let mut network = NetworkSettings::of(arch?);
    if let Some(given) = zero_init_residual {
        network.zero_init_residual = Some(given.into_inner());
    }
    let network = network
        .with(drops.stochastic_depth(), drops.dropout())
        .ok()?;
    Some(Spanned::new(given?.span(), network))
}

/// What a training drops, as far as it is given.
pub(crate) struct Drops {
    stochastic_depth: Option<Spanned<Probability>>,
    dropout: Option<Spanned<Probability>>,
}

/// `stochastic_depth` and `dropout`, of a network where it is known which.
pub(crate) fn drops(fields: &mut Fields<'_, '_>, arch: Option<Arch>) -> Drops {
    let read = DropsRead::take(fields);
    Drops {
        stochastic_depth: own(fields, arch, "stochastic_depth", read.stochastic_depth),
        dropout: own(fields, arch, "dropout", read.dropout),
    }
}

impl Drops {
    pub(crate) fn stochastic_depth(&self) -> Option<Probability> {
        self.stochastic_depth.as_ref().map(|given| *given.get_ref())
    }

    pub(crate) fn dropout(&self) -> Option<Probability> {
        self.dropout.as_ref().map(|given| *given.get_ref())
    }

    /// Notes what the network of a source has not.
    pub(crate) fn check(&self, builder: &mut Builder<'_>, arch: Arch) -> Option<()> {
        let asked = [
            ("stochastic_depth", &self.stochastic_depth),
            ("dropout", &self.dropout),
        ];
        let mut sound = Some(());
        for (setting, given) in asked {
            if let Some(given) = given.as_ref().filter(|_| !arch.has(setting)) {
                let (message, help) = arch.without_setting(setting);
                builder.tell(&given.span(), message, Some(&help));
                sound = None;
            }
        }
        sound
    }
}

/// Notes images that are too small for a network.
pub(crate) fn check_size(
    builder: &mut Builder<'_>,
    at: &Span,
    arch: Arch,
    training: &Training,
    resize: Resize,
) -> Option<()> {
    let crop = training.augment.iter().find_map(|item| match item {
        Augment::CenterCrop(side) => Some(side.get()),
        _ => None,
    });
    let full = crop.unwrap_or(resize.width().min(resize.height()));
    let first = training
        .progressive_resizing
        .map(|growing| growing.from.get());
    let judged = training.test_resolution.map(Side::get);
    let smallest = [Some(full), first, judged].into_iter().flatten().min();
    let (smallest, least) = (smallest.unwrap_or(full), arch.family().least_side);
    if smallest < least {
        let message = format!(
            "`{}` of images with a side of {smallest} pixels: none is left at its end",
            arch.name()
        );
        let help = format!("give it images of {least} x {least} pixels or more");
        builder.tell(at, message, Some(&help));
        return None;
    }
    Some(())
}

/// Notes a layer that the network of a source has not.
pub(crate) fn check_layers(
    builder: &mut Builder<'_>,
    layers: Option<&Spanned<TrainLayers>>,
    arch: Arch,
) -> Option<()> {
    if let Some(layers) = layers
        && let TrainLayers::From(layer) = *layers.get_ref()
        && arch.family().layer(layer.name()).is_none()
    {
        let (message, help) = arch.without_layer(layer);
        builder.tell(&layers.span(), message, Some(&help));
        return None;
    }
    Some(())
}

/// The network of an instance's model, where the file says it: that of a model file is seen when it runs.
pub(crate) fn arch_of(builder: &Builder<'_>, id: &str) -> Option<Arch> {
    let number = builder.number(id)?;
    match builder.made(number).network() {
        Network::Built(arch) => Some(arch),
        Network::Of(id) => arch_of(builder, id),
        Network::OneOf(from) => {
            let first = arch_of(builder, from.first()?)?;
            let same = |id: &String| arch_of(builder, id) == Some(first);
            from.iter().all(same).then_some(first)
        }
        Network::All(_) | Network::Unknown => None,
    }
}

/// A setting of some networks. Of one that has it not it is a mistake, and it is not among the keys that are accepted.
fn own<T>(
    fields: &mut Fields<'_, '_>,
    arch: Option<Arch>,
    key: &'static str,
    given: Option<Spanned<T>>,
) -> Option<Spanned<T>> {
    let Some(arch) = arch.filter(|arch| !arch.has(key)) else {
        return given;
    };
    if fields.place(key).is_none() {
        fields.forget(key);
    }
    if let Some(given) = &given {
        let (message, help) = arch.without_setting(key);
        fields.tell(&given.span(), message, Some(&help));
    }
    None
}
