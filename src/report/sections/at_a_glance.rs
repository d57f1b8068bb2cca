//! What a person wants to know first: how good each recipe is, which one is better, which images are wrong, and which labels.

use super::{Asked, Images, comparisons, evaluations, label_issues, mistakes};
use crate::{
    error::Result,
    record::Part,
    report::{
        Block, Group, Results, Shot,
        best::best,
        judged::Judged,
        pooled::Pooled,
        undertrained::{still_rising, trainings},
        words,
    },
    text::{count, number},
};

/// Comparisons that are told in words.
const COMPARED: usize = 3;
/// Photographs of one kind.
const SHOWN: usize = 8;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let groups = asked.results.groups();
    let line = |group: &Group<'_>| line(asked.results, group);
    let mut lines: Vec<String> = groups.iter().filter_map(line).collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    lines.extend(comparisons::in_short(asked.results, COMPARED)?);
    let best = best(groups.iter()).filter(|_| asked.page);
    let best = best.map(|(group, part)| (group, asked.part.unwrap_or(part)));
    let wrong = best.map(|(group, part)| (group, part, wrong(group, part)));
    let wrong = wrong.filter(|(.., wrong)| !wrong.is_empty());
    lines.extend(
        wrong
            .iter()
            .map(|(group, part, wrong)| told(group, *part, wrong.len())),
    );
    if asked.page {
        lines.extend(label_issues::in_short(&asked.results.audits));
        lines.extend(no_audit(asked));
    }
    let mut blocks = vec![Block::heading(2, "At a glance"), Block::list(lines)];
    if asked.page && asked.images != Images::None {
        if let Some((group, _, wrong)) = wrong {
            blocks.push(Block::paragraph(format!(
                "The surest mistakes of `{}`:",
                group.name
            )));
            blocks.push(surest(group, &wrong));
        }
        blocks.extend(label_issues::worst(&asked.results.audits, SHOWN));
    }
    Ok(blocks)
}

fn line(results: &Results, group: &Group<'_>) -> Option<String> {
    let trainings = trainings(results, group).into_iter();
    let rising: Vec<_> = trainings.map(|t| still_rising(&t.history)).collect();
    let told = words::glance(&Pooled::of(group), &rising)?;
    Some(format!("`{}`: {told}", group.name))
}

/// The images that a recipe takes for something else in half of its runs or more, those first of which it is surest.
fn wrong<'a>(group: &Group<'a>, part: Part) -> Vec<Judged<'a>> {
    let mut seen = mistakes::worst_first(group, part);
    seen.retain(|image| !image.is_right());
    seen
}

fn told(group: &Group<'_>, part: Part, wrong: usize) -> String {
    let images = Pooled::of(group).part(part).map_or(0, |part| part.images);
    let runs = match group.runs.len() {
        1 => String::new(),
        n => format!(" in half of its {n} runs or more"),
    };
    format!(
        "Wrong on {}: {} of {}{runs}, by `{}`: “{}”.",
        part.name(),
        number(wrong as u64),
        count(images, "image"),
        group.name,
        evaluations::title(group),
    )
}

fn surest(group: &Group<'_>, wrong: &[Judged<'_>]) -> Block {
    let shots = wrong
        .iter()
        .filter_map(|image| mistakes::mistake(group, image));
    // What speaks for a guess stands where all of them are.
    let without = |shot| Shot {
        guess: None,
        ..shot
    };
    Block::Gallery(shots.take(SHOWN).map(without).collect())
}

/// How the labels that look wrong are found, where nothing looks for them and something could.
fn no_audit(asked: &Asked<'_>) -> Option<String> {
    let mut judged = asked.results.evaluations.iter();
    let on_validation = judged.find(|run| run.part(Part::Validation).is_some())?;
    asked.results.audits.is_empty().then(|| {
        format!(
            "Nothing looks for wrong labels here: a stage `[audit.labels]` with `from = \"{}\"` lists those that look wrong.",
            on_validation.stage
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        Detail, report,
        sample::{evaluated_on, results, rights},
    };

    fn page(results: &Results) -> Vec<Block> {
        let detail = Detail {
            images: Images::Errors,
            most: 800,
            page: true,
        };
        let blocks = report(results, None, detail).unwrap().blocks;
        let next = |b: &Block| matches!(b, Block::Heading { level: 2, text } if text.in_backticks() == "Results");
        blocks.into_iter().take_while(|b| !next(b)).collect()
    }

    #[test]
    fn the_mistakes_of_the_recipe_that_is_best_on_validation_come_first() {
        let run = |stage, validation, test| {
            let (validation, test) = (rights(validation, 20), rights(test, 20));
            let parts = [(Part::Validation, &validation[..]), (Part::Test, &test[..])];
            evaluated_on(stage, &[], &parts)
        };
        let first = page(&results(vec![run("a", 10, 19), run("b", 15, 12)]));
        let text = crate::report::Document::new(first.clone()).markdown();
        let told = "- Wrong on test: 8 of 20 images, by `b`: “Evaluation `b`”.";
        assert!(text.contains(told), "{text}");
        assert!(
            text.contains("`from = \"a\"` lists those that look wrong"),
            "{text}"
        );
        let pictures = first.iter().find_map(|block| match block {
            Block::Gallery(shots) => Some(shots.len()),
            _ => None,
        });
        assert_eq!(pictures, Some(8));
    }
}
