//! What is made from what, as a drawing: layer by layer from left to right, or where there is little room a row for each node.

use std::fmt::Write;

use askama::filters::{Html, escape};
use unicode_width::UnicodeWidthStr;

use crate::{
    report::{Flow, Language},
    text::shown,
};

/// Pixels.
const HEIGHT: f64 = 44.0;
const BETWEEN: f64 = 14.0;
const ACROSS: f64 = 56.0;
const MARGIN: f64 = 4.0;
/// Of one column of text, in the two sizes.
const NAME: f64 = 7.6;
const TOLD: f64 = 6.3;

/// Between lanes of the narrow form.
const LANE: f64 = 11.0;
/// The narrow form is so wide, unless a name is wider.
const NARROW: f64 = 340.0;
/// Widths that a page tells apart (`page.css`): the wide form stands where there is so much room.
const WIDTHS: [u16; 6] = [480, 640, 800, 960, 1080, 1176];

/// A box with its place.
#[derive(Clone, Copy, Default)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
}

/// A drawing and its size.
struct Drawn {
    width: f64,
    height: f64,
    svg: String,
}

/// SVG, its names escaped: from left to right, and for a narrow page from above to below. The page shows the one that fits.
pub(super) fn drawn(flow: &Flow, language: Language) -> String {
    let (across, down) = (across(flow), down(flow));
    let fits = WIDTHS
        .iter()
        .find(|width| f64::from(**width) >= across.width);
    let in_words = in_words(flow, language);
    let class = fits.map_or_else(String::new, |width| format!(" from-{width}"));
    format!(
        "<div class=\"flow{class}\">{}{}</div>",
        framed(&in_words, "across", &across),
        framed(&in_words, "down", &down)
    )
}

fn framed(in_words: &str, class: &str, drawn: &Drawn) -> String {
    let Drawn { width, height, svg } = drawn;
    format!(
        "<svg class=\"{class}\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-label=\"{}\">{svg}</svg>",
        escaped(in_words)
    )
}

/// Layer by layer from left to right.
fn across(flow: &Flow) -> Drawn {
    let layers = layers(flow);
    let columns = layers.iter().max().map_or(0, |last| last + 1);
    let mut places = vec![Place::default(); flow.nodes.len()];
    let (mut x, mut height) = (MARGIN, 0.0_f64);
    for column in 0..columns {
        let mut members: Vec<usize> = (0..flow.nodes.len())
            .filter(|node| layers[*node] == column)
            .collect();
        // Beside what it is made from, so that lines cross little.
        members.sort_by(|a, b| beside(flow, &places, *a).total_cmp(&beside(flow, &places, *b)));
        let width = members.iter().map(|node| wide(flow, *node));
        let width = width.fold(0.0, f64::max);
        for (row, node) in members.iter().enumerate() {
            let y = MARGIN + row as f64 * (HEIGHT + BETWEEN);
            places[*node] = Place { x, y, width };
            height = height.max(y + HEIGHT);
        }
        x += width + ACROSS;
    }
    let mut svg = String::new();
    for (from, to) in &flow.edges {
        let (a, b) = (places[*from], places[*to]);
        let (left, right) = (a.x + a.width, b.x);
        let (start, end) = (a.y + HEIGHT / 2.0, b.y + HEIGHT / 2.0);
        let half = f64::midpoint(left, right);
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<path d=\"M{left:.1} {start:.1}C{half:.1} {start:.1} {half:.1} {end:.1} {right:.1} {end:.1}\"/>"
        );
    }
    Drawn {
        width: x - ACROSS + MARGIN,
        height: height + MARGIN,
        svg: svg + &boxes(flow, &places),
    }
}

/// A row for each node; from each one a lane on the left leads down to what is made from it.
fn down(flow: &Flow) -> Drawn {
    let lanes = lanes(flow);
    let left =
        MARGIN + (lanes.iter().flatten().max().map_or(0, |last| last + 1)) as f64 * LANE + 12.0;
    let names = (0..flow.nodes.len()).map(|node| wide(flow, node));
    let width = names.fold(NARROW - left - MARGIN, f64::max);
    let place = |row: usize| Place {
        x: left,
        y: MARGIN + row as f64 * (HEIGHT + BETWEEN),
        width,
    };
    let places: Vec<Place> = (0..flow.nodes.len()).map(place).collect();
    let mut svg = String::new();
    for (from, to) in &flow.edges {
        let lane = left - 12.0 - lanes[*from].unwrap_or(0) as f64 * LANE;
        // Out at the foot of a box and in at the head of another, so that no line seems to go through.
        let (start, end) = (places[*from].y + 0.7 * HEIGHT, places[*to].y + 0.3 * HEIGHT);
        let _ = write!(
            svg,
            "<path d=\"M{left:.1} {start:.1}H{lane:.1}V{end:.1}H{left:.1}m-5 -3.5l5 3.5l-5 3.5\"/>"
        );
    }
    let rows = flow.nodes.len() as f64;
    Drawn {
        width: left + width + MARGIN,
        height: rows * (HEIGHT + BETWEEN) - BETWEEN + 2.0 * MARGIN,
        svg: svg + &boxes(flow, &places),
    }
}

/// The lane of each node from which something is made: the nearest one that is free as far as it leads.
fn lanes(flow: &Flow) -> Vec<Option<usize>> {
    let mut ends: Vec<usize> = Vec::new();
    let mut lanes = Vec::with_capacity(flow.nodes.len());
    for node in 0..flow.nodes.len() {
        let made = flow.edges.iter().filter(|(from, _)| *from == node);
        let Some(last) = made.map(|(_, to)| *to).max() else {
            lanes.push(None);
            continue;
        };
        let free = ends.iter().position(|end| *end < node);
        let lane = free.unwrap_or_else(|| {
            ends.push(0);
            ends.len() - 1
        });
        ends[lane] = last;
        lanes.push(Some(lane));
    }
    lanes
}

fn boxes(flow: &Flow, places: &[Place]) -> String {
    let mut svg = String::new();
    for (node, place) in flow.nodes.iter().zip(places) {
        let class = if node.good { "good" } else { "bad" };
        let Place { x, y, width } = *place;
        let _ = write!(
            svg,
            "<g class=\"{class}\"><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" rx=\"6\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text><text class=\"told\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            x + 10.0,
            y + 19.0,
            escaped(&shown(&node.name)),
            x + 10.0,
            y + 35.0,
            escaped(&node.told)
        );
    }
    svg
}

/// How many steps lie before each node.
fn layers(flow: &Flow) -> Vec<usize> {
    let mut layers = vec![0; flow.nodes.len()];
    for node in 0..flow.nodes.len() {
        let above = flow.edges.iter().filter(|(_, to)| *to == node);
        layers[node] = above.map(|(from, _)| layers[*from] + 1).max().unwrap_or(0);
    }
    layers
}

/// Where the middle of what a node is made from lies.
fn beside(flow: &Flow, places: &[Place], node: usize) -> f64 {
    let above = flow.edges.iter().filter(|(_, to)| *to == node);
    let heights: Vec<f64> = above.map(|(from, _)| places[*from].y).collect();
    heights.iter().sum::<f64>() / heights.len().max(1) as f64
}

fn wide(flow: &Flow, node: usize) -> f64 {
    let node = &flow.nodes[node];
    let name = shown(&node.name).width() as f64 * NAME;
    let told = node.told.width() as f64 * TOLD;
    20.0 + name.max(told)
}

/// For those who hear the page, in its language.
fn in_words(flow: &Flow, language: Language) -> String {
    let name = |place: usize| shown(&flow.nodes[place].name);
    let made = |node: usize| {
        let from = flow.edges.iter().filter(|(_, to)| *to == node);
        let from: Vec<_> = from.map(|(from, _)| name(*from)).collect();
        match from.as_slice() {
            [] => name(node),
            from => language.said(&format!("{} is made from {}", name(node), from.join(", "))),
        }
    };
    let all: Vec<_> = (0..flow.nodes.len()).map(made).collect();
    all.join("; ")
}

fn escaped(text: &str) -> String {
    escape(text, Html).map_or_else(|_| String::new(), |safe| safe.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Node;

    fn node(name: &str) -> Node {
        Node {
            name: name.to_owned(),
            told: "train".to_owned(),
            good: true,
        }
    }

    #[test]
    fn a_node_stands_right_of_all_that_it_is_made_from_and_no_name_is_markup() {
        let flow = Flow {
            nodes: vec![node("a"), node("b<b>"), node("c")],
            edges: vec![(0, 1), (0, 2), (1, 2)],
        };
        assert_eq!(layers(&flow), [0, 1, 2]);
        let svg = drawn(&flow, Language::English);
        assert!(!svg.contains("<b>"), "{svg}");
        assert!(svg.contains("c is made from a, b&#60;b&#62;"), "{svg}");
        let korean = drawn(&flow, Language::Korean);
        assert!(korean.contains("c: a, b&#60;b&#62;에서 만듦"), "{korean}");
        // In either form.
        assert_eq!(svg.matches("<path").count(), 6);
    }

    #[test]
    fn a_long_chain_fits_a_telephone() {
        let nodes: Vec<Node> = (0..12).map(|i| node(&format!("stage{i}"))).collect();
        let edges = (1..12).map(|to| (to - 1, to)).chain([(0, 11)]).collect();
        let flow = Flow { nodes, edges };
        assert!(across(&flow).width > 1176.0);
        assert!(down(&flow).width <= NARROW);
        // The first one leads past all, so every other one has a lane of its own beside it.
        assert_eq!(lanes(&flow)[..4], [Some(0), Some(1), Some(2), Some(1)]);
    }
}
