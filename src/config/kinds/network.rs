//! `arch`, and the settings that only some networks have.

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::{
    super::{ModelSource, Settings, build::Builder},
    Fields, Span,
};
use crate::{
    name::one_of,
    settings::{Arch, Augment, NetworkSettings, Probability, Resize, Side, TrainLayers, Training},
};

/// A network with its settings, defaults filled in, and where `arch` stands.
pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Option<Spanned<NetworkSettings>> {
    let given = fields.need::<Arch>("arch", &one_of(Arch::ALL.map(Arch::name)));
    let arch = given.as_ref().map(|arch| *arch.get_ref());
    let zero_init_residual = own(fields, arch, "zero_init_residual", "`true` or `false`");
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
    let accepts = "a number from 0 to 1";
    Drops {
        stochastic_depth: own(fields, arch, "stochastic_depth", accepts),
        dropout: own(fields, arch, "dropout", accepts),
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
    let number = builder.built.iter().position(|b| b.instance.id == id)?;
    match builder.settings(number) {
        Settings::Train(train) => Some(train.network.arch),
        Settings::Transfer(transfer) => match &transfer.model {
            ModelSource::Stage { id, .. } => arch_of(builder, id),
            ModelSource::Ensemble { .. } | ModelSource::File { .. } => None,
        },
        Settings::Average(average) => arch_of(builder, average.from.first()?),
        Settings::Select(select) => {
            let first = arch_of(builder, select.from.first()?)?;
            let same = |id: &String| arch_of(builder, id) == Some(first);
            select.from.iter().all(same).then_some(first)
        }
        _ => None,
    }
}

/// A setting of some networks. Of one that has it not it is a mistake, and it is not among the keys that are accepted.
fn own<T: DeserializeOwned>(
    fields: &mut Fields<'_, '_>,
    arch: Option<Arch>,
    key: &'static str,
    accepts: &str,
) -> Option<Spanned<T>> {
    let without = arch.filter(|arch| !arch.has(key));
    if without.is_some() && !fields.has(key) {
        return None;
    }
    let given = fields.take(key, accepts)?;
    if let Some(arch) = without {
        let (message, help) = arch.without_setting(key);
        fields.tell(&given.span(), message, Some(&help));
        return None;
    }
    Some(given)
}
