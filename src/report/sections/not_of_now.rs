//! What is not as a run would make it now.

use super::Asked;
use crate::{
    error::Result,
    report::{Block, NotOfNow},
    text::{count, either, shown},
};

/// Stages that are listed.
const LISTED: usize = 20;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let stages = &asked.results.not_of_now;
    if stages.is_empty() {
        return Ok(Vec::new());
    }
    let n = stages.len();
    let told = format!(
        "{} {} not as a run would make {} now; `kfood run` does.",
        count(n, "stage"),
        either(n, "is", "are"),
        either(n, "it", "them"),
    );
    Ok(vec![
        Block::warning(told),
        Block::first_of(lines(stages).into_iter(), LISTED, ""),
    ])
}

/// A line for each stage: of several instances the first one says why.
fn lines(stages: &[NotOfNow]) -> Vec<String> {
    let mut of: Vec<Vec<&NotOfNow>> = Vec::new();
    let kind = |stage: &NotOfNow| (stage.id.split('[').next().map(str::to_owned), stage.earlier);
    for stage in stages {
        match of.iter_mut().find(|of| kind(of[0]) == kind(stage)) {
            Some(of) => of.push(stage),
            None => of.push(vec![stage]),
        }
    }
    let line = |of: &Vec<&NotOfNow>| match of.len() - 1 {
        0 => not_of_now(of[0]),
        others => format!(
            "{}; so with {}",
            not_of_now(of[0]),
            count(others, "more instance")
        ),
    };
    of.iter().map(line).collect()
}

/// Why a result is not there, or is an earlier one: "`net`: no result: …".
#[must_use]
pub fn not_of_now(stage: &NotOfNow) -> String {
    let what = match stage.earlier {
        true => "an earlier result is shown",
        false => "no result",
    };
    format!("`{}`: {what}: {}", shown(&stage.id), stage.why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Detail, report, sample::results};

    #[test]
    fn what_is_missing_or_of_before_is_marked() {
        let mut results = results(Vec::new());
        let stage = |id: &str, earlier| NotOfNow {
            id: id.to_owned(),
            earlier,
            why: "`lr`: 0.1 -> 0.2".to_owned(),
        };
        results.not_of_now = vec![stage("net", true), stage("result", false)];
        let text = report(&results, None, Detail::default())
            .unwrap()
            .markdown();
        let expected = "\
> **Warning:** 2 stages are not as a run would make them now; `kfood run` does.

- `net`: an earlier result is shown: `lr`: 0.1 -> 0.2
- `result`: no result: `lr`: 0.1 -> 0.2
";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn instances_of_a_stage_are_one_line() {
        let instance = |seed: u32| NotOfNow {
            id: format!("net[seed={seed}]"),
            earlier: seed == 3,
            why: "never run".to_owned(),
        };
        let stages: Vec<_> = (1..=3).map(instance).collect();
        assert_eq!(
            lines(&stages),
            [
                "`net[seed=1]`: no result: never run; so with 1 more instance",
                "`net[seed=3]`: an earlier result is shown: never run"
            ]
        );
    }
}
