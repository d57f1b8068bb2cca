//! The graph: order, circles, targets, drawings.

use kfood::{
    error::Class,
    plan::{Format, Graph, draw},
};

use super::fake::{Fake, boxed};

fn diamond() -> Vec<Fake> {
    vec![
        Fake::new("data", 1),
        Fake::new("left", 2).reads("data", "sum"),
        Fake::new("right", 3).reads("data", "sum"),
        Fake::new("both", 4)
            .reads("left", "sum")
            .reads("right", "sum"),
        Fake::new("alone", 5),
    ]
}

#[test]
fn an_order_that_fits_is_kept_and_another_is_made_to_fit() {
    let mut stages = diamond();
    assert_eq!(
        Graph::new(&boxed(&stages)).unwrap().order(),
        [0, 1, 2, 3, 4]
    );
    stages.reverse();
    let order: Vec<_> = Graph::new(&boxed(&stages))
        .unwrap()
        .order()
        .iter()
        .map(|&i| stages[i].id.clone())
        .collect();
    assert_eq!(order, ["alone", "data", "right", "left", "both"]);
}

#[test]
fn a_circle_is_told_in_the_order_of_reading() {
    let stages = [
        Fake::new("free", 0),
        Fake::new("a", 1).reads("b", "sum"),
        Fake::new("b", 2).reads("free", "sum").reads("a", "sum"),
        Fake::new("below", 3).reads("a", "sum"),
    ];
    let error = Graph::new(&boxed(&stages)).unwrap_err();
    assert_eq!(error.class(), Class::Usage);
    assert_eq!(
        error.message(),
        "stages refer to each other in a circle: a -> b -> a"
    );
    let error = Graph::new(&boxed(&[Fake::new("a", 1).reads("a", "sum")])).unwrap_err();
    assert!(error.message().ends_with("a -> a"), "{error}");
}

#[test]
fn a_wrong_reference_offers_the_nearest_name() {
    let error = Graph::new(&boxed(&[
        Fake::new("split", 1),
        Fake::new("b", 1).reads("splti", "sum"),
    ]))
    .unwrap_err();
    assert_eq!(error.help_text(), Some("did you mean `split`?"));
    let error = Graph::new(&boxed(&[
        Fake::new("split", 1),
        Fake::new("b", 1).reads("split", "some"),
    ]))
    .unwrap_err();
    assert!(error.message().contains("`sum` or `parity`"), "{error}");
    let error = Graph::new(&boxed(&[Fake::new("x", 1), Fake::new("x", 2)])).unwrap_err();
    assert!(error.message().contains("two stages have the name `x`"));
}

#[test]
fn a_target_needs_what_it_reads_and_a_stage_stands_for_its_instances() {
    let graph = Graph::new(&boxed(&diamond())).unwrap();
    assert_eq!(graph.needed(&["left".to_owned()]).unwrap(), [0, 1]);
    assert!(
        graph
            .needed(&["lefd".to_owned()])
            .unwrap_err()
            .help_text()
            .unwrap()
            .contains("`left`")
    );
    let matrix = [
        Fake::new("m[lr=1]", 1),
        Fake::new("m[lr=2]", 2),
        Fake::new("mm", 3),
    ];
    let graph = Graph::new(&boxed(&matrix)).unwrap();
    assert_eq!(graph.needed(&["m".to_owned()]).unwrap(), [0, 1]);
    assert_eq!(graph.needed(&["m[lr=2]".to_owned()]).unwrap(), [1]);
}

#[test]
fn drawings_show_names_kinds_labels_and_edges() {
    let stages = boxed(&[
        Fake::new("사진", 1),
        Fake::new("a \"b\"", 2).reads("사진", "sum"),
    ]);
    let graph = Graph::new(&stages).unwrap();
    let label = |id: &str| (id == "사진").then(|| "cached".to_owned());
    assert_eq!(
        draw(&stages, &graph, Format::Text, &label),
        "사진   fake  cached\na \"b\"  fake          <- 사진\n"
    );
    let dot = draw(&stages, &graph, Format::Dot, &label);
    assert!(
        dot.contains("n0 [label = \"사진\\nfake\\ncached\"];") && dot.contains("n0 -> n1;"),
        "{dot}"
    );
    assert!(dot.contains("a \\\"b\\\""), "{dot}");
    let mermaid = draw(&stages, &graph, Format::Mermaid, &label);
    assert!(
        mermaid.starts_with("flowchart LR\n") && mermaid.contains("  n0 --> n1\n"),
        "{mermaid}"
    );
    assert!(mermaid.contains("a #quot;b#quot;<br/>fake"), "{mermaid}");
}
