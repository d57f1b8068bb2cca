//! One step of a training: forward, loss, backward, optimizer, tally.

use tch::{Device, Kind, Tensor};

use super::{
    criterion::Criterion,
    loader::Batch,
    optimizer::Optimizer,
    tally::{Sums, Tally},
};
use crate::{
    error::Result,
    model::ResNet,
    native::{Autocast, CudaGraph, accelerated},
    record::Measure,
};

/// Steps that are done one operation at a time before a step is recorded: libraries choose kernels and take memory in them.
const WARM_UP: u32 = 3;

/// The arithmetic of a model's passes.
#[derive(Clone, Copy)]
pub(super) struct Arithmetic {
    pub(super) device: Device,
    /// Convolutions and matrix products in bf16.
    pub(super) bf16: bool,
}

impl Arithmetic {
    /// Logits in f32, whatever the arithmetic.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn forward(self, model: &ResNet, images: &Tensor, train: bool) -> Result<Tensor> {
        let autocast = if self.bf16 {
            Some(Autocast::bf16(self.device)?)
        } else {
            None
        };
        let logits = model.forward(images, train);
        drop(autocast);
        Ok(logits.f_to_kind(Kind::Float)?)
    }
}

/// Does the steps of a training, and tallies them. On a GPU a step is recorded once and then started as a whole: its hundreds of
/// small kernels cost more to start than to run.
pub(super) struct Stepper {
    criterion: Criterion,
    arithmetic: Arithmetic,
    tally: Tally,
    recording: bool,
    /// Steps done one operation at a time with batches of this shape.
    warm: (Vec<i64>, u32),
    recorded: Option<Recorded>,
}

/// A step whose tensors keep their places.
struct Recorded {
    graph: CudaGraph,
    batch: Batch,
}

impl Stepper {
    /// For a training on this device.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn new(criterion: Criterion, arithmetic: Arithmetic) -> Result<Self> {
        let recording = arithmetic.device.is_cuda() && accelerated().is_none();
        Ok(Self {
            criterion,
            arithmetic,
            tally: Tally::new(arithmetic.device)?,
            recording,
            warm: (Vec::new(), 0),
            recorded: None,
        })
    }

    /// Never records, for steps that change in more than their batch and learning rate: kernels take such numbers (a moving
    /// momentum) from the host, and a recorded step would keep those of its recording.
    pub(super) fn unrecorded(mut self) -> Self {
        self.recording = false;
        self
    }

    /// Starts the tally anew.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn begin(&mut self) -> Result<()> {
        self.tally.clear()
    }

    /// The sums of the steps so far; waits for the device.
    ///
    /// # Errors
    /// When a step failed on the device.
    pub(super) fn sums(&self) -> Result<Sums> {
        self.tally.sums()
    }

    /// Goes on within an epoch.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn go_on(&mut self, sums: &Sums) -> Result<()> {
        self.tally.load(sums)
    }

    /// Images tallied so far.
    pub(super) fn images(&self) -> u64 {
        self.tally.images()
    }

    /// The means over the steps so far; waits for the device.
    ///
    /// # Errors
    /// When a step failed on the device.
    pub(super) fn read(&self) -> Result<Measure> {
        self.tally.read()
    }

    /// The first step of the tally, from 1, whose loss was no finite number; waits for the device.
    ///
    /// # Errors
    /// As [`Stepper::read`].
    pub(super) fn lost(&self) -> Result<Option<u64>> {
        self.tally.lost()
    }

    /// Moves the model by one batch at this learning rate.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn step(
        &mut self,
        model: &ResNet,
        optimizer: &mut Optimizer,
        batch: &Batch,
        lr: f64,
    ) -> Result<()> {
        optimizer.set_lr(lr)?;
        let images = batch.len();
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
                )?;
            }
        }
        self.tally.count(images);
        Ok(())
    }

    /// Records the step of this batch's shape after some of its kind; the last, smaller batch of an epoch never comes to that.
    fn record_when_warm(
        &mut self,
        model: &ResNet,
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
        optimizer.clear_gradients()?;
        graph.capture(|| one(model, optimizer, criterion, arithmetic, tally, &batch))?;
        // Recording did nothing, but the host counted.
        model.count_batch(-1);
        self.recorded = Some(Recorded { graph, batch });
        Ok(())
    }
}

/// A step, one operation at a time; waits for nothing.
fn one(
    model: &ResNet,
    optimizer: &mut Optimizer,
    criterion: &Criterion,
    arithmetic: Arithmetic,
    tally: &mut Tally,
    batch: &Batch,
) -> Result<()> {
    optimizer.clear_gradients()?;
    let logits = arithmetic.forward(model, &batch.images, true)?;
    let loss = criterion.loss(&logits, &batch.targets)?;
    loss.f_backward()?;
    optimizer.apply()?;
    tally.add(&loss, &logits, &batch.targets.classes)
}
