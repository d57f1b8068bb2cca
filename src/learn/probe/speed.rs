//! How fast the parts of a training are: for benchmarks.

use std::time::Instant;

use serde::Serialize;
use tch::Device;

use crate::{
    error::{Error, Result},
    files,
    learn::{
        feed::{Batch, Inputs, Loader, Shown},
        fit::{Criterion, Started, Stepper, check, source, start},
        judge::{Arithmetic, fingerprint, uses_bf16},
        optimize::Optimizer,
    },
    model::Network,
    native::{cuda_memory, peak_memory, reset_cuda_peak, set_training},
    record::{self, Fingerprint},
    settings::Training,
    stop::Stop,
};

/// Steps before anything is timed: libraries choose kernels, memory is taken, a GPU's step is recorded.
const WARM_UP: usize = 5;

/// Loading is so much faster than a step that so many times as many batches are needed to time it.
const LOADED: usize = 5;

/// `speed.json`. Rates are images a second, one for each round.
#[derive(Serialize)]
struct Found {
    fingerprint: Fingerprint,
    batch_size: u32,
    /// Batches made as an epoch needs them, and thrown away.
    loading: Vec<f64>,
    /// Steps on one batch that lies on the device.
    steps: Vec<f64>,
    /// Steps on batches as they are made: a training.
    training: Vec<f64>,
    /// Bytes at most: of tensors on a GPU, of the process elsewhere.
    peak: u64,
}

/// Times loading, steps and both together, in turn, and writes `speed.json` to the training's `out`. No file of a training is
/// read or written.
///
/// # Errors
/// When an input cannot be used, an epoch has not a single whole batch, a stop was requested, or libtorch refuses.
pub fn speed(job: &record::Speed, device: Device, stop: &Stop) -> Result<()> {
    set_training(
        device,
        job.fit.training.deterministic,
        job.fit.training.allow_tf32,
    )?;
    // At full size throughout.
    let fit = &record::Fit {
        training: Training {
            progressive_resizing: None,
            ..job.fit.training.clone()
        },
        ..job.fit.clone()
    };
    let inputs = Inputs::open(&fit.data, source(fit))?;
    check(fit, &inputs)?;
    let Started {
        mut model,
        transform,
        drops,
        ..
    } = start(fit, &inputs, device, &|_| {})?;
    let arithmetic = Arithmetic {
        device,
        bf16: uses_bf16(fit.training.precision, device),
    };
    let mut timed = Timed {
        loader: Loader::new(&fit.training, &inputs, &transform, device)?.dropping(drops),
        optimizer: Optimizer::of(&fit.training, &mut model, false, arithmetic.bf16)?,
        stepper: Stepper::new(
            Criterion::of(&fit.training, &inputs, device)?,
            arithmetic,
            1,
            None,
        )?,
        lr: fit.training.optimizer.lr(),
        model,
        stop,
    };
    let resident = timed.first_batch()?;
    timed.steps(&resident, WARM_UP)?;
    if let Device::Cuda(index) = device {
        reset_cuda_peak(index)?;
    }
    let [loading, steps, training] = timed.rounds(job, &resident)?;
    let found = Found {
        fingerprint: fingerprint(device, arithmetic.bf16)?,
        batch_size: fit.training.batch_size.get(),
        loading,
        steps,
        training,
        peak: match device {
            Device::Cuda(index) => cuda_memory(index)?.peak,
            _ => peak_memory(),
        },
    };
    files::create_folder(&fit.out)?;
    files::write_json(&fit.out.join("speed.json"), &found)
}

struct Timed<'a> {
    loader: Loader<'a>,
    model: Network,
    optimizer: Optimizer,
    stepper: Stepper,
    lr: f64,
    stop: &'a Stop,
}

impl Timed<'_> {
    /// So many whole batches, from as many epochs as that takes; other ones in each round.
    fn batches(&self, steps: usize, round: u32) -> Result<Vec<Vec<Shown>>> {
        let size = self.loader.training.batch_size.get() as usize;
        let mut batches = Vec::new();
        for epoch in 1 + 1000 * round.. {
            let whole = self.loader.order(epoch).into_iter();
            let before = batches.len();
            batches.extend(whole.filter(|batch| batch.len() == size));
            if batches.len() == before {
                return Err(Error::usage(format!(
                    "the training part has not one whole batch of {size}"
                )));
            }
            if batches.len() >= steps {
                break;
            }
        }
        batches.truncate(steps);
        Ok(batches)
    }

    /// Rates of loading, steps and training, in turn in each round, so that all meet what else the machine does.
    fn rounds(&mut self, job: &record::Speed, resident: &Batch) -> Result<[Vec<f64>; 3]> {
        let steps = job.steps as usize;
        let [mut loading, mut alone, mut training] = [const { Vec::new() }; 3];
        for round in 0..job.rounds {
            let batches = self.batches(steps, round)?;
            let more = self.batches(LOADED * steps, round)?;
            loading.push(self.rate(LOADED * steps, |t| t.load(&more, round, false))?);
            alone.push(self.rate(steps, |t| t.steps(resident, steps))?);
            training.push(self.rate(steps, |t| t.load(&batches, round, true))?);
        }
        Ok([loading, alone, training])
    }

    fn first_batch(&self) -> Result<Batch> {
        let mut first = None;
        self.loader.training(&self.batches(1, 0)?, 1, |batch| {
            first = Some(batch.places()?);
            Ok(())
        })?;
        first.ok_or_else(|| Error::failed("there is no batch"))
    }

    fn load(&mut self, batches: &[Vec<Shown>], round: u32, train: bool) -> Result<()> {
        self.loader.training(batches, 1 + round, |batch| {
            self.stop.check()?;
            if train {
                self.stepper
                    .step(&self.model, &mut self.optimizer, &batch, self.lr)?;
            }
            Ok(())
        })
    }

    fn steps(&mut self, batch: &Batch, steps: usize) -> Result<()> {
        for _ in 0..steps {
            self.stop.check()?;
            self.stepper
                .step(&self.model, &mut self.optimizer, batch, self.lr)?;
        }
        Ok(())
    }

    /// Images a second of `work`, which handles `steps` whole batches; waits for the device before and after it.
    fn rate(&mut self, steps: usize, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<f64> {
        self.stepper.begin()?;
        let _ = self.stepper.read()?;
        let began = Instant::now();
        work(self)?;
        let _ = self.stepper.read()?;
        let images = steps * self.loader.training.batch_size.get() as usize;
        Ok(images as f64 / began.elapsed().as_secs_f64().max(1e-9))
    }
}
