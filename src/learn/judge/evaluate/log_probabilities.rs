//! `log_probabilities.f32`: what the model says of every class, for each image.
//!
//! A row for each line of `predictions.csv`, in its order, and in each row a value for each class, in the order of `classes` of
//! `metrics.json`: the natural logarithm of its probability, as an IEEE 754 number of 32 bits, little-endian. Nothing else stands in the
//! file. Half precision would not do: it rounds the logarithm of a small probability to a sixteenth.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use crate::{
    error::{Error, Result},
    record::{Dtype, LogProbabilities},
};

/// Log-probabilities [rows, classes] from logits of this shape, in f64 (`torch.log_softmax`).
pub(super) fn log_softmax(logits: &[f32], classes: usize) -> Vec<f64> {
    let mut all = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(classes.max(1)) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let largest = f64::from(largest);
        let sum: f64 = row.iter().map(|v| (f64::from(*v) - largest).exp()).sum();
        let log = largest + sum.ln();
        all.extend(row.iter().map(|v| f64::from(*v) - log));
    }
    all
}

/// Writes the parts behind each other, and says what stands in the file.
pub(super) fn write<'a>(
    path: &Path,
    parts: impl Iterator<Item = &'a [f32]>,
    classes: usize,
) -> Result<LogProbabilities> {
    let fail = |e| Error::io("write", path, e);
    let mut file = BufWriter::new(File::create(path).map_err(fail)?);
    let mut values = 0;
    for value in parts.flatten() {
        file.write_all(&value.to_le_bytes()).map_err(fail)?;
        values += 1;
    }
    file.flush().map_err(fail)?;
    Ok(LogProbabilities {
        dtype: Dtype::F32,
        shape: [values / classes.max(1), classes],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `torch.log_softmax` of torch 2.11 in f64.
    #[test]
    fn logarithms_of_probabilities_equal_pytorchs_and_stay_finite_far_out() {
        let found = log_softmax(&[2.0, 1.0, 0.0, -1000.0, 1000.0, 0.0], 3);
        let expected = [
            -0.407_605_964_444_38,
            -1.407_605_964_444_38,
            -2.407_605_964_444_38,
            -2000.0,
            0.0,
            -1000.0,
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
    }

    #[test]
    fn the_file_holds_nothing_but_the_values_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log_probabilities.f32");
        let parts: [&[f32]; 2] = [&[-0.5, -1.0], &[-2.0, -0.25, -0.125, -3.0]];
        let said = write(&path, parts.into_iter(), 2).unwrap();
        assert_eq!(said.shape, [3, 2]);
        let bytes: Vec<u8> = parts
            .concat()
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
