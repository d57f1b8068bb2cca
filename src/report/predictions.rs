//! Reading `predictions.csv`.

use std::path::Path;

use crate::{error::Result, record::Prediction};

/// The predictions of one evaluation, in the order of the file.
///
/// # Errors
/// When the file cannot be read or has other columns.
pub fn predictions(path: &Path) -> Result<Vec<Prediction>> {
    Prediction::read_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::EvaluatePart;

    #[test]
    fn predictions_survive_their_file_and_another_file_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.csv");
        let written = Prediction {
            part: EvaluatePart::Validation,
            path: "train/김밥, 참치/0001.jpg".to_owned(),
            label: "김밥, \"참치\"".to_owned(),
            predicted: "냉면".to_owned(),
            correct: false,
            probability: 0.512845261845287,
            loss: 1.25e-7,
            top5: true,
        };
        let mut writer = csv::Writer::from_path(&path).unwrap();
        writer.serialize(&written).unwrap();
        writer.flush().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(
                "part,path,label,predicted,correct,probability,loss,top5\nvalidation,"
            ),
            "{text}"
        );
        assert_eq!(predictions(&path).unwrap(), [written]);

        std::fs::write(&path, "part,path\nnowhere,x\n").unwrap();
        let error = predictions(&path).unwrap_err().to_string();
        assert!(error.contains("predictions.csv"), "{error}");
    }
}
