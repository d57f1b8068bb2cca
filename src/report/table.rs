//! The numbers of the result table: a row for each group of evaluations.

use serde::Serialize;

use super::{Figure, Group, Results, pooled::hits, words};
use crate::{
    record::{Interval, Part, PartMetrics},
    settings::{Arch, Checkpoint, Tta},
    stats,
};

/// In the order of the columns.
pub(super) const PARTS: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

/// The result table. Serialises to what `--json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// In the order of the pipeline.
    pub rows: Vec<Row>,
}

/// One group of evaluations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The evaluate stage with what varies beside seed and fold.
    pub evaluation: String,
    /// The model as the pipeline names it.
    pub model: String,
    /// Its architecture, if known.
    pub arch: Option<Arch>,
    /// Which state of the model; `None` for a file.
    pub checkpoint: Option<Checkpoint>,
    /// The epoch of each run's checkpoint, where known.
    pub epochs: Vec<u32>,
    /// What the model is made of where it is not one training's state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_of: Option<String>,
    /// The views beside the plain one over which probabilities were averaged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tta: Vec<Tta>,
    /// Runs that differ in seed or fold alone.
    pub runs: usize,
    /// One for each part that all runs were evaluated on.
    pub parts: Vec<PartRow>,
}

/// The figures of one part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartRow {
    /// Which part.
    pub part: Part,
    /// Images of the first run.
    pub images: u64,
    /// Share of right first guesses.
    pub top1: Figure,
    /// Share of labels among the first five guesses.
    pub top5: Figure,
    /// Mean F1 of the classes.
    pub macro_f1: Figure,
    /// Mean cross entropy.
    pub loss: Figure,
}

/// The result table of a pipeline.
#[must_use]
pub fn table(results: &Results) -> Table {
    Table {
        rows: results.groups().iter().filter_map(row).collect(),
    }
}

fn row(group: &Group<'_>) -> Option<Row> {
    let first = group.runs.first()?;
    Some(Row {
        evaluation: group.name.clone(),
        model: first.model.clone(),
        arch: first.arch,
        checkpoint: first.checkpoint,
        epochs: group.runs.iter().filter_map(|run| run.epoch).collect(),
        made_of: first.made_of.map(words::made_of),
        tta: first.evaluation.tta.clone(),
        runs: group.runs.len(),
        parts: PARTS
            .into_iter()
            .filter_map(|part| part_row(&group.part(part)))
            .collect(),
    })
}

fn part_row(runs: &[&PartMetrics]) -> Option<PartRow> {
    let first = runs.first()?;
    let values = |of: fn(&PartMetrics) -> f64| -> Vec<f64> { runs.iter().map(|p| of(p)).collect() };
    let intervals = |of: fn(&PartMetrics) -> Interval| -> Vec<Interval> {
        runs.iter().map(|p| of(p)).collect()
    };
    Some(PartRow {
        part: first.part,
        images: first.images,
        top1: Figure::of(&values(|p| p.top1), &[])?.within(stats::share_over_runs(&hits(runs))),
        top5: Figure::of(&values(|p| p.top5), &intervals(|p| p.top5_interval))?,
        macro_f1: Figure::of(&values(|p| p.macro_f1), &[])?,
        loss: Figure::of(&values(|p| p.loss), &[])?,
    })
}

impl Row {
    /// The figures of one part, if all runs were evaluated on it.
    pub(super) fn part(&self, part: Part) -> Option<&PartRow> {
        self.parts.iter().find(|p| p.part == part)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::sample::{evaluated, evaluated_on, results, rights};
    use super::*;

    pub(in crate::report) fn sample() -> Results {
        let (train, validation, test) = (rights(98, 100), rights(30, 50), rights(24, 40));
        let parts = [
            (Part::Train, train.as_slice()),
            (Part::Validation, validation.as_slice()),
            (Part::Test, test.as_slice()),
        ];
        let mut file = evaluated("기준", &[], &rights(20, 40));
        (file.checkpoint, file.epoch, file.model) = (None, None, "models/m.pt".to_owned());
        results(vec![
            evaluated_on("baseline", &[], &parts),
            evaluated(
                "tuned",
                &[("optimizer.adam.lr", "0.001"), ("seed", "1")],
                &rights(24, 40),
            ),
            evaluated(
                "tuned",
                &[("optimizer.adam.lr", "0.001"), ("seed", "2")],
                &rights(26, 40),
            ),
            file,
        ])
    }

    #[test]
    fn json_holds_the_numbers_themselves() {
        let json = serde_json::to_value(table(&sample())).unwrap();
        let row = &json["rows"][1];
        assert_eq!(row["evaluation"], "tuned[optimizer.adam.lr=0.001]");
        assert_eq!(row["runs"], 2);
        assert_eq!(row["epochs"], serde_json::json!([12, 12]));
        assert_eq!(row["parts"][0]["part"], "test");
        assert_eq!(row["parts"][0]["top1"]["mean"], 0.625);
        // Over images and runs, as at a glance; wider than that of 40 images alone.
        let top1 = row["parts"][0]["top1"]["interval"].clone();
        let [low, high] = ["low", "high"].map(|end| top1[end].as_f64().unwrap());
        assert!(low < 0.47 && high > 0.76 && high < 1.0, "{top1}");
        assert_eq!(row["parts"][0]["top5"]["interval"], serde_json::Value::Null);
        assert_eq!(json["rows"][0]["arch"], "resnet18");
        assert_eq!(
            json["rows"][0]["parts"][0]["top1"]["sd"],
            serde_json::Value::Null
        );
    }
}
