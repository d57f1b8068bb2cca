//! The directed graph of stage instances, by what they read from each other.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap, VecDeque},
};

use petgraph::{
    Direction,
    algo::tarjan_scc,
    graph::{DiGraph, NodeIndex},
};

use crate::{
    error::{Error, Result},
    name,
    stage::{Source, Stage},
    text::shown,
};

/// The stages of a pipeline and which reads from which. Stages are numbered as they were given.
#[derive(Debug)]
pub struct Graph {
    /// An edge leads from a stage to one that reads its output.
    graph: DiGraph<String, ()>,
    order: Vec<usize>,
    /// What each id stands for: itself; and each name in front of a bracket: all its instances.
    names: HashMap<String, Vec<usize>>,
}

impl Graph {
    /// Builds and checks the graph.
    ///
    /// # Errors
    /// When two stages share an id, when one refers to a stage or an output that is not there, and when references
    /// run in a circle (told as `a -> b -> a`, each reading from the next).
    pub fn new(stages: &[Box<dyn Stage>]) -> Result<Self> {
        let mut graph = DiGraph::with_capacity(stages.len(), stages.len() * 2);
        let mut nodes = HashMap::with_capacity(stages.len());
        for (index, stage) in stages.iter().enumerate() {
            graph.add_node(stage.id().to_owned());
            if nodes.insert(stage.id(), index).is_some() {
                let message = format!("two stages have the name `{}`", stage.id());
                return Err(Error::usage(message).help("names are unique, whatever the kind"));
            }
        }
        for (index, stage) in stages.iter().enumerate() {
            let mut above = BTreeSet::new();
            for input in stage.inputs() {
                let Source::Stage { id, output } = input.source else {
                    continue;
                };
                let Some(&from) = nodes.get(id.as_str()) else {
                    return Err(unknown(
                        &format!(
                            "stage `{}` reads from `{id}`, which is no stage",
                            stage.id()
                        ),
                        &id,
                        stages,
                    ));
                };
                let outputs = stages[from].outputs();
                if !outputs.contains(&output.as_str()) {
                    return Err(Error::usage(format!(
                        "stage `{}` reads `{output}` from `{id}`, which gives {}",
                        stage.id(),
                        name::one_of(outputs.iter().copied())
                    )));
                }
                above.insert(from);
            }
            for from in above {
                graph.add_edge(NodeIndex::new(from), NodeIndex::new(index), ());
            }
        }
        let order = order(&graph).ok_or_else(|| cycle(&graph))?;
        let mut names: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, stage) in stages.iter().enumerate() {
            if let Some((name, _)) = stage.id().split_once('[') {
                names.entry(name.to_owned()).or_default().push(index);
            }
        }
        for (index, stage) in stages.iter().enumerate() {
            names.insert(stage.id().to_owned(), vec![index]);
        }
        Ok(Self {
            graph,
            order,
            names,
        })
    }

    /// All stages, each after everything it reads from; where that leaves a choice, in the order given.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The stages that one reads from, in the order given.
    #[must_use]
    pub fn upstream(&self, stage: usize) -> Vec<usize> {
        let above = self
            .graph
            .neighbors_directed(NodeIndex::new(stage), Direction::Incoming);
        let mut found: Vec<_> = above.map(NodeIndex::index).collect();
        found.sort_unstable();
        found
    }

    /// The stages named by `targets` and everything they need, in order; all stages when there are no targets. A target
    /// is an id, or the name of a stage, which stands for all its instances: `deeper` for `deeper[arch=resnet50]`.
    ///
    /// # Errors
    /// When a target is no stage; the message offers the nearest one.
    pub fn needed(&self, targets: &[String]) -> Result<Vec<usize>> {
        if targets.is_empty() {
            return Ok(self.order.clone());
        }
        let mut wanted = vec![false; self.graph.node_count()];
        for target in targets {
            for stage in self.named(target)? {
                wanted[stage] = true;
            }
        }
        for &stage in self.order.iter().rev() {
            if wanted[stage] {
                for above in self.upstream(stage) {
                    wanted[above] = true;
                }
            }
        }
        Ok(self.order.iter().copied().filter(|&i| wanted[i]).collect())
    }

    /// The instances that a target stands for; see [`Graph::needed`].
    ///
    /// # Errors
    /// When it is no stage.
    pub fn named(&self, target: &str) -> Result<Vec<usize>> {
        if let Some(found) = self.names.get(target) {
            return Ok(found.clone());
        }
        let message = format!("`{}` is no stage of this pipeline", shown(target));
        if target.ends_with(".toml") {
            return Err(Error::usage(message).help(
                "name one pipeline at a time, and stages of it behind that; `[use]` takes in stages of another",
            ));
        }
        let ids = self.graph.node_weights().map(String::as_str);
        Err(offer(message, target, ids))
    }
}

/// Kahn's algorithm with the smallest number first, so that a given order that already fits is kept. `None` in a circle.
fn order(graph: &DiGraph<String, ()>) -> Option<Vec<usize>> {
    let mut open: Vec<_> = graph
        .node_indices()
        .map(|n| graph.edges_directed(n, Direction::Incoming).count())
        .collect();
    let mut ready: BinaryHeap<_> = (0..open.len())
        .filter(|&i| open[i] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(open.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for below in graph.neighbors(NodeIndex::new(index)) {
            open[below.index()] -= 1;
            if open[below.index()] == 0 {
                ready.push(Reverse(below.index()));
            }
        }
    }
    (order.len() == open.len()).then_some(order)
}

/// Says the shortest circle through the first stage that lies on one.
fn cycle(graph: &DiGraph<String, ()>) -> Error {
    let start = tarjan_scc(graph)
        .into_iter()
        .filter(|part| part.len() > 1 || graph.contains_edge(part[0], part[0]))
        .flatten()
        .min()
        .unwrap_or_default();
    // Breadth first against the edges: from a stage to what it reads, until the start is met again.
    let mut came: HashMap<NodeIndex, NodeIndex> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in graph.neighbors_directed(node, Direction::Incoming) {
            if came.contains_key(&next) {
                continue;
            }
            came.insert(next, node);
            queue.push_back(next);
        }
        if came.contains_key(&start) {
            break;
        }
    }
    let mut path = vec![graph[start].as_str()];
    let mut at = start;
    while let Some(&before) = came.get(&at) {
        path.push(&graph[before]);
        at = before;
        if at == start {
            break;
        }
    }
    path.reverse();
    Error::usage(format!(
        "stages refer to each other in a circle: {}",
        path.join(" -> ")
    ))
    .help("let one of them read from a stage outside the circle")
}

fn unknown(message: &str, name: &str, stages: &[Box<dyn Stage>]) -> Error {
    offer(message.to_owned(), name, stages.iter().map(|s| s.id()))
}

fn offer<'a>(message: String, name: &str, ids: impl Iterator<Item = &'a str>) -> Error {
    let error = Error::usage(message);
    match name::nearest(name, ids) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`kfood graph` lists the stages"),
    }
}
