//! How large to begin: image size, batch, epochs and network for so many photographs on this machine.

use super::DataSet;

/// What there is to compute with.
pub(in crate::cli) struct Machine {
    /// CPU cores.
    pub cores: u32,
    /// Whether there is a GPU.
    pub gpu: bool,
}

impl Machine {
    /// "a GPU", "2 cores".
    pub(in crate::cli) fn name(&self) -> String {
        match (self.gpu, self.cores) {
            (true, _) => "a GPU".to_owned(),
            (false, 1) => "one core".to_owned(),
            (false, cores) => format!("{cores} cores"),
        }
    }
}

/// Sizes of a first training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli) struct Sizes {
    /// Side of a row of pixels.
    pub pixels: u32,
    /// Side of a random crop of it.
    pub crop: u32,
    /// Images in a step.
    pub batch: u32,
    /// Passes.
    pub epochs: u32,
    /// The network.
    pub arch: &'static str,
    /// Folds of a cross-validation.
    pub folds: u32,
    /// About how long a training takes, in seconds.
    pub seconds: f64,
}

/// Training images per second of ResNet-18 at 64 px: 140 on two cores of a server (benches/README.md), and on a GPU.
const A_CORE: f64 = 70.0;
const A_GPU: f64 = 18_000.0;

/// So long may a first training take, in seconds, on a CPU and on a GPU, which is there to be used.
const ON_CPU: f64 = 300.0;
const ON_GPU: f64 = 3_600.0;

/// Sides that networks with five halvings take well; the smallest is taken where nothing else is in time.
const SIDES: [u32; 8] = [224, 192, 160, 128, 112, 96, 80, 64];

impl Sizes {
    /// For a data set: the largest side that the photographs have and that is in time, and fewer passes where even the smallest is not.
    pub(in crate::cli) fn of(data: &DataSet, machine: &Machine) -> Self {
        let n = data.to_train_on() as f64;
        let rate = if machine.gpu {
            A_GPU
        } else {
            A_CORE * f64::from(machine.cores)
        };
        // A ResNet-50 has 2.3 times the operations of a ResNet-18, and pays with many photographs.
        let (arch, cost) = if machine.gpu && n >= 10_000.0 {
            ("resnet50", 2.3)
        } else {
            ("resnet18", 1.0)
        };
        let seconds = |pixels: u32, epochs: u32| {
            let area = (f64::from(pixels) / 64.0).powi(2);
            n * f64::from(epochs) * area * cost / rate
        };
        let patience = if machine.gpu { ON_GPU } else { ON_CPU };
        let median = data.sides.1;
        let fitting: Vec<u32> = SIDES.into_iter().filter(|side| *side <= median).collect();
        let smallest = (median / 8 * 8).clamp(32, 64);
        let mut epochs = if n < 1_000.0 { 40 } else { 30 };
        let in_time = fitting
            .into_iter()
            .find(|side| seconds(*side, epochs) <= patience);
        let pixels = in_time.unwrap_or(smallest);
        while epochs > 10 && seconds(pixels, epochs) > patience {
            epochs -= 5;
        }
        Self {
            pixels,
            crop: (pixels * 7 / 8).next_multiple_of(8).min(pixels),
            batch: batch(data.to_train_on(), machine.gpu),
            epochs,
            arch,
            folds: u32::try_from(data.of_a_class.0.clamp(2, 5)).unwrap_or(5),
            seconds: seconds(pixels, epochs),
        }
    }
}

/// Images in a step, so that an epoch has twenty steps and more.
fn batch(n: usize, gpu: bool) -> u32 {
    match n {
        0..160 => 8,
        160..640 => 16,
        _ if !gpu => 32,
        640..20_000 => 64,
        _ => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::starter::Unusable, record::Part};

    fn sizes(n: usize, side: u32, gpu: bool) -> Sizes {
        let data = DataSet {
            name: String::new(),
            manifest: None,
            parts: vec![(Part::Train, "photos".into(), n)],
            classes: 10,
            of_a_class: (n / 10, n / 10),
            sides: (side, side, side),
            unusable: Unusable::default(),
            told: Vec::new(),
        };
        Sizes::of(&data, &Machine { cores: 2, gpu })
    }

    #[test]
    fn a_first_training_fits_the_photographs_and_the_machine() {
        let of = |s: Sizes| (s.arch, s.pixels, s.crop, s.batch, s.epochs);
        assert_eq!(of(sizes(200, 500, false)), ("resnet18", 128, 112, 16, 40));
        assert_eq!(of(sizes(2_000, 500, false)), ("resnet18", 64, 56, 32, 20));
        assert_eq!(of(sizes(42_000, 500, false)), ("resnet18", 64, 56, 32, 10));
        assert_eq!(
            of(sizes(42_000, 500, true)),
            ("resnet50", 224, 200, 128, 30)
        );
        // Photographs are not enlarged.
        assert_eq!(of(sizes(100, 50, false)), ("resnet18", 48, 48, 8, 40));
        assert_eq!(sizes(20, 50, false).folds, 2);
    }
}
