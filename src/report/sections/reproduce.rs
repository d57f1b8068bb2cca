//! What it takes to make these results again: the stages with keys and digests, when they were made, and the file.

use std::collections::BTreeMap;

use super::Asked;
use crate::{
    error::Result,
    report::{
        Block, Column, Drawing, Flow, Grid, Node, Results, StageTold, Timeline, bytes, duration,
    },
    text::{count, shown},
};

/// As many hexadecimal digits of a digest tell results apart.
const DIGITS: usize = 16;

pub(super) fn blocks(asked: &Asked<'_>) -> Result<Vec<Block>> {
    let results = asked.results;
    if !asked.page || results.stages.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![
        Block::heading(2, "Reproduce"),
        Block::paragraph(format!(
            "`kfood run {}` makes what is below again; `kfood run --locked` holds it against the lock file beside it.",
            shown(&results.pipeline)
        )),
        Block::Drawn(Drawing::Flow(flow(results))),
        Block::table(stages(results)),
    ];
    blocks.extend(timeline(results));
    blocks.push(Block::heading(3, "Settings, defaults too"));
    blocks.push(Block::table(settings(results)));
    blocks.push(Block::heading(3, "Outputs"));
    blocks.push(Block::table(outputs(results)));
    for (name, text) in &results.files {
        blocks.push(Block::heading(3, format!("`{}`", shown(name))));
        blocks.push(Block::Verbatim(text.clone()));
    }
    Ok(blocks)
}

fn state(stage: &StageTold) -> &'static str {
    match &stage.made {
        Some(made) if made.earlier => "an earlier result",
        Some(_) => "done",
        None => "no result",
    }
}

fn is_good(stage: &StageTold) -> bool {
    stage.made.as_ref().is_some_and(|made| !made.earlier)
}

/// Stages as they are written, each with its instances.
fn as_written(results: &Results) -> (BTreeMap<&str, usize>, Vec<Vec<&StageTold>>) {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of: Vec<Vec<&StageTold>> = Vec::new();
    for stage in &results.stages {
        let place = *places.entry(&stage.stage).or_insert_with(|| {
            of.push(Vec::new());
            of.len() - 1
        });
        of[place].push(stage);
    }
    (places, of)
}

fn flow(results: &Results) -> Flow {
    let (places, of) = as_written(results);
    let by_id: BTreeMap<&str, usize> = results
        .stages
        .iter()
        .map(|stage| (stage.id.as_str(), places[stage.stage.as_str()]))
        .collect();
    let mut edges: Vec<(usize, usize)> = results
        .stages
        .iter()
        .flat_map(|stage| {
            let to = by_id[stage.id.as_str()];
            let from = stage.reads.iter().filter_map(|id| by_id.get(id.as_str()));
            from.map(move |from| (*from, to))
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    // What is read through another stage too is not drawn again.
    let direct = |edge: &(usize, usize)| !leads(&edges, edge.0, edge.1, Some(*edge));
    let edges = edges.iter().copied().filter(direct).collect();
    Flow {
        nodes: of.iter().map(|instances| node(instances)).collect(),
        edges,
    }
}

/// Whether there is a way from one node to another, without this edge.
fn leads(
    edges: &[(usize, usize)],
    from: usize,
    to: usize,
    without: Option<(usize, usize)>,
) -> bool {
    let next = edges
        .iter()
        .filter(|edge| edge.0 == from && Some(**edge) != without);
    next.into_iter()
        .any(|(_, next)| *next == to || leads(edges, *next, to, None))
}

fn node(instances: &[&StageTold]) -> Node {
    let done = instances.iter().filter(|stage| is_good(stage)).count();
    let told = match instances {
        [one] if is_good(one) => one.kind.to_owned(),
        [one] => format!("{}: {}", one.kind, state(one)),
        all if done == all.len() => format!("{}, {}", all[0].kind, count(all.len(), "instance")),
        all => format!("{}, {done} of {} done", all[0].kind, all.len()),
    };
    Node {
        name: instances[0].stage.clone(),
        told,
        good: done == instances.len(),
    }
}

fn stages(results: &Results) -> Grid {
    let mut grid = Grid::of([
        Column::left("stage").heading(),
        Column::left("kind"),
        Column::left("state"),
        Column::left("key").meaning("the first digits; of settings and inputs"),
        Column::right("took"),
        Column::left("kfood"),
    ]);
    for stage in &results.stages {
        let made = |told: fn(&crate::report::StageMade) -> String| {
            stage.made.as_ref().map_or_else(|| "-".to_owned(), told)
        };
        grid.rows.push(vec![
            format!("`{}`", stage.id),
            stage.kind.to_owned(),
            state(stage).to_owned(),
            made(|m| format!("`{}`", first(&m.key))),
            made(|m| duration(m.seconds)),
            made(|m| m.kfood.clone()),
        ]);
    }
    grid
}

/// What a setting is in one or several instances of each stage.
fn settings(results: &Results) -> Grid {
    let mut grid = Grid::of([
        Column::left("stage").heading(),
        Column::left("setting"),
        Column::left("value").meaning("where instances differ, each of them"),
    ]);
    for instances in as_written(results).1 {
        let mut names: Vec<&str> = Vec::new();
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in instances.iter().flat_map(|stage| &stage.settings) {
            let of = values.entry(name).or_default();
            if of.is_empty() {
                names.push(name);
            }
            if !of.contains(&value.as_str()) {
                of.push(value);
            }
        }
        grid.rows.extend(names.iter().map(|name| {
            let values = values[name].iter().map(|value| format!("`{value}`"));
            vec![
                format!("`{}`", instances[0].stage),
                format!("`{name}`"),
                values.collect::<Vec<_>>().join(", "),
            ]
        }));
    }
    grid
}

fn first(digest: &str) -> &str {
    digest.get(..DIGITS).unwrap_or(digest)
}

fn outputs(results: &Results) -> Grid {
    let mut grid = Grid::of([
        Column::left("stage").heading(),
        Column::left("output"),
        Column::left("blake3").meaning("the first digits"),
        Column::right("size"),
    ]);
    for stage in &results.stages {
        for (name, digest, size) in stage.made.iter().flat_map(|made| &made.outputs) {
            grid.rows.push(vec![
                format!("`{}`", stage.id),
                format!("`{}`", shown(name)),
                format!("`{}`", first(digest)),
                bytes(*size),
            ]);
        }
    }
    grid
}

/// When each result was made, without the time in which nothing was: results of several days stand beside each other.
fn timeline(results: &Results) -> Option<Block> {
    let made = results.stages.iter().filter_map(|stage| {
        let made = stage.made.as_ref()?;
        Some((made.started as f64, made.seconds, stage.id.as_str()))
    });
    let mut made: Vec<_> = made.collect();
    made.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(b.2)));
    let (mut idle, mut end) = (made.first()?.0, made.first()?.0);
    let mut spans = Vec::new();
    for (started, seconds, id) in made {
        idle += (started - end).max(0.0);
        end = f64::max(end, started + seconds);
        let from = started - idle;
        spans.push((id.to_owned(), from, from + seconds));
    }
    (spans.len() > 1).then_some(Block::Drawn(Drawing::Timeline(Timeline { spans })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Document, Language, StageMade, sample::results};

    fn stage(id: &str, reads: &[&str], started: Option<u64>) -> StageTold {
        StageTold {
            id: id.to_owned(),
            stage: id.split('[').next().unwrap_or(id).to_owned(),
            kind: "train",
            reads: reads.iter().map(|r| (*r).to_owned()).collect(),
            settings: vec![
                ("epochs".to_owned(), "4".to_owned()),
                ("seed".to_owned(), id.len().to_string()),
            ],
            made: started.map(|started| StageMade {
                earlier: false,
                key: "0123456789abcdef0123".to_owned(),
                started,
                seconds: 10.0,
                kfood: "0.1.0".to_owned(),
                outputs: Vec::new(),
            }),
        }
    }

    #[test]
    fn instances_of_a_stage_are_one_node_and_what_is_missing_is_marked() {
        let mut results = results(Vec::new());
        results.stages = vec![
            stage("pixels", &[], Some(100)),
            stage("net[seed=1]", &["pixels"], Some(110)),
            stage("net[seed=2]", &["pixels"], None),
        ];
        let flow = flow(&results);
        assert_eq!(flow.edges, [(0, 1)]);
        assert_eq!(
            (flow.nodes[1].told.as_str(), flow.nodes[1].good),
            ("train, 1 of 2 done", false)
        );
        let drawn = Document::new(vec![Block::Drawn(Drawing::Flow(flow))]);
        let korean = drawn.in_language(Language::Korean).blocks;
        let Block::Drawn(Drawing::Flow(flow)) = &korean[0] else {
            panic!("{korean:?}");
        };
        assert_eq!(flow.nodes[1].told, "train, 2개 중 1개 완료");
        assert_eq!(stages(&results).rows[2][2..4], ["no result", "-"]);
        assert_eq!(stages(&results).rows[0][3], "`0123456789abcdef`");
        // A setting that instances have otherwise is told with each of its values.
        let told = settings(&results).rows;
        assert_eq!(told[2], ["`net`", "`epochs`", "`4`"]);
        assert_eq!(told[3], ["`net`", "`seed`", "`11`"]);
        assert_eq!(told.len(), 4);
    }

    #[test]
    fn time_in_which_nothing_was_made_is_left_out() {
        let mut results = results(Vec::new());
        results.stages = vec![
            stage("a", &[], Some(100)),
            stage("b", &[], Some(105)),
            stage("c", &[], Some(90_000)),
        ];
        let Some(Block::Drawn(Drawing::Timeline(Timeline { spans }))) = timeline(&results) else {
            panic!("no timeline");
        };
        let told: Vec<_> = spans
            .iter()
            .map(|(id, from, to)| (id.as_str(), *from, *to))
            .collect();
        assert_eq!(
            told,
            [("a", 0.0, 10.0), ("b", 5.0, 15.0), ("c", 15.0, 25.0)]
        );
    }
}
