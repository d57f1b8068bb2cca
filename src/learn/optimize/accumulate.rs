//! Which batches make one step of the optimizer together.

/// A batch's part in a step of the optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MicroBatch {
    /// The gradients begin with this batch.
    pub(crate) first: bool,
    /// The optimizer steps after this batch.
    pub(crate) last: bool,
    /// The share of the step's images that this batch holds: its mean loss counts as much.
    pub(crate) share: f64,
}

impl MicroBatch {
    /// A batch that is a step.
    pub(crate) const WHOLE: Self = Self {
        first: true,
        last: true,
        share: 1.0,
    };
}

/// The parts of batches of these sizes, `steps` of them to a step of the optimizer; the last step of an epoch takes what is left.
pub(crate) fn parts(sizes: &[usize], steps: usize) -> Vec<MicroBatch> {
    let mut parts = Vec::with_capacity(sizes.len());
    for step in sizes.chunks(steps.max(1)) {
        let images: usize = step.iter().sum();
        let of = |(i, size): (usize, &usize)| MicroBatch {
            first: i == 0,
            last: i + 1 == step.len(),
            share: *size as f64 / images.max(1) as f64,
        };
        parts.extend(step.iter().enumerate().map(of));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_of_an_epoch_is_the_mean_over_what_is_left() {
        let part = |first, last, share| MicroBatch { first, last, share };
        assert_eq!(
            parts(&[8, 8, 8, 8, 2], 3),
            [
                part(true, false, 8.0 / 24.0),
                part(false, false, 8.0 / 24.0),
                part(false, true, 8.0 / 24.0),
                part(true, false, 0.8),
                part(false, true, 0.2),
            ]
        );
        assert_eq!(parts(&[8, 3], 1), [MicroBatch::WHOLE; 2]);
    }
}
