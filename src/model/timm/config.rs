//! `config.json` of a folder for timm and the Hugging Face Hub.

use serde_json::{Value, json};

use super::super::{families::family, layout::head};
use crate::{
    record::{CheckpointInfo, Transform},
    settings::{Arch, Fit, Resize},
};

/// The configuration, and in words where timm's transform is not quite kfood's.
pub(super) fn config(info: &CheckpointInfo) -> (Value, Option<String>) {
    let arch = info.arch;
    let [weight, _] = head(arch, info.classes.len());
    let timm = family(arch).timm;
    let module = |name: &str| {
        let name = timm(name);
        let module = name.rsplit_once('.').map(|(module, _)| module.to_owned());
        module.unwrap_or(name)
    };
    let (cut, note) = Cut::of(&info.transform);
    let pixels = info.transform.pixels;
    let config = json!({
        "architecture": arch.name(),
        "num_classes": info.classes.len(),
        "num_features": weight.shape[1],
        "label_names": info.classes,
        "pretrained_cfg": {
            "architecture": arch.name(),
            "tag": "kfood",
            "custom_load": false,
            "input_size": [3, cut.seen[0], cut.seen[1]],
            "fixed_input_size": false,
            "interpolation": pixels.filter.name(),
            "crop_pct": cut.share,
            "crop_mode": cut.mode,
            "mean": info.transform.normalize.mean,
            "std": info.transform.normalize.std,
            "num_classes": info.classes.len(),
            "first_conv": module(first_conv(arch)),
            "classifier": module(&weight.name),
        },
    });
    (config, note)
}

/// The first tensor of every network is the weight of its first convolution.
fn first_conv(arch: Arch) -> &'static str {
    family(arch).sign[0]
}

/// How timm brings a photograph to the size that the network sees.
struct Cut {
    /// Height and width.
    seen: [u32; 2],
    /// What of the resized photograph is seen, of each side.
    share: f64,
    mode: &'static str,
}

impl Cut {
    fn of(transform: &Transform) -> (Self, Option<String>) {
        let resize = transform.pixels.resize;
        let row = [resize.height(), resize.width()];
        let cropped = transform.center_crop.map_or(row, |side| [side; 2]);
        // The side of what is cropped, before that.
        let (mode, before) = match resize {
            Resize::Sides { fit, .. } => (mode(fit), row[0]),
            Resize::ShortSide { short_side, .. } => ("center", short_side.get()),
        };
        let share = share(cropped[0], before);
        let short = cropped[0].min(cropped[1]).max(1);
        let seen = transform
            .test_resolution
            .map_or(cropped, |side| cropped.map(|length| side * length / short));
        let apart = match resize {
            Resize::Sides { fit: Fit::Pad, .. } => Some("pads with the mean, not with black"),
            _ if seen != cropped => Some("resizes once, not twice"),
            _ if row[0] != row[1] && cropped != row => Some("crops both sides by one share"),
            _ => None,
        };
        let note = apart.map(|apart| {
            format!("note: timm's transform {apart}: its answers from a file are not quite kfood's")
        });
        (Self { seen, share, mode }, note)
    }
}

const fn mode(fit: Fit) -> &'static str {
    match fit {
        Fit::Squash => "squash",
        Fit::Crop => "center",
        Fit::Pad => "border",
    }
}

/// The share that timm divides a side by, rounding down, to have the side before the crop.
fn share(side: u32, before: u32) -> f64 {
    let (side, before) = (f64::from(side), f64::from(before));
    let share = side / before;
    if (side / share).floor() < before {
        share.next_down()
    } else {
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_before_a_crop_is_what_timm_finds() {
        for before in 1..600_u32 {
            for side in (1..=before).step_by(7) {
                let found = f64::from(side) / share(side, before);
                assert_eq!(found.floor(), f64::from(before), "{side} of {before}");
            }
        }
    }
}
