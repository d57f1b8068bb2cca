//! How timm names the tensors of an EfficientNet (`timm/models/efficientnet.py`, 1.0.31).

/// torchvision's name as timm's.
pub(super) fn name(ours: &str) -> String {
    let mut parts: Vec<_> = ours.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    match parts.as_slice() {
        ["features", "0", "0"] => format!("conv_stem.{last}"),
        ["features", "0", "1"] => format!("bn1.{last}"),
        ["features", "8", "0"] => format!("conv_head.{last}"),
        ["features", "8", "1"] => format!("bn2.{last}"),
        ["features", stage, block, "block", layer, part] => {
            let stage = stage.parse::<usize>().unwrap_or(1).max(1) - 1;
            let layer = layer.parse().unwrap_or_default();
            let within = within_block(stage == 0, layer, part);
            format!("blocks.{stage}.{block}.{within}.{last}")
        }
        _ => format!("classifier.{last}"),
    }
}

/// A part of a block; blocks of the first stage do not widen.
fn within_block(first_stage: bool, layer: usize, part: &str) -> &'static str {
    let narrow = if first_stage { "conv_pw" } else { "conv_pwl" };
    let convs: &[(&str, &str)] = match first_stage {
        true => &[("conv_dw", "bn1"), ("", ""), (narrow, "bn2")],
        false => &[
            ("conv_pw", "bn1"),
            ("conv_dw", "bn2"),
            ("", ""),
            (narrow, "bn3"),
        ],
    };
    let (conv, norm) = convs.get(layer).copied().unwrap_or_default();
    match part {
        "fc1" => "se.conv_reduce",
        "fc2" => "se.conv_expand",
        "0" => conv,
        _ => norm,
    }
}
