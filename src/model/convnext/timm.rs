//! How timm names the tensors of a ConvNeXt (`timm/models/convnext.py`, 1.0.31).

/// torchvision's name as timm's.
pub(super) fn name(ours: &str) -> String {
    let mut parts: Vec<_> = ours.split('.').collect();
    let stage = |number: &str| number.parse::<usize>().unwrap_or_default();
    let last = parts.pop().unwrap_or_default();
    match parts.as_slice() {
        ["features", "0", layer] => format!("stem.{layer}.{last}"),
        // Even places halve, odd ones are the blocks of a stage.
        ["features", place, layer] if stage(place).is_multiple_of(2) => {
            format!("stages.{}.downsample.{layer}.{last}", stage(place) / 2)
        }
        // torchvision has it as [channels, 1, 1], timm as [channels].
        ["features", place, block] => {
            format!("stages.{}.blocks.{block}.gamma", stage(place) / 2)
        }
        ["features", place, block, "block", layer] => {
            let layer = match *layer {
                "0" => "conv_dw",
                "2" => "norm",
                "3" => "mlp.fc1",
                _ => "mlp.fc2",
            };
            format!("stages.{}.blocks.{block}.{layer}.{last}", stage(place) / 2)
        }
        ["classifier", "0"] => format!("head.norm.{last}"),
        _ => format!("head.fc.{last}"),
    }
}
