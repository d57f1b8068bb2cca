//! One step of a training: forward, loss, backward, optimizer, tally.

use super::{criterion::Criterion, ema::Ema};
use crate::{
    error::Result,
    learn::{
        feed::Batch,
        judge::{Arithmetic, Sums, Tally},
        optimize::{MicroBatch, Optimizer, parts},
    },
    model::{Mode, Network},
    native::{CudaGraph, accelerated},
    record::Measure,
};

/// Steps that are done one operation at a time before a step is recorded: libraries choose kernels and take memory in them.
const WARM_UP: u32 = 3;

/// Does the steps of a training, and tallies them. On a GPU a step is recorded once and then started as a whole: its hundreds of
/// small kernels cost more to start than to run.
pub(crate) struct Stepper {
    criterion: Criterion,
    arithmetic: Arithmetic,
    tally: Tally,
    recording: bool,
    /// Steps done one operation at a time with batches of this shape.
    warm: (Vec<i64>, u32),
    recorded: Option<Recorded>,
    /// Batches to a step of the optimizer.
    accumulation: usize,
    /// The parts of the batches of this pass, and the number of the next one.
    parts: Vec<MicroBatch>,
    next: usize,
    ema: Option<Ema>,
}

/// A step whose tensors keep their places.
struct Recorded {
    graph: CudaGraph,
    batch: Batch,
}

impl Stepper {
    /// For a training on this device, `accumulation` batches to a step of the optimizer, after which `ema` follows.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn new(
        criterion: Criterion,
        arithmetic: Arithmetic,
        accumulation: u32,
        ema: Option<Ema>,
    ) -> Result<Self> {
        // A recorded step begins with new gradients and ends with the optimizer's step: what several batches make together is
        // done one operation at a time.
        let recording = arithmetic.device.is_cuda() && accelerated().is_none() && accumulation == 1;
        Ok(Self {
            criterion,
            arithmetic,
            tally: Tally::new(arithmetic.device)?,
            recording,
            warm: (Vec::new(), 0),
            recorded: None,
            accumulation: accumulation as usize,
            parts: Vec::new(),
            next: 0,
            ema,
        })
    }

    /// Never records, for steps that change in more than their batch and learning rate: kernels take such numbers (a moving
    /// momentum) from the host, and a recorded step would keep those of its recording.
    pub(crate) fn unrecorded(mut self) -> Self {
        self.recording = false;
        self
    }

    /// The running mean of the weights, where the training keeps one.
    pub(crate) fn ema(&self) -> Option<&Ema> {
        self.ema.as_ref()
    }

    /// The same, to be loaded.
    pub(crate) fn ema_mut(&mut self) -> Option<&mut Ema> {
        self.ema.as_mut()
    }

    /// Forgets a recorded step: other parameters are trained from now on.
    pub(crate) fn forget(&mut self) {
        self.recorded = None;
        self.warm = (Vec::new(), 0);
    }

    /// Starts the tally anew.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.tally.clear()
    }

    /// Batches of these sizes follow; a step of the optimizer begins with the first of them.
    pub(crate) fn expect(&mut self, sizes: &[usize]) {
        self.parts = parts(sizes, self.accumulation);
        self.next = 0;
    }

    /// Whether the next batch begins a step of the optimizer: no gradients wait for one.
    pub(crate) fn is_between(&self) -> bool {
        self.parts.get(self.next).is_none_or(|part| part.first)
    }

    /// The sums of the steps so far; waits for the device.
    ///
    /// # Errors
    /// When a step failed on the device.
    pub(crate) fn sums(&self) -> Result<Sums> {
        self.tally.sums()
    }

    /// Goes on within an epoch.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn go_on(&mut self, sums: &Sums) -> Result<()> {
        self.tally.load(sums)
    }

    /// Images tallied so far.
    pub(crate) fn images(&self) -> u64 {
        self.tally.images()
    }

    /// The means over the steps so far; waits for the device.
    ///
    /// # Errors
    /// When a step failed on the device.
    pub(crate) fn read(&self) -> Result<Measure> {
        self.tally.read()
    }

    /// The first step of the tally, from 1, whose loss was no finite number; waits for the device.
    ///
    /// # Errors
    /// As [`Stepper::read`].
    pub(crate) fn lost(&self) -> Result<Option<u64>> {
        self.tally.lost()
    }

    /// Moves the model by one batch at this learning rate.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(crate) fn step(
        &mut self,
        model: &Network,
        optimizer: &mut Optimizer,
        batch: &Batch,
        lr: f64,
    ) -> Result<()> {
        optimizer.set_lr(lr)?;
        let images = batch.len();
        let part = self
            .parts
            .get(self.next)
            .copied()
            .unwrap_or(MicroBatch::WHOLE);
        self.next += 1;
        if self.recording {
            self.record_when_warm(model, optimizer, batch)?;
        }
        match &mut self.recorded {
            Some(recorded) if recorded.batch.like(batch) => {
                recorded.batch.copy(batch)?;
                recorded.graph.replay()?;
                model.count_batch(1);
            }
            _ => {
                let (criterion, arithmetic) = (&self.criterion, self.arithmetic);
                one(
                    model,
                    optimizer,
                    criterion,
                    arithmetic,
                    &mut self.tally,
                    batch,
                    part,
                )?;
            }
        }
        self.tally.count(images);
        // Not part of a recorded step: how much of the mean is kept changes with the step.
        match &mut self.ema {
            Some(ema) if part.last => ema.follow(model),
            _ => Ok(()),
        }
    }

    /// Records the step of this batch's shape after some of its kind; the last, smaller batch of an epoch never comes to that.
    fn record_when_warm(
        &mut self,
        model: &Network,
        optimizer: &mut Optimizer,
        batch: &Batch,
    ) -> Result<()> {
        if self.recorded.as_ref().is_some_and(|r| r.batch.like(batch)) {
            return Ok(());
        }
        let shape = batch.images.size();
        if self.warm.0 != shape {
            if self.recorded.is_none() {
                self.warm = (shape, 0);
            }
            return Ok(());
        }
        self.warm.1 += 1;
        if self.warm.1 < WARM_UP {
            return Ok(());
        }
        let batch = batch.places()?;
        let mut graph = CudaGraph::new()?;
        let (criterion, arithmetic, tally) = (&self.criterion, self.arithmetic, &mut self.tally);
        graph.capture(|| {
            one(
                model,
                optimizer,
                criterion,
                arithmetic,
                tally,
                &batch,
                MicroBatch::WHOLE,
            )
        })?;
        // Recording did nothing, but the host counted.
        model.count_batch(-1);
        self.recorded = Some(Recorded { graph, batch });
        Ok(())
    }
}

/// A step, one operation at a time; waits for nothing.
fn one(
    model: &Network,
    optimizer: &mut Optimizer,
    criterion: &Criterion,
    arithmetic: Arithmetic,
    tally: &mut Tally,
    batch: &Batch,
    part: MicroBatch,
) -> Result<()> {
    if part.first {
        optimizer.begin()?;
    }
    let mode = Mode::Training(batch.noise.as_ref());
    let logits = arithmetic.forward(model, &batch.images, mode)?;
    let loss = criterion.loss(&logits, &batch.targets)?;
    if part.first && part.last {
        loss.f_backward()?;
    } else {
        loss.f_mul_scalar(part.share)?.f_backward()?;
    }
    optimizer.collect(part.first)?;
    if part.last {
        optimizer.apply()?;
    }
    tally.add(&loss, &logits, &batch.targets.classes)
}
