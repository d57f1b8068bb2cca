//! The running mean of a model's weights, which validates and is kept in its place.

use tch::Tensor;

use crate::{
    error::{Error, Result},
    model::{Network, StateDict, TensorData},
    native::lerp,
    settings::Ema as Settings,
};

const UPDATES: &str = "ema.updates";
const TRAINED: &str = "trained.";

/// An exponential moving average of everything in a model's state: BatchNorm's statistics are averaged as the weights are, and
/// `num_batches_tracked` is copied (timm's `ModelEmaV3`).
pub(crate) struct Ema {
    settings: Settings,
    mean: Network,
    /// The tensors of the mean, and those of the model that it follows.
    to: Vec<Tensor>,
    from: Vec<Tensor>,
    updates: i64,
}

impl Ema {
    /// The mean begins as the model.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn new(settings: Settings, model: &Network) -> Result<Self> {
        let mut mean = Network::from_state(&model.state(), model.arch(), model.device())?;
        mean.to_channels_last();
        Ok(Self {
            settings,
            to: mean.tensors(),
            from: model.tensors(),
            mean,
            updates: 0,
        })
    }

    /// The mean as a model.
    pub(crate) fn mean(&self) -> &Network {
        &self.mean
    }

    /// Moves the mean towards the model after a step of the optimizer; waits for nothing.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn follow(&mut self, model: &Network) -> Result<()> {
        self.updates += 1;
        lerp(
            &self.to,
            &self.from,
            1.0 - decay(self.settings, self.updates),
        )?;
        self.mean.take_counts(model);
        Ok(())
    }

    /// Puts what goes on beside the mean into a saved state: the model that is trained, and how far the mean has come.
    pub(crate) fn save(&self, model: &Network, state: &mut StateDict) {
        for (name, tensor) in model.state() {
            state.insert(format!("{TRAINED}{name}"), tensor);
        }
        state.insert(UPDATES, TensorData::i64_scalar(self.updates));
    }

    /// Takes over the saved mean and, from beside it, the model that is trained.
    ///
    /// # Errors
    /// When something is missing or of another shape.
    pub(crate) fn load(
        &mut self,
        mean: &StateDict,
        model: &mut Network,
        state: &StateDict,
    ) -> Result<()> {
        let named = state.iter().filter_map(|(name, tensor)| {
            let name = name.strip_prefix(TRAINED)?;
            Some((name.to_owned(), tensor.clone()))
        });
        model.load_state(&named.collect())?;
        self.mean.load_state(mean)?;
        let updates = state.get(UPDATES).and_then(TensorData::as_i64);
        self.updates =
            updates.ok_or_else(|| Error::failed(format!("the saved state has no `{UPDATES}`")))?;
        Ok(())
    }
}

/// The share of the mean that update `update` (from 1) keeps; the first one keeps nothing (timm 1.0.31, `ModelEmaV3.get_decay`).
fn decay(settings: Settings, update: i64) -> f64 {
    let step = (update - 1) as f64;
    if step <= 0.0 {
        return 0.0;
    }
    if settings.warmup {
        let warm = 1.0 - (1.0 + step).powf(-2.0 / 3.0);
        return warm.min(settings.decay.get());
    }
    settings.decay.get()
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::settings::Arch;

    fn settings(text: &str) -> Settings {
        serde_json::from_str(text).unwrap()
    }

    /// `ModelEmaV3(torch.nn.Linear(1, 1), decay=0.9, use_warmup=warmup).get_decay(update)` of timm 1.0.31.
    #[test]
    fn the_decay_is_timms() {
        let warm = settings(r#"{"decay": 0.9, "warmup": true}"#);
        for (update, wanted) in TIMM {
            let found = decay(warm, update);
            assert!((found - wanted).abs() < 1e-12, "{update}: {found}");
        }
        let plain = settings(r#"{"decay": 0.9}"#);
        assert_eq!([1, 2, 50].map(|u| decay(plain, u)), [0.0, 0.9, 0.9]);
    }

    const TIMM: [(i64, f64); 5] = [
        (1, 0.0),
        (2, 0.370_039_475_052_563_4),
        (3, 0.519_250_143_230_863_8),
        (10, 0.784_556_530_996_810_8),
        (100, 0.9),
    ];

    #[test]
    fn weights_and_statistics_are_averaged_and_counts_copied() {
        let mut model = Network::new(Arch::Resnet18, 2, 1, Device::Cpu);
        let mut ema = Ema::new(settings(r#"{"decay": 0.75}"#), &model).unwrap();
        let mut wanted: Option<Vec<f32>> = None;
        let name = "layer1.0.bn1.running_var";
        for seed in 2..5 {
            let mut other = Network::new(Arch::Resnet18, 2, seed, Device::Cpu).state();
            let var = vec![seed as f32; 64]
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect();
            let mut tensor = other.get(name).unwrap().clone();
            tensor.bytes = var;
            other.insert(name, tensor);
            other.insert("bn1.num_batches_tracked", TensorData::i64_scalar(7));
            model.load_state(&other).unwrap();
            ema.follow(&model).unwrap();
            let values = other.get("layer3.0.conv1.weight").unwrap().to_f32();
            wanted = Some(match wanted {
                None => values,
                Some(mean) => mean
                    .iter()
                    .zip(&values)
                    .map(|(m, v)| 0.75 * m + 0.25 * v)
                    .collect(),
            });
        }
        let mean = ema.mean().state();
        let found = mean.get("layer3.0.conv1.weight").unwrap().to_f32();
        for (found, wanted) in found.iter().zip(wanted.unwrap()) {
            assert!((found - wanted).abs() < 1e-7);
        }
        // (2 * 3/4 + 3/4) * 3/4 + 4/4
        assert!(
            mean.get(name)
                .unwrap()
                .to_f32()
                .iter()
                .all(|v| (v - 2.6875).abs() < 1e-6)
        );
        assert_eq!(
            mean.get("bn1.num_batches_tracked").unwrap().as_i64(),
            Some(7)
        );
    }
}
