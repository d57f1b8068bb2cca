//! A model card: what a model is, what it was made from, how good it is, where it ends, how it is used (Mitchell et al., 2019; the
//! form of Hugging Face's `README.md`).

use super::{Align, Block, Document, Evaluated, Grid, Results, sections::of_model};
use crate::{
    digest::Digest,
    error::Result,
    record::{CheckpointInfo, Part},
    text::{count, number, shown},
};

/// What a card is made of.
pub struct Card<'a> {
    /// The model as it was named: `pipelines/first.toml:net`.
    pub name: String,
    /// What it says about itself.
    pub info: &'a CheckpointInfo,
    /// The key of its stage, as lock files write it; none of a model file.
    pub key: Option<Digest>,
    /// Every setting of its stage, by its place; none of a model file.
    pub settings: Vec<(String, String)>,
    /// What the pipeline tells of this model alone.
    pub results: Results,
    /// Evaluations that are of another state of its training than the file.
    pub of_another_state: Vec<String>,
}

/// The card as Markdown, with Hugging Face's block in front of it.
///
/// # Errors
/// When the predictions of an evaluation do not fit its metrics.
pub fn card(card: &Card<'_>) -> Result<String> {
    let mut blocks = head(card);
    blocks.extend(data(card));
    blocks.extend(recipe(card));
    blocks.extend(figures(card)?);
    blocks.extend(limits(card));
    blocks.extend(usage(card));
    let front = format!(
        "---\nlicense: unknown\npipeline_tag: image-classification\ntags:\n- kfood\n- {}\n---\n\n",
        card.info.arch.name()
    );
    Ok(front + &Document::new(blocks).markdown())
}

fn head(card: &Card<'_>) -> Vec<Block> {
    let CheckpointInfo {
        arch,
        classes,
        epoch,
        ..
    } = card.info;
    let told = arch.told();
    let told = told[..1].to_uppercase() + &told[1..];
    let of_stage = (card.key).map(|key| {
        format!(" Its stage has the key `{key}`, as the lock file of the pipeline says.")
    });
    vec![
        Block::heading(1, format!("Model card of `{}`", shown(&card.name))),
        Block::paragraph(format!(
            "{} that tells {} of photographs apart, of epoch {} of {}. Made by kfood {}.{}",
            told,
            count(classes.len(), "class"),
            epoch.epoch,
            epoch.of,
            env!("CARGO_PKG_VERSION"),
            of_stage.unwrap_or_default(),
        )),
    ]
}

/// How many photographs of each class there are in each part; the classes alone where no evaluation tells.
fn data(card: &Card<'_>) -> Vec<Block> {
    let mut columns = vec![("class", Align::Left)];
    let parts = [Part::Train, Part::Validation, Part::Test];
    let known: Vec<_> = parts
        .into_iter()
        .filter_map(|part| Some((part, seen(card, part)?)))
        .collect();
    columns.extend(known.iter().map(|(part, _)| (part.name(), Align::Right)));
    let mut grid = Grid::new(&columns);
    for (place, class) in card.info.classes.iter().enumerate() {
        let images = known.iter().map(|(_, counts)| counts[place]);
        let row = std::iter::once(class.clone()).chain(images.map(number));
        grid.rows.push(row.collect());
    }
    if !known.is_empty() {
        let sums = known.iter().map(|(_, counts)| counts.iter().sum::<u64>());
        let row = std::iter::once("all".to_owned()).chain(sums.map(number));
        grid.rows.push(row.collect());
    }
    let of = &card.info.provenance;
    vec![
        Block::heading(2, "Data"),
        Block::paragraph(
            "Photographs by class. Their licence is not known to kfood: write it here, and under `license` above.",
        ),
        Block::table(grid),
        Block::paragraph(format!(
            "Digests (blake3): pixels `{}`, labels `{}`, split `{}`.",
            of.pack, of.labels, of.split
        )),
    ]
}

/// The images of each class in a part, in the order of the model's classes, by the first evaluation that tells.
fn seen(card: &Card<'_>, part: Part) -> Option<Vec<u64>> {
    let mut all = card.results.evaluations.iter();
    let metrics = all.find_map(|evaluated| evaluated.part(part))?;
    let classes = card.info.classes.iter();
    let images = |class: &String| {
        let found = metrics.per_class.iter().find(|c| c.class == *class);
        found.map_or(0, |c| c.images)
    };
    Some(classes.map(images).collect())
}

fn recipe(card: &Card<'_>) -> Vec<Block> {
    let mut grid = Grid::new(&[("setting", Align::Left), ("value", Align::Left)]);
    let transform = &card.info.transform;
    let mut row = |name: &str, value: String| grid.rows.push(vec![name.to_owned(), value]);
    row("pixels", transform.pixels.to_string());
    if let Some(side) = transform.center_crop {
        row("centre crop", format!("{side} pixels"));
    }
    if let Some(side) = transform.test_resolution {
        row("shorter side then", format!("{side} pixels"));
    }
    let three = |values: [f64; 3]| values.map(|v| v.to_string()).join(", ");
    row("mean", three(transform.normalize.mean));
    row("standard deviation", three(transform.normalize.std));
    for (name, value) in &card.settings {
        row(name, value.clone());
    }
    vec![Block::heading(2, "Recipe"), Block::table(grid)]
}

fn figures(card: &Card<'_>) -> Result<Vec<Block>> {
    let told = of_model(&card.results)?;
    if card.results.evaluations.is_empty() {
        let none = Block::warning("no evaluation of this model is known");
        return Ok(vec![Block::heading(2, "Results"), none]);
    }
    let ids = card.of_another_state.iter();
    let ids: Vec<_> = ids.map(|id| format!("`{id}`")).collect();
    let other = (!ids.is_empty()).then(|| {
        Block::warning(format!(
            "{} judged another state of this training than the one that is exported.",
            ids.join(", ")
        ))
    });
    Ok(other.into_iter().chain(told).collect())
}

fn limits(card: &Card<'_>) -> Vec<Block> {
    let classes = count(card.info.classes.len(), "class");
    let mut items = vec![format!(
        "It answers with one of its {classes} whatever a photograph shows."
    )];
    items.push(if card.results.calibrations.is_empty() {
        "Its probabilities are not calibrated: take them as an order.".to_owned()
    } else {
        "Its probabilities are calibrated on photographs like those of its data, under the temperature that is told above, and nowhere else."
            .to_owned()
    });
    items.push(
        "Its figures hold for photographs like those of its data: other cameras, plates or countries were not tried."
            .to_owned(),
    );
    items.extend(copies(&card.results.evaluations));
    vec![Block::heading(2, "Limits"), Block::list(items)]
}

/// What is known of copies among the parts; nothing where there are some: the evaluation tells of them above.
fn copies(evaluations: &[Evaluated]) -> Option<String> {
    let looked = evaluations
        .iter()
        .filter_map(|e| e.evaluation.leaks.as_ref());
    let parts: Vec<_> = looked.flat_map(|leaks| &leaks.parts).collect();
    let mut by_features = evaluations.iter().filter_map(|e| e.features.as_ref());
    if by_features.any(|found| !found.pairs.is_empty()) {
        return None;
    }
    if parts.is_empty() {
        return Some(
            "Whether photographs of one part are copies of another's was not looked at.".to_owned(),
        );
    }
    let judged = |part: &Part| parts.iter().any(|found| found.part == *part);
    let judged: Vec<_> = Part::ALL
        .into_iter()
        .filter(judged)
        .map(Part::name)
        .collect();
    let none = parts.iter().all(|found| found.like_train == 0);
    none.then(|| {
        format!(
            "Copies of training photographs were looked for by their pixels among those of {}, and none was found.",
            judged.join(" and ")
        )
    })
}

fn usage(card: &Card<'_>) -> Vec<Block> {
    let name = shown(&card.name);
    vec![
        Block::heading(2, "How to use"),
        Block::list([
            format!("`kfood predict --model {name} photo.jpg`"),
            format!("`kfood export {name} net.onnx`, for onnxruntime: bytes in, probabilities out"),
            format!("`kfood export {name} net.pt`, for torchvision's `load_state_dict`"),
        ]),
    ]
}
