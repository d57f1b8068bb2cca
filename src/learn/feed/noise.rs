//! What a training drops of a network, drawn for each image by itself.

use rand::RngExt;
use tch::{Device, Tensor};

use super::order::Shown;
use crate::{
    error::Result,
    model::{Drops, Noise},
    seed::{Seed, stream},
};

/// What is dropped of the images of a batch in epoch `epoch`; `None` where nothing ever is.
///
/// From (seed, epoch, image, repeat) alone: neither the batch that an image stands in nor where a training was interrupted matters.
///
/// # Errors
/// When libtorch refuses.
pub(super) fn draw(
    drops: &Drops,
    seed: Seed,
    epoch: u32,
    batch: &[Shown],
    device: Device,
) -> Result<Option<Noise>> {
    if !drops.drops_branches() && !drops.drops_elements() {
        return Ok(None);
    }
    let factors =
        |purpose: &str, probabilities: &dyn Fn(usize) -> f64, width: usize| -> Result<Tensor> {
            let mut all = Vec::with_capacity(batch.len() * width);
            for shown in batch {
                let position = [u64::from(epoch), shown.row as u64, u64::from(shown.repeat)];
                let mut rng = stream(seed, purpose, &position);
                all.extend((0..width).map(|i| factor(rng.random(), probabilities(i))));
            }
            let all = Tensor::f_from_slice(&all)?.f_view([batch.len() as i64, width as i64])?;
            Ok(all.f_to_device(device)?)
        };
    let depth = drops.drops_branches().then(|| {
        let branches = drops.depth.len();
        factors("stochastic depth", &|branch| drops.depth[branch], branches)
    });
    let (probability, features) = drops.dropout;
    let dropout = drops
        .drops_elements()
        .then(|| factors("dropout", &|_| probability, features));
    Ok(Some(Noise {
        depth: depth.transpose()?,
        dropout: dropout.transpose()?,
    }))
}

/// What is multiplied by, given a draw from [0, 1): what is kept makes up for what is dropped.
fn factor(draw: f64, probability: f64) -> f32 {
    if draw < probability {
        return 0.0;
    }
    (1.0 / (1.0 - probability)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::to_data;

    const DROPS: (f64, usize) = (0.25, 500);

    fn drawn(epoch: u32, rows: &[usize]) -> [Vec<f32>; 2] {
        let drops = Drops {
            depth: vec![0.0, 0.5, 1.0],
            dropout: DROPS,
        };
        let batch: Vec<_> = rows.iter().map(|&row| Shown { row, repeat: 0 }).collect();
        let noise = draw(&drops, 7, epoch, &batch, Device::Cpu)
            .unwrap()
            .unwrap();
        [noise.depth, noise.dropout].map(|tensor| to_data(&tensor.unwrap()).to_f32())
    }

    #[test]
    fn an_image_is_treated_alike_whatever_batch_it_stands_in_and_anew_in_every_epoch() {
        let (both, alone) = (drawn(1, &[3, 9]), drawn(1, &[9]));
        assert_eq!(both[0][3..], alone[0]);
        assert_eq!(both[1][500..], alone[1]);
        assert_ne!(alone[1], drawn(2, &[9])[1]);
    }

    #[test]
    fn so_many_are_dropped_and_the_others_make_up_for_them() {
        let rows: Vec<usize> = (0..400).collect();
        let [depth, dropout] = drawn(1, &rows);
        for branches in depth.chunks(3) {
            assert!(branches[0] == 1.0 && branches[2] == 0.0);
            assert!(branches[1] == 0.0 || branches[1] == 2.0);
        }
        let kept = depth.iter().skip(1).step_by(3).filter(|f| **f == 2.0);
        assert!((150..250).contains(&kept.count()));
        let mean = dropout.iter().sum::<f32>() / dropout.len() as f32;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn a_network_that_drops_nothing_draws_nothing() {
        let drops = Drops {
            depth: vec![0.0; 4],
            dropout: (0.0, 8),
        };
        assert!(draw(&drops, 7, 1, &[], Device::Cpu).unwrap().is_none());
    }
}
