//! What is said of every class, held against the predictions.

use super::*;

/// The rows of `log_probabilities.f32`, read as `metrics.json` says.
fn rows(job: &record::Evaluate) -> Vec<Vec<f32>> {
    let found: Evaluation = files::read_json(&job.out.join("metrics.json")).unwrap();
    let said = found.log_probabilities.unwrap();
    let bytes = files::read(&job.out.join("log_probabilities.f32")).unwrap();
    let value = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    let values: Vec<f32> = bytes.chunks_exact(4).map(value).collect();
    assert_eq!(
        (said.dtype, values.len()),
        (record::Dtype::F32, said.shape.iter().product())
    );
    values
        .chunks_exact(said.shape[1])
        .map(<[f32]>::to_vec)
        .collect()
}

/// Each line of the predictions says what its row of log-probabilities says.
#[track_caller]
pub(super) fn agree(job: &record::Evaluate, lines: &[Prediction]) {
    let rows = rows(job);
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(lines) {
        let place = |name: &str| CLASSES.iter().position(|class| *class == name).unwrap();
        let sum: f64 = row.iter().map(|log| f64::from(*log).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{row:?}");
        let probability = f64::from(row[place(&line.predicted)]).exp();
        assert!(
            (probability - line.probability).abs() < 1e-6,
            "{row:?}, {line:?}"
        );
        let loss = -f64::from(row[place(&line.label)]);
        assert!(
            (loss - line.loss).abs() < 1e-5 * loss.max(1.0),
            "{row:?}, {line:?}"
        );
    }
}
