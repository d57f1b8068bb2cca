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
        Block::first_of(stages.iter().map(not_of_now), LISTED, ""),
    ])
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
}
