//! Weights that torchvision and timm publish, by name: which file they are, and what images they were trained on.
//!
//! Their files are named by the beginning of their SHA-256 (`torch.hub.load_state_dict_from_url(check_hash=True)` holds them against it),
//! so that a file is known by its name and the name can be verified.

mod hub;
mod table;

use super::{Arch, Normalize};
use crate::{
    name,
    text::{self, shown},
};

pub use hub::hub_folder;
use table::OF_THE_HUB;
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
    /// None that are known; what is said of that.
    Not(Refusal),
}

/// Why a name is none of weights that are known, and what to do.
#[derive(Debug, PartialEq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: String,
    /// All weights of the network, where the name is a network's and says no more.
    pub several: Vec<&'static str>,
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
        Some(Named::Not(not_known(name)))
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

/// What is said of a name that is none of known weights: its network may have others, be no network of kfood's, or be misspelt.
fn not_known(name: &str) -> Refusal {
    let (publisher, rest) = name.split_once('/').unwrap_or_default();
    let (network, tag) = rest.split_once('.').unwrap_or((rest, ""));
    let of_network = |network: &str| -> Vec<&'static str> {
        let network = format!("{publisher}/{network}");
        let weights = PRETRAINED.iter().filter(|w| w.network() == network);
        weights.map(|w| w.name).collect()
    };
    let refusal = |message: String, help: String| Refusal {
        message,
        help,
        several: Vec::new(),
    };
    let all = of_network(network);
    let listed = name::listed(all.iter().copied());
    let shown = shown(name);
    if !all.is_empty() && tag.is_empty() {
        return Refusal {
            message: format!("`{shown}` does not say which weights"),
            help: format!("name them: {listed}"),
            several: all,
        };
    }
    if let Some((_, normalize)) = OF_THE_HUB.iter().find(|(known, _)| *known == name) {
        let message = format!(
            "the file of `{shown}` does not bear its digest in its name, so that it is not known by name"
        );
        let help = format!(
            "download https://huggingface.co/{name}/resolve/main/model.safetensors and name the file: `model = \"weights/{network}.{tag}.safetensors\"`, with `normalize = {normalize}`"
        );
        return refusal(message, help);
    }
    let unknown = format!("`{shown}` are no weights that are known by name");
    let networks = Arch::ALL.map(Arch::name);
    // A slip of the pen names weights that there are; `resnet152d` is another network than `resnet152`.
    let meant = match all.is_empty() {
        true => name::nearest(network, networks).and_then(|near| {
            let name = format!("{publisher}/{near}.{tag}");
            of_network(near).into_iter().find(|known| *known == name)
        }),
        false => {
            let tags = all.iter().filter_map(|name| Some(name.split_once('.')?.1));
            let near = name::nearest(tag, tags);
            all.iter()
                .copied()
                .find(|name| name.split_once('.').map(|(_, tag)| tag) == near)
        }
    };
    if let Some(meant) = meant {
        return refusal(unknown, format!("did you mean `{meant}`?"));
    }
    if !all.is_empty() {
        return refusal(unknown, format!("of this network there are {listed}"));
    }
    let message = format!("kfood has no network `{}`", text::shown(network));
    let networks = name::listed(networks);
    refusal(
        message,
        format!("it has {networks}; `kfood fetch` lists their weights"),
    )
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
        let refused = |name| match Pretrained::named(name) {
            Some(Named::Not(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        let both = vec![
            "torchvision/resnet50.IMAGENET1K_V1",
            "torchvision/resnet50.IMAGENET1K_V2",
        ];
        assert_eq!(refused("torchvision/resnet50").several, both);
        for (name, help) in [
            (
                "torchvision/resnet50.IMAGENET1K_V3",
                "did you mean `torchvision/resnet50.IMAGENET1K_V1`?",
            ),
            (
                "torchvision/resnt50.IMAGENET1K_V2",
                "did you mean `torchvision/resnet50.IMAGENET1K_V2`?",
            ),
            (
                "timm/efficientnet_b0.ns_jft_in1k",
                "of this network there are `timm/efficientnet_b0.ra_in1k`",
            ),
        ] {
            assert_eq!(refused(name).help, help, "{name}");
        }
        for other in ["torchvision/vit_b_16", "timm/resnet152d.ra2_in1k"] {
            let help = refused(other).help;
            assert!(help.starts_with("it has `resnet18`, `resnet34`"), "{help}");
        }
        let help = refused("timm/efficientnet_b0.ra4_e3600_r224_in1k").help;
        assert!(
            help.contains("normalize = { mean = [0.5, 0.5, 0.5]"),
            "{help}"
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
