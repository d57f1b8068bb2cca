//! The batch-size finder: throughput of batch sizes by doubling, until memory, images or patience end.

use std::time::Instant;

use super::Trial;
use crate::{
    error::Result,
    learn::{
        feed::Shown,
        fit::{Criterion, Stepper, memory},
    },
    native::{empty_cuda_cache, is_out_of_memory},
    record::{BatchSizes, BatchTry, Ended},
    settings::Count,
};

/// The first batch size.
const FIRST: u32 = 8;
/// Steps before the clock starts: libraries choose kernels in them, and a GPU's step is recorded.
const WARM_UP: usize = 4;
/// Steps and seconds that the clock runs at least.
const TIMED: (usize, f64) = (3, 1.0);
/// A step that takes longer is the last that is tried.
const LONGEST: f64 = 20.0;

/// Doubles the batch size until a larger one does not fit or cannot be. Before each one `keep` is given what is found so far, as it
/// is true if the system ends the process at that size.
pub(super) fn find(
    trial: &mut Trial<'_>,
    keep: impl Fn(&BatchSizes) -> Result<()>,
) -> Result<BatchSizes> {
    let mut tries: Vec<BatchTry> = Vec::new();
    let images = trial.inputs.train.len() as u32;
    let mut batch_size = FIRST.min(images);
    let mut before = memory::peak(trial.arithmetic.device);
    let ended = loop {
        if batch_size > images {
            break Ended::NoMoreImages { images };
        }
        let killed = Ended::EndedBySystem { batch_size };
        keep(&found(tries.clone(), killed))?;
        let tried = match attempt(trial, batch_size) {
            Err(error) if is_out_of_memory(&error) => {
                if trial.arithmetic.device.is_cuda() {
                    empty_cuda_cache()?;
                }
                break Ended::MemoryRanOut { batch_size };
            }
            tried => tried?,
        };
        tries.push(tried);
        let done = tries.len();
        trial.progress("batch sizes", done, done + 1, "sizes");
        if f64::from(batch_size) / tried.images_per_second > LONGEST {
            break Ended::TooSlow {
                batch_size,
                seconds: LONGEST,
            };
        }
        let next = batch_size.saturating_mul(2);
        // A GPU says when its memory is full. Where the machine's is, the system may end the process, so it is not tried.
        if !trial.arithmetic.device.is_cuda()
            && let (Some(last), Some(now)) = (before, tried.peak_memory)
            && let Some(left) = memory::available(trial.arithmetic.device)
            && 2 * now.saturating_sub(last) > left
        {
            break Ended::WouldNotFit { batch_size: next };
        }
        before = tried.peak_memory;
        batch_size = next;
    };
    Ok(found(tries, ended))
}

fn found(tries: Vec<BatchTry>, ended: Ended) -> BatchSizes {
    let rate = |t: &&BatchTry| t.images_per_second;
    BatchSizes {
        largest: tries.last().map(|t| t.batch_size),
        fastest: tries
            .iter()
            .max_by(|a, b| rate(a).total_cmp(&rate(b)))
            .map(|t| t.batch_size),
        tries,
        ended,
    }
}

/// Some steps with this batch size, at a learning rate of 0.
fn attempt(trial: &mut Trial<'_>, batch_size: u32) -> Result<BatchTry> {
    let device = trial.arithmetic.device;
    memory::reset_peak(device);
    let mut training = trial.training.clone();
    training.batch_size = Count::new(batch_size).unwrap_or(training.batch_size);
    let loader = trial.loader(&training)?;
    let mut stepper = Stepper::new(
        Criterion::of(&training, trial.inputs, device)?,
        trial.arithmetic,
        1,
        None,
    )?;
    let full = |batch: &Vec<Shown>| batch.len() == batch_size as usize;
    let order: Vec<_> = loader.order(1).into_iter().filter(full).collect();
    let most = WARM_UP + 60;
    let batches: Vec<_> = order.iter().cycle().take(most).cloned().collect();
    let (mut steps, mut began, mut seconds) = (0, Instant::now(), None);
    stepper.begin()?;
    loader.training(&batches, 1, |batch| {
        trial.stop.check()?;
        if seconds.is_some() {
            return Ok(());
        }
        stepper.step(&trial.model, &mut trial.optimizer, &batch, 0.0)?;
        steps += 1;
        // On the CPU a step is done when it returns; a GPU is waited for at both ends of the time, and now and then between.
        let slow = began.elapsed().as_secs_f64() > LONGEST;
        if steps == WARM_UP && !slow {
            stepper.read()?;
            began = Instant::now();
        } else if steps >= WARM_UP + TIMED.0 || slow {
            stepper.read()?;
            let elapsed = began.elapsed().as_secs_f64();
            if elapsed >= TIMED.1 || steps == most {
                let timed = if slow { steps } else { steps - WARM_UP };
                seconds = Some(elapsed / timed as f64);
            }
        }
        Ok(())
    })?;
    let step = seconds.unwrap_or(f64::INFINITY);
    Ok(BatchTry {
        batch_size,
        images_per_second: f64::from(batch_size) / step,
        peak_memory: memory::peak(device),
    })
}
