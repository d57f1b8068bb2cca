//! A network with what is set of it.

use serde::{Deserialize, Serialize};

use super::{
    super::{Layer, Probability},
    Arch,
};
use crate::name::one_of;

/// A network with its own settings, defaults filled in; one that its family does not have is `None`, and keys do without it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// The network.
    pub arch: Arch,
    /// Whether each residual block begins as the identity (Goyal et al., 2017).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_init_residual: Option<bool>,
    /// The probability with which an image passes by the last residual block in a step of training; by the others with a share of
    /// it that grows with depth (Huang et al., 2016).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stochastic_depth: Option<Probability>,
    /// The probability with which an element of what the head sees is 0 in a step of training (Srivastava et al., 2014).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<Probability>,
}

impl NetworkSettings {
    /// With torchvision's defaults.
    #[must_use]
    pub fn of(arch: Arch) -> Self {
        let family = arch.family();
        Self {
            arch,
            zero_init_residual: family.zero_init_residual,
            stochastic_depth: family.stochastic_depth.map(Probability::known),
            dropout: family.dropout.map(Probability::known),
        }
    }

    /// The same with what is asked for.
    ///
    /// # Errors
    /// What is asked for and not had, and the way out.
    pub fn with(
        mut self,
        stochastic_depth: Option<Probability>,
        dropout: Option<Probability>,
    ) -> Result<Self, (String, String)> {
        for (setting, asked, own) in [
            (
                "stochastic_depth",
                stochastic_depth,
                &mut self.stochastic_depth,
            ),
            ("dropout", dropout, &mut self.dropout),
        ] {
            match (asked, own) {
                (None, _) => {}
                (Some(asked), Some(own)) => *own = asked,
                (Some(_), None) => return Err(self.arch.without_setting(setting)),
            }
        }
        Ok(self)
    }
}

impl Arch {
    /// Whether it has a setting of this name.
    #[must_use]
    pub fn has(self, setting: &str) -> bool {
        let family = self.family();
        match setting {
            "zero_init_residual" => family.zero_init_residual.is_some(),
            "stochastic_depth" => family.stochastic_depth.is_some(),
            "dropout" => family.dropout.is_some(),
            _ => false,
        }
    }

    /// The message for a setting that it does not have, and the way out.
    #[must_use]
    pub fn without_setting(self, setting: &str) -> (String, String) {
        let those = Self::ALL.into_iter().filter(|arch| arch.has(setting));
        (
            format!("`{setting}` of {}, which has no such setting", self.told()),
            format!(
                "leave it out: it is one of {}",
                one_of(those.map(Self::name))
            ),
        )
    }

    /// The message for a layer that it does not have, and the way out.
    #[must_use]
    pub fn without_layer(self, layer: Layer) -> (String, String) {
        (
            format!("{} has no layer `{}`", self.told(), layer.name()),
            format!("name one of its layers: {}", one_of(self.family().names())),
        )
    }
}
