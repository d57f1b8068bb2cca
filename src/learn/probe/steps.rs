//! The job `Steps`: what the first steps of a training see and do, to be held against the same steps in PyTorch.

use tch::Device;

use crate::{
    error::{Error, Result},
    files,
    learn::{
        feed::{Batch, Inputs, Loader},
        fit::{Learner, Started, check, source, start, unfreezing},
        judge::{Arithmetic, uses_bf16},
        optimize::{Moment, learning_rate, momentum},
    },
    model::{StateDict, safetensors, to_data},
    native::make_deterministic,
    record::{StepTaken, Steps},
    stop::Stop,
};

/// Takes the first steps of the first epoch as `fit` takes them, and writes what [`Steps`] says. No state of a
/// training is read or written.
///
/// # Errors
/// When an epoch has not so many steps, an input cannot be used, batches accumulate or layers thaw (a batch is no step then, or not
/// the whole model's), a stop was requested, or libtorch or the disk refuses.
pub fn steps(job: &Steps, device: Device, stop: &Stop) -> Result<()> {
    make_deterministic()?;
    let fit = &job.fit;
    let training = &fit.training;
    if training.accumulation_steps.get() > 1 || unfreezing(fit).is_some() {
        return Err(Error::usage(
            "steps are taken of a training without `accumulation_steps` and `gradual_unfreezing`",
        ));
    }
    let inputs = Inputs::open(&fit.data, source(fit))?;
    check(fit, &inputs)?;
    let Started {
        model,
        transform,
        drops,
        ..
    } = start(fit, &inputs, device, &|_| {})?;
    let bf16 = uses_bf16(training.precision, device);
    let arithmetic = Arithmetic { device, bf16 };
    let mut learner = Learner::new(training, false, &inputs, model, arithmetic)?;
    let loader = Loader::new(training, &inputs, &transform, device)?.dropping(drops);
    files::create_folder(&fit.out)?;
    let write = |name: &str, state: &StateDict| {
        safetensors::write(&fit.out.join(format!("{name}.safetensors")), state, None)
    };
    write("start", &learner.model.state())?;

    let mut batches = loader.order(1);
    let of = batches.len() as u32;
    if of < job.steps {
        return Err(Error::usage(format!(
            "an epoch has {of} steps, and {} were asked for",
            job.steps
        )));
    }
    batches.truncate(job.steps as usize);
    let mut taken: Vec<StepTaken> = Vec::new();
    loader.training(&batches, 1, |batch| {
        stop.check()?;
        let step = taken.len() as u32;
        let at = Moment {
            epoch: 0,
            epochs: training.epochs.get(),
            step,
            steps: of,
        };
        let lr = learning_rate(&training.schedule, training.optimizer.lr(), at, &[]);
        let momentum = momentum(&training.schedule, at);
        if let Some(momentum) = momentum {
            learner.optimizer.set_momentum(momentum);
        }
        write(&format!("batch-{}", step + 1), &seen(&batch))?;
        learner.stepper.begin()?;
        learner.step(&batch, lr)?;
        let loss = learner.stepper.read()?.loss;
        taken.push(StepTaken { lr, momentum, loss });
        Ok(())
    })?;
    write("end", &learner.model.state())?;
    files::write_json(&fit.out.join("steps.json"), &taken)
}

/// What a step is given: images, classes, and what was drawn for them.
fn seen(batch: &Batch) -> StateDict {
    let mut seen = StateDict::new();
    seen.insert("images", to_data(&batch.images));
    seen.insert("classes", to_data(&batch.targets.classes));
    if let Some(soft) = &batch.targets.soft {
        seen.insert("shares", to_data(soft));
    }
    if let Some(noise) = &batch.noise {
        for (name, tensor) in [
            ("stochastic_depth", &noise.depth),
            ("dropout", &noise.dropout),
        ] {
            if let Some(tensor) = tensor {
                seen.insert(name, to_data(tensor));
            }
        }
    }
    seen
}
