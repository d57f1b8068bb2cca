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
