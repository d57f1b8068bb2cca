//! The families. A new one is a folder beside `resnet`, with its name below and its line in `model`.

use super::{
    convnext, efficientnet,
    layout::Slot,
    onnx::{Graph, Value},
    recognise::Names,
    resnet,
};
#[cfg(feature = "tensors")]
use super::{layers::Source, network::Body};
use crate::settings::{Arch, NetworkSettings};

/// All families, and apart from them what makes tensors: the program `kfood` needs the former and must not link the latter.
macro_rules! families {
    ($($family:ident),*) => {
        /// All of them.
        pub(super) static FAMILIES: [&Family; [$(stringify!($family)),*].len()] =
            [$(&$family::FAMILY),*];

        /// A network with weights.
        ///
        /// # Panics
        /// As [`family`].
        #[cfg(feature = "tensors")]
        pub(super) fn build(arch: Arch, source: &Source<'_>) -> Box<dyn Body> {
            $(if $family::FAMILY.archs.contains(&arch) {
                return $family::build(arch, source);
            })*
            panic!("no family has {}", arch.told())
        }
    };
}

families!(resnet, convnext, efficientnet);

/// Networks that are built alike.
pub(super) struct Family {
    /// Its networks.
    pub(super) archs: &'static [Arch],
    /// The tensors of one of them with so many classes, in torchvision's order.
    pub(super) layout: fn(&NetworkSettings, usize) -> Vec<Slot>,
    /// Two tensors that together are its sign in a file, behind one prefix.
    pub(super) sign: [&'static str; 2],
    /// How the names of its tensors begin, digits aside, and those of its relatives: such a name that is not its own means another
    /// network.
    pub(super) parts: &'static [&'static str],
    /// Which of its networks tensors are, or what they have that none has.
    pub(super) arch: fn(&Names<'_>) -> Result<Arch, String>,
    /// From images to logits as nodes of ONNX: what its body computes in evaluation mode.
    pub(super) onnx: fn(Arch, &mut Graph<'_>, &str) -> Value,
    /// timm's name of a tensor, given torchvision's.
    pub(super) timm: fn(&str) -> String,
}

/// The family of a network.
///
/// # Panics
/// When a network is declared and no family has it; a test holds that none is.
pub(super) fn family(arch: Arch) -> &'static Family {
    let found = FAMILIES.iter().find(|family| family.archs.contains(&arch));
    found.unwrap_or_else(|| panic!("no family has {}", arch.told()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timm_names_every_tensor_of_a_network_by_a_name_of_its_own() {
        for arch in Arch::ALL {
            let slots = super::super::layout::slots(arch, 1);
            let theirs = slots.iter().map(|slot| (family(arch).timm)(&slot.name));
            let theirs: std::collections::HashSet<_> = theirs.collect();
            assert_eq!(theirs.len(), slots.len(), "{}", arch.name());
        }
    }

    #[test]
    fn every_network_that_is_declared_is_of_one_family() {
        for arch in Arch::ALL {
            let of = FAMILIES.iter().filter(|f| f.archs.contains(&arch));
            assert_eq!(of.count(), 1, "{}", arch.name());
        }
    }
}
