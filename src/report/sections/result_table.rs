//! The result table: top-1 of every part, the other figures of the last part that any row has.

use super::Asked;
use crate::{
    error::Result,
    record::Part,
    report::{Block, Column, Grid, PartRow, Row, Table, table, table::PARTS},
    settings::Checkpoint,
};

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    if asked.results.evaluations.is_empty() {
        return Ok(vec![Block::paragraph("Nothing was evaluated.")]);
    }
    Ok(vec![
        Block::heading(2, "Results"),
        table(asked.results).block(),
    ])
}

/// A column, and what a row has in it.
type Shown = (Column, Box<dyn Fn(&Row) -> String>);

impl Table {
    /// As text, with what its signs mean below.
    #[must_use]
    pub fn block(&self) -> Block {
        let columns = self.columns();
        let row = |row: &Row| columns.iter().map(|(_, cell)| cell(row)).collect();
        let rows = self.rows.iter().map(row).collect();
        let columns = columns.into_iter().map(|(column, _)| column).collect();
        Block::Table {
            grid: Grid { columns, rows },
            notes: self.notes().into_iter().map(Into::into).collect(),
        }
    }

    fn columns(&self) -> Vec<Shown> {
        let mut columns: Vec<Shown> = vec![
            kept(
                words("evaluation", |row| row.evaluation.clone()),
                Column::heading,
            ),
            words("model", model),
            kept(words("checkpoint", checkpoint), Column::extra),
        ];
        if self.rows.iter().any(|row| !row.tta.is_empty()) {
            columns.push(kept(words("views", views), Column::extra));
        }
        if self.rows.iter().any(|row| row.runs > 1) {
            let n = Column::right("n").meaning("runs that differ in seed or fold alone");
            columns.push((n, Box::new(|row| row.runs.to_string())));
        }
        let there = |part: &Part| self.rows.iter().any(|row| row.part(*part).is_some());
        let parts: Vec<_> = PARTS.into_iter().filter(there).collect();
        for part in &parts {
            let meaning = "share of images whose first guess is right";
            columns.push(figure(*part, "top-1", meaning, |p| p.top1.percent()));
        }
        if let Some(last) = parts.last().copied() {
            let top5 = |p: &PartRow| p.top5.without_interval().percent();
            let meaning = "share of images whose class is among the first five guesses";
            let extra = |shown| kept(shown, Column::extra);
            columns.push(extra(figure(last, "top-5", meaning, top5)));
            let meaning = "mean of the F1 scores of the classes";
            let macro_f1 = |p: &PartRow| p.macro_f1.plain();
            columns.push(extra(figure(last, "macro F1", meaning, macro_f1)));
            let meaning = "mean cross entropy, in nats";
            columns.push(extra(figure(last, "loss", meaning, |p| p.loss.plain())));
        }
        columns
    }

    fn notes(&self) -> Vec<&'static str> {
        let any = |wanted: fn(&Row) -> bool| self.rows.iter().any(wanted);
        let mut notes = Vec::new();
        if any(|row| row.runs == 1 && !row.parts.is_empty()) {
            notes.push("[low, high]: Wilson's 95% interval of one run.");
        }
        if any(|row| row.runs > 1) {
            notes.push("±: standard deviation over n runs that differ in seed or fold alone.");
        }
        notes
    }
}

/// The same with what becomes of it where there is little room.
fn kept((column, cell): Shown, place: fn(Column) -> Column) -> Shown {
    (place(column), cell)
}

fn words(name: &str, cell: fn(&Row) -> String) -> Shown {
    (Column::left(name), Box::new(cell))
}

/// A figure of one part; a dash where a row does not have it.
fn figure(part: Part, name: &str, meaning: &'static str, cell: fn(&PartRow) -> String) -> Shown {
    let column = Column::right(format!("{} {name}", part.name())).meaning(meaning);
    let cell = move |row: &Row| row.part(part).map_or_else(|| "-".to_owned(), cell);
    (column, Box::new(cell))
}

/// The model, and its architecture where the name does not say it.
fn model(row: &Row) -> String {
    match row.arch {
        Some(arch) if !row.model.contains(arch.name()) => {
            format!("{} ({})", row.model, arch.name())
        }
        _ => row.model.clone(),
    }
}

/// How many views, and of which kind.
fn views(row: &Row) -> String {
    let views: usize = row.tta.iter().map(|tta| tta.views()).product();
    let names: Vec<_> = row.tta.iter().map(|tta| tta.name()).collect();
    match names.as_slice() {
        [] => "1".to_owned(),
        names => format!("{views}: {}", names.join(", ")),
    }
}

/// The state of the model that was evaluated, or what it is made of.
fn checkpoint(row: &Row) -> String {
    if let Some(made_of) = &row.made_of {
        return made_of.clone();
    }
    let state = match row.checkpoint {
        Some(Checkpoint::Best) => "best",
        Some(Checkpoint::Last) => "last",
        None => "file",
    };
    match (row.epochs.iter().min(), row.epochs.iter().max()) {
        (Some(low), Some(high)) if low == high => format!("{state}, epoch {low}"),
        (Some(low), Some(high)) => format!("{state}, epochs {low} to {high}"),
        _ => state.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::report::{Document, table::tests::sample};

    #[test]
    fn a_row_for_each_recipe_with_interval_or_spread() {
        assert_eq!(
            Document::from(table(&sample()).block()).terminal(None),
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
            let text = Document::from(table(&sample()).block()).terminal(Some(width));
            assert!(
                text.lines().all(|line| line.width() <= width.into()),
                "{width}:\n{text}"
            );
        }
    }
}
