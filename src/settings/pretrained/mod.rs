//! Weights that torchvision and timm publish, by name: which file they are, and what images they were trained on.
//!
//! Their files are named by the beginning of their SHA-256 (`torch.hub.load_state_dict_from_url(check_hash=True)` holds them against it),
//! so that a file is known by its name and the name can be verified.

mod hub;
mod table;

use super::{Arch, Normalize};
use crate::name;

pub use hub::hub_folder;
pub use table::PRETRAINED;

/// Published weights.
#[derive(Debug, PartialEq)]
pub struct Pretrained {
    /// Who publishes them, which network, which weights: `torchvision/resnet50.IMAGENET1K_V2`.
    pub name: &'static str,
    /// The network.
    pub arch: Arch,
    /// Where their file is.
    pub url: &'static str,
    /// The side in pixels of the images that they were trained for, as their publisher evaluates them.
    pub side: u32,
}

/// What a name of weights means.
#[derive(Debug, PartialEq)]
pub enum Named {
    /// These.
    Weights(&'static Pretrained),
    /// A network of which there are several; none is the one that is meant.
    Several(Vec<&'static str>),
    /// Nothing that is known; the nearest name, if there is one.
    Unknown(Option<&'static str>),
}

/// The publishers; a name that begins so is none of a file.
const PUBLISHERS: [&str; 2] = ["torchvision/", "timm/"];

impl Pretrained {
    /// What a name means; `None` where it is no name of published weights.
    #[must_use]
    pub fn named(name: &str) -> Option<Named> {
        if !PUBLISHERS
            .iter()
            .any(|publisher| name.starts_with(publisher))
        {
            return None;
        }
        if let Some(weights) = PRETRAINED.iter().find(|weights| weights.name == name) {
            return Some(Named::Weights(weights));
        }
        let of_network = |weights: &&Pretrained| weights.network() == name;
        let several: Vec<_> = PRETRAINED
            .iter()
            .filter(of_network)
            .map(|w| w.name)
            .collect();
        if !several.is_empty() {
            return Some(Named::Several(several));
        }
        let names = PRETRAINED.iter().map(|weights| weights.name);
        Some(Named::Unknown(name::nearest(name, names)))
    }

    /// Those whose file has this name.
    #[must_use]
    pub fn of_file(name: &str) -> Option<&'static Self> {
        PRETRAINED.iter().find(|weights| weights.file() == name)
    }

    /// Publisher and network: `torchvision/resnet50`.
    #[must_use]
    pub fn network(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// The name of their file: `resnet50-11ad3fa6.pth`.
    #[must_use]
    pub fn file(&self) -> &'static str {
        self.url.rsplit('/').next().unwrap_or(self.url)
    }

    /// How the SHA-256 of their file begins: `11ad3fa6`.
    #[must_use]
    pub fn sha256(&self) -> &'static str {
        let stem = self.file().trim_end_matches(".pth");
        stem.rsplit('-').next().unwrap_or_default()
    }

    /// How their images were normalised: with ImageNet's mean and standard deviation, all of them.
    #[must_use]
    pub const fn normalize(&self) -> Normalize {
        Normalize::Imagenet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_known_by_name_and_file_and_a_network_alone_by_all_its_weights() {
        let Some(Named::Weights(v2)) = Pretrained::named("torchvision/resnet50.IMAGENET1K_V2")
        else {
            panic!("unknown");
        };
        assert_eq!(
            (v2.file(), v2.sha256(), v2.arch),
            ("resnet50-11ad3fa6.pth", "11ad3fa6", Arch::Resnet50)
        );
        assert_eq!(Pretrained::of_file("resnet50-11ad3fa6.pth"), Some(v2));
        let both = vec![
            "torchvision/resnet50.IMAGENET1K_V1",
            "torchvision/resnet50.IMAGENET1K_V2",
        ];
        assert_eq!(
            Pretrained::named("torchvision/resnet50"),
            Some(Named::Several(both))
        );
        assert_eq!(
            Pretrained::named("torchvision/resnet50.IMAGENET1K_V3"),
            Some(Named::Unknown(Some("torchvision/resnet50.IMAGENET1K_V1")))
        );
        assert_eq!(Pretrained::named("weights/resnet50.pth"), None);
    }

    #[test]
    fn every_file_is_named_by_eight_digits_of_its_digest_and_every_name_is_there_once() {
        for (i, weights) in PRETRAINED.iter().enumerate() {
            let digits = weights.sha256();
            assert!(
                digits.len() == 8 && digits.chars().all(|c| c.is_ascii_hexdigit()),
                "{}",
                weights.url
            );
            assert!(
                weights.url.starts_with("https://") && weights.url.ends_with(".pth"),
                "{}",
                weights.url
            );
            assert!(
                PRETRAINED[..i]
                    .iter()
                    .all(|before| before.name != weights.name),
                "{}",
                weights.name
            );
            let network = weights.network().split('/').nth(1).unwrap();
            assert_eq!(network, weights.arch.name(), "{}", weights.name);
        }
        for arch in Arch::ALL {
            let torchvision = format!("torchvision/{}", arch.name());
            assert!(
                PRETRAINED
                    .iter()
                    .any(|weights| weights.network() == torchvision),
                "{torchvision}"
            );
        }
    }
}
