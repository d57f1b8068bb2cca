//! The result table: a row for each group of evaluations.

use serde::Serialize;

use super::{Align, Figure, Grid, Group, Results, words};
use crate::{
    record::{EvaluatePart, Interval, PartMetrics},
    settings::{Arch, Checkpoint, Tta},
};

const PARTS: [EvaluatePart; 3] = [
    EvaluatePart::Train,
    EvaluatePart::Validation,
    EvaluatePart::Test,
];

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
    pub part: EvaluatePart,
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
        top1: Figure::of(&values(|p| p.top1), &intervals(|p| p.top1_interval))?,
        top5: Figure::of(&values(|p| p.top5), &intervals(|p| p.top5_interval))?,
        macro_f1: Figure::of(&values(|p| p.macro_f1), &[])?,
        loss: Figure::of(&values(|p| p.loss), &[])?,
    })
}

impl Table {
    /// For a terminal so many cells wide (`None`: as wide as it needs), with what its signs mean below.
    #[must_use]
    pub fn text(&self, width: Option<u16>) -> String {
        let mut text = self.grid().text(width);
        for note in self.notes() {
            text += &note;
            text.push('\n');
        }
        text
    }

    /// As a Markdown table, with what its signs mean below.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = self.grid().markdown();
        for note in self.notes() {
            text += &format!("\n{note}\n");
        }
        text
    }

    /// Rows and columns as text: top-1 of every part, the other figures of the last part that any row has.
    #[must_use]
    pub fn grid(&self) -> Grid {
        let parts: Vec<_> = PARTS.into_iter().filter(|part| self.has(*part)).collect();
        let mut grid = Grid::new(&[
            ("evaluation", Align::Left),
            ("model", Align::Left),
            ("checkpoint", Align::Left),
        ]);
        let repeated = self.rows.iter().any(|row| row.runs > 1);
        let viewed = self.rows.iter().any(|row| !row.tta.is_empty());
        if viewed {
            grid.columns.push(("views".to_owned(), Align::Left));
        }
        if repeated {
            grid.columns.push(("n".to_owned(), Align::Right));
        }
        let mut number = |name: String| grid.columns.push((name, Align::Right));
        for part in &parts {
            number(format!("{} top-1", part.name()));
        }
        if let Some(last) = parts.last() {
            for figure in ["top-5", "macro F1", "loss"] {
                number(format!("{} {figure}", last.name()));
            }
        }
        for row in &self.rows {
            let mut cells = vec![
                row.evaluation.clone(),
                row.model_cell(),
                row.checkpoint_cell(),
            ];
            if viewed {
                cells.push(row.views_cell());
            }
            if repeated {
                cells.push(row.runs.to_string());
            }
            cells.extend(
                parts
                    .iter()
                    .map(|part| row.cell(*part, |p| p.top1.percent())),
            );
            if let Some(last) = parts.last() {
                cells.push(row.cell(*last, |p| p.top5.without_interval().percent()));
                cells.push(row.cell(*last, |p| p.macro_f1.plain()));
                cells.push(row.cell(*last, |p| p.loss.plain()));
            }
            grid.rows.push(cells);
        }
        grid
    }

    fn has(&self, part: EvaluatePart) -> bool {
        self.rows.iter().any(|row| row.part(part).is_some())
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self
            .rows
            .iter()
            .any(|row| row.runs == 1 && !row.parts.is_empty())
        {
            notes.push("[low, high]: Wilson's 95% interval of one run.".to_owned());
        }
        if self.rows.iter().any(|row| row.runs > 1) {
            notes.push(
                "±: standard deviation over n runs that differ in seed or fold alone.".to_owned(),
            );
        }
        notes
    }
}

impl Row {
    fn part(&self, part: EvaluatePart) -> Option<&PartRow> {
        self.parts.iter().find(|p| p.part == part)
    }

    fn cell(&self, part: EvaluatePart, show: impl Fn(&PartRow) -> String) -> String {
        self.part(part).map_or_else(|| "-".to_owned(), show)
    }

    /// The model, and its architecture where the name does not say it.
    fn model_cell(&self) -> String {
        match self.arch {
            Some(arch) if !self.model.contains(arch.name()) => {
                format!("{} ({})", self.model, arch.name())
            }
            _ => self.model.clone(),
        }
    }

    /// How many views, and of which kind.
    fn views_cell(&self) -> String {
        let views: usize = self.tta.iter().map(|tta| tta.views()).product();
        let names: Vec<_> = self.tta.iter().map(|tta| tta.name()).collect();
        match names.as_slice() {
            [] => "1".to_owned(),
            names => format!("{views}: {}", names.join(", ")),
        }
    }

    fn checkpoint_cell(&self) -> String {
        if let Some(made_of) = &self.made_of {
            return made_of.clone();
        }
        let state = match self.checkpoint {
            Some(Checkpoint::Best) => "best",
            Some(Checkpoint::Last) => "last",
            None => "file",
        };
        match (self.epochs.iter().min(), self.epochs.iter().max()) {
            (Some(low), Some(high)) if low == high => format!("{state}, epoch {low}"),
            (Some(low), Some(high)) => format!("{state}, epochs {low} to {high}"),
            _ => state.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::super::sample::{evaluated, evaluated_on, results, rights};
    use super::*;

    fn sample() -> Results {
        let (train, validation, test) = (rights(98, 100), rights(30, 50), rights(24, 40));
        let parts = [
            (EvaluatePart::Train, train.as_slice()),
            (EvaluatePart::Validation, validation.as_slice()),
            (EvaluatePart::Test, test.as_slice()),
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
    fn a_row_for_each_recipe_with_interval_or_spread() {
        assert_eq!(
            table(&sample()).text(None),
            "\
evaluation                      model                   checkpoint      n         train top-1    validation top-1          test top-1    test top-5  test macro F1      test loss
─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
baseline                        resnet18                best, epoch 12  1  98.0% [93.0, 99.4]  60.0% [46.2, 72.4]  60.0% [44.6, 73.7]        100.0%          0.600          1.050
tuned[optimizer.adam.lr=0.001]  resnet18                best, epoch 12  2                   -                   -         62.5% ± 3.5  100.0% ± 0.0  0.625 ± 0.035  1.000 ± 0.071
기준                            models/m.pt (resnet18)  file            1                   -                   -  50.0% [35.2, 64.8]        100.0%          0.500          1.250
[low, high]: Wilson's 95% interval of one run.
±: standard deviation over n runs that differ in seed or fold alone.
"
        );
    }

    #[test]
    fn a_narrow_terminal_is_never_exceeded() {
        for width in [80, 100, 120] {
            let text = table(&sample()).grid().text(Some(width));
            assert!(
                text.lines().all(|line| line.width() <= width.into()),
                "{width}:\n{text}"
            );
        }
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
        assert_eq!(row["parts"][0]["top1"]["interval"], serde_json::Value::Null);
        assert_eq!(json["rows"][0]["arch"], "resnet18");
        assert_eq!(
            json["rows"][0]["parts"][0]["top1"]["sd"],
            serde_json::Value::Null
        );
    }
}
