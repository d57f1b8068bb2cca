//! One line of `predictions.csv`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Part;
use crate::{
    cells,
    error::{Error, Result},
    text::shown_path,
};

/// What a model said about one image. The columns of the file are these fields in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The part that the image belongs to.
    pub part: Part,
    /// The image as in `images.json`.
    #[serde(with = "cells")]
    pub path: String,
    /// The name of its class.
    #[serde(with = "cells")]
    pub label: String,
    /// The name of the first guess.
    #[serde(with = "cells")]
    pub predicted: String,
    /// Whether both are the same.
    pub correct: bool,
    /// The probability of the first guess.
    pub probability: f64,
    /// Cross entropy against the label, in nats.
    pub loss: f64,
    /// Whether the label is among the first five guesses.
    pub top5: bool,
}

impl Prediction {
    /// The predictions of one evaluation, in the order of the file.
    ///
    /// # Errors
    /// When the file cannot be read or has other columns.
    pub fn read_all(path: &Path) -> Result<Vec<Self>> {
        let fail = |e: csv::Error| {
            Error::failed(format!("cannot understand `{}`", shown_path(path))).because(e)
        };
        csv::Reader::from_path(path)
            .map_err(fail)?
            .deserialize()
            .collect::<Result<_, _>>()
            .map_err(fail)
    }

    /// The mistakes on a part, the most confident first.
    #[must_use]
    pub fn mistakes(all: &[Self], part: Part) -> Vec<&Self> {
        let mut wrong: Vec<&Self> = all
            .iter()
            .filter(|p| p.part == part && !p.correct)
            .collect();
        wrong.sort_by(|a, b| {
            let surer = b.probability.total_cmp(&a.probability);
            surer.then_with(|| a.path.cmp(&b.path))
        });
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_survive_their_file_and_another_file_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.csv");
        let written = Prediction {
            part: Part::Validation,
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
        assert_eq!(Prediction::read_all(&path).unwrap(), [written]);

        std::fs::write(&path, "part,path\nnowhere,x\n").unwrap();
        let error = Prediction::read_all(&path).unwrap_err().to_string();
        assert!(error.contains("predictions.csv"), "{error}");
    }
}
